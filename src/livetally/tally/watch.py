"""The rules look at every minute once, soon after it is over. A crash in between looks at it with the next batch."""

import logging
from datetime import UTC, datetime

from livetally.adapters.alerts import Alerts, Judged, KnownAlert
from livetally.adapters.postgres import Connection
from livetally.core.alerts import QUIET_MINUTES, SETTLE_S, WINDOW_MINUTES, Window, judge

MINUTES_AT_ONCE = 120  # in one transaction; a backlog may bring days
OVER_S = SETTLE_S + 60 * (QUIET_MINUTES + 1)  # so long after the last thing that has happened, what was raised is over
NOBODY_VOTES_S = 180.0  # after so long without a vote none is expected any more, and what was raised may be over
NOBODY_TRIES_S = 180.0  # likewise without a repeated ballot

log = logging.getLogger(__name__)


class Watch:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._alerts = Alerts(connection)
        self._seen_up_to = -1
        self._repeated_s = -1  # the last second in which somebody cast a repeated ballot, and when that became known
        self._repeated_at = datetime.min.replace(tzinfo=UTC)

    def look(self, generation: int, batch: int) -> list[KnownAlert]:
        """Judge what is due; the alerts that are new or have changed, as they are stored now."""
        return self._look(generation, batch, self._alerts.reached_s(generation))

    def look_behind_the_last_vote(self, generation: int, batch: int, counted_at: datetime, now: datetime) -> list[KnownAlert]:
        """Nobody votes any more: once that is sure, judge the last minute, and as many empty ones as it takes for what is raised to be over.

        To be called again and again; `counted_at`: when the last votes were. As long as people who have voted try once more, the clock is that
        of their ballots.
        """
        voted_s = self._alerts.reached_s(generation)
        if voted_s is None:
            return []
        repeated_s = self._alerts.newest_repeat_s(max(voted_s, self._repeated_s))
        if repeated_s is not None and repeated_s > self._repeated_s:
            self._repeated_s, self._repeated_at = repeated_s, now
        if (now - counted_at).total_seconds() < NOBODY_VOTES_S:
            return self._look(generation, batch, max(voted_s, self._repeated_s))
        has_ended = (now - self._repeated_at).total_seconds() >= NOBODY_TRIES_S
        return self._look(generation, batch, max(voted_s + OVER_S, self._repeated_s + (OVER_S if has_ended else 0)))

    def _look(self, generation: int, batch: int, reached_s: int | None) -> list[KnownAlert]:
        last = -1 if reached_s is None else (reached_s - SETTLE_S) // 60 - 1
        if last <= self._seen_up_to:
            return []
        changed: dict[tuple[str, str, str, int], KnownAlert] = {}
        for election in self._alerts.elections(generation):
            due = _first_due(election)
            while due <= last:
                with self._connection.transaction():
                    found, judged = self._judge_some(generation, batch, election, due, last)
                    self._alerts.mark_judged(election.election_id, judged)
                changed |= {(one.election_id, *one.alert.name): one for one in found}
                due = judged + 1
        self._seen_up_to = last
        return list(changed.values())

    def alerts(self) -> list[KnownAlert]:
        """All that there have ever been, the oldest first."""
        return self._alerts.known()

    def _judge_some(self, generation: int, batch: int, election: Judged, due: int, last: int) -> tuple[list[KnownAlert], int]:
        """From the minute that is due on; and the last that is judged by that. Where nobody has voted as far back as the rules look, there is
        nothing to judge: between two elections lie days, and behind one vote that says it is older than all others, years."""
        begin = self._alerts.next_activity(generation, election.election_id, due - WINDOW_MINUTES + 1)
        if begin is None or begin > last:
            return [], last
        first = max(due, begin)
        until = min(first + MINUTES_AT_ONCE - 1, last)
        return self._judge(generation, batch, election, first, until), until

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
        return changed


def _first_due(election: Judged) -> int:
    return election.first_minute if election.up_to_minute is None else max(election.first_minute, election.up_to_minute + 1)
