"""What the alerts' rules look at, and what they have found, in PostgreSQL."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta

from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries
from livetally.core.alerts import Alert, Minute, Rule
from livetally.core.ballots import Reason

REPEATS = [Reason.ALREADY_VOTED_SAME, Reason.ALREADY_VOTED_OTHER]


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """An alert as it is stored, and the version of the count with which it has changed last."""

    election_id: str
    alert: Alert
    version: tuple[int, int]

    @property
    def begins(self) -> datetime:
        return _moment(self.alert.first_minute)

    @property
    def ends(self) -> datetime:
        return _moment(self.alert.last_minute + 1)


@dataclass(frozen=True, slots=True)
class Judged:
    """How far the rules have looked at an election."""

    election_id: str
    up_to_minute: int | None
    first_minute: int  # of its past, or of what is raised


class Alerts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("alerts")

    def elections(self, generation: int) -> list[Judged]:
        return [Judged(*row) for row in self._connection.execute(self._sql["elections"], {"generation": generation})]

    def reached_s(self, generation: int) -> int | None:
        """The last second of voting that the count has seen."""
        row = self._connection.execute(self._sql["reached"], (generation,)).fetchone()
        return row[0] if row else None

    def newest_repeat_s(self, since_s: int) -> int | None:
        """The second in which the newest ballot of somebody who had voted already was cast, of those cast since then; None if there is none."""
        row = self._connection.execute(self._sql["newest_repeat"], {"since": since_s, "reasons": REPEATS}).fetchone()
        return row[0] if row else None

    def next_activity(self, generation: int, election_id: str, since_minute: int) -> int | None:
        """The first minute since then in which somebody has voted, or tried to once more, or an alert is raised; None if there is none."""
        since = {"generation": generation, "election_id": election_id, "since": since_minute, "reasons": REPEATS}
        row = self._connection.execute(self._sql["next_activity"], since).fetchone()
        return row[0] if row else None

    def minutes(self, generation: int, election_id: str, first: int, last: int) -> list[Minute]:
        """Each of these minutes, empty ones too."""
        span = {"generation": generation, "election_id": election_id, "first": first, "last": last}
        votes: defaultdict[int, dict[tuple[str, str], int]] = defaultdict(dict)
        for number, place, candidate_id, count in self._connection.execute(self._sql["votes"], span):
            votes[number][place, candidate_id] = count
        repeats: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for number, place, count in self._connection.execute(self._sql["repeats"], span | {"reasons": REPEATS}):
            repeats[number][place] = count
        return [Minute(number, votes[number], repeats[number]) for number in range(first, last + 1)]

    def registered(self, election_id: str) -> dict[str, int]:
        """People by place."""
        return dict(self._connection.execute(self._sql["registered"], (election_id,)).fetchall())

    def known(self, election_id: str | None = None, since_minute: int | None = None) -> list[KnownAlert]:
        """The oldest first. With `since_minute` those that are raised, and those that lasted until then or longer."""
        rows = self._connection.execute(self._sql["known"], {"election_id": election_id, "since": since_minute})
        return [
            KnownAlert(election_id, Alert(Rule(rule), *rest), (generation, batch)) for rule, *rest, election_id, generation, batch in rows
        ]

    def store(self, found: Collection[KnownAlert]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(self._sql["store"], [_row(one) for one in found])

    def mark_judged(self, election_id: str, minute: int) -> None:
        self._connection.execute(self._sql["mark_judged"], (election_id, minute))


def _row(known: KnownAlert) -> tuple[object, ...]:
    return (*astuple(known.alert), known.election_id, *known.version)


def _moment(minute: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
