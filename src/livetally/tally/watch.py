"""The rules look at every minute once, soon after it is over. A crash in between looks at it with the next batch."""

import logging

from livetally.adapters.alerts import Alerts, Judged, KnownAlert
from livetally.adapters.postgres import Connection
from livetally.core.alerts import QUIET_MINUTES, SETTLE_S, WINDOW_MINUTES, Window, judge

MINUTES_AT_ONCE = 120  # in one transaction; a backlog may bring days

log = logging.getLogger(__name__)


class Watch:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._alerts = Alerts(connection)
        self._seen_up_to = -1

    def look(self, generation: int, batch: int) -> list[KnownAlert]:
        """Judge what is due; the alerts that are new or have changed, as they are stored now."""
        return self._look(generation, batch, self._alerts.reached_s(generation))

    def look_behind_the_last_vote(self, generation: int, batch: int) -> list[KnownAlert]:
        """Nobody votes any more: judge the last minute, and as many empty ones as it takes for what is raised to be over."""
        reached_s = self._alerts.reached_s(generation)
        return self._look(generation, batch, None if reached_s is None else reached_s + SETTLE_S + 60 * (QUIET_MINUTES + 1))

    def _look(self, generation: int, batch: int, reached_s: int | None) -> list[KnownAlert]:
        last = -1 if reached_s is None else (reached_s - SETTLE_S) // 60 - 1
        if last <= self._seen_up_to:
            return []
        changed: dict[tuple[str, str, str, int], KnownAlert] = {}
        for election in self._alerts.elections(generation):
            for first in range(_first_due(election), last + 1, MINUTES_AT_ONCE):
                with self._connection.transaction():
                    found = self._judge(generation, batch, election, first, min(first + MINUTES_AT_ONCE - 1, last))
                changed |= {(one.election_id, *one.alert.name): one for one in found}
        self._seen_up_to = last
        return list(changed.values())

    def alerts(self) -> list[KnownAlert]:
        """All that there have ever been, the oldest first."""
        return self._alerts.known()

    def _judge(self, generation: int, batch: int, election: Judged, first: int, last: int) -> list[KnownAlert]:
        election_id = election.election_id
        minutes = self._alerts.minutes(generation, election_id, max(election.first_minute, first - WINDOW_MINUTES + 1), last)
        registered = self._alerts.registered(election_id)
        known = {one.alert.name: one.alert for one in self._alerts.known(election_id, first - WINDOW_MINUTES)}
        window = Window()
        changed = []
        for minute in minutes:
            window.add(minute)
            if minute.number < first:
                continue
            recent = [one for one in known.values() if one.state == "raised" or one.last_minute >= window.first_minute]
            found = [KnownAlert(election_id, alert, (generation, batch)) for alert in judge(window, registered, recent)]
            known |= {one.alert.name: one.alert for one in found}
            for one in found:
                log.info("alert", extra={"rule": one.alert.rule, "state": one.alert.state, "evidence": one.alert.evidence})
            changed += found
        self._alerts.store(changed)
        self._alerts.mark_judged(election_id, last)
        return changed


def _first_due(election: Judged) -> int:
    return election.first_minute if election.up_to_minute is None else max(election.first_minute, election.up_to_minute + 1)
