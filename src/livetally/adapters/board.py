"""What is told about an election over HTTP, each time as of one moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from livetally.adapters.cells import Cells, Recount, Standing
from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries
from livetally.adapters.roll import Roll

TURNOUT_VIEWS = ("state", "gender", "age")


@dataclass(frozen=True, slots=True)
class Result:
    """`standings` most votes first; `reached` is the newest time of voting that the count has seen, of any election.

    `unreadable`: votes of the whole count for nobody who stands, in this election or any.
    """

    election_id: str
    standings: tuple[Standing, ...]
    on_roll: int
    recounting: Recount | None
    reached: datetime | None
    unreadable: int

    @property
    def total_votes(self) -> int:
        return sum(one.total_votes for one in self.standings)


@dataclass(frozen=True, slots=True)
class GroupTurnout:
    view: str
    group: str
    votes: int
    registered: int | None


@dataclass(frozen=True, slots=True)
class GroupVotes:
    view: str
    group: str
    within: str  # the state of a city; empty elsewhere
    candidate_id: str
    votes: int


@dataclass(frozen=True, slots=True)
class RejectedBallot:
    partition: int
    offset: int
    appended_at: datetime
    reason: str
    detail: str


@contextmanager
def one_moment(connection: Connection) -> Iterator[None]:
    """All that is asked in the block is answered as of its beginning."""
    with connection.transaction():
        connection.execute(queries("board")["one_moment"])
        yield


class Board:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("board")

    def result(self, election_id: str, at: datetime | None = None) -> Result:
        """Now, as the tally shows it; with `at` as it had become in whole minutes before.

        Of the ledger, which knows for whom each of them voted, nothing is asked: whoever answers the public may not read that.
        """
        cells, on_roll = Cells(self._connection), Roll(self._connection).on_roll(election_id)
        if at is not None:
            minute = at.replace(second=0, microsecond=0)
            rows = self._connection.execute(self._sql["result_at"], {"election_id": election_id, "at": minute})
            return Result(election_id, tuple(Standing(*row) for row in rows), on_roll, None, minute, cells.unreadable())
        reached = self._connection.execute(self._sql["reached"]).fetchone()
        standings = tuple(cells.results(election_id))
        return Result(election_id, standings, on_roll, cells.recounting(), reached[0] if reached else None, cells.unreadable())

    def turnout(self, election_id: str) -> list[GroupTurnout]:
        """How many have voted in each state, gender and age group, and not for whom."""
        return [
            GroupTurnout(view, group, votes, registered)
            for view in TURNOUT_VIEWS
            for group, _, votes, registered in self._connection.execute(self._sql["groups"], (election_id, view))
        ]

    def votes_by_group(self, election_id: str) -> list[GroupVotes]:
        return [GroupVotes(*row) for row in self._connection.execute(self._sql["groups_by_candidate"], (election_id,))]

    def newest_rejections(self, election_id: str, limit: int) -> list[RejectedBallot]:
        return [RejectedBallot(*row) for row in self._connection.execute(self._sql["newest_rejections"], (election_id, limit))]

    def rejection_counts(self, election_id: str) -> dict[str, int]:
        """By reason, most first."""
        return dict(self._connection.execute(self._sql["rejection_counts"], (election_id,)).fetchall())
