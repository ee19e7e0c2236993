"""What is known of one voter, and of all who cast a ballot in one election. Never whom anybody voted for."""

from dataclasses import dataclass, field
from datetime import datetime

from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries
from livetally.core.errors import ElectionError

REJECTIONS_MAX = 100  # of one voter; more would be a program that went wrong


@dataclass(frozen=True, slots=True)
class NotCounted:
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One person in one election."""

    election_id: str
    name: str
    kind: str
    status: str
    roll: str
    on_roll_since: datetime | None
    code_issued_at: datetime | None
    codes_voided: int
    voted_at: datetime | None
    receipt_issued_at: datetime | None
    is_acknowledged: bool  # the ballot of the receipt lies on the topic
    not_counted: list[NotCounted] = field(default_factory=list)

    @property
    def concerns_them(self) -> bool:
        """Whether there is anything to say of this person in this election."""
        known = (self.on_roll_since, self.code_issued_at, self.codes_voided, self.voted_at, self.receipt_issued_at, self.not_counted)
        return any(known)


@dataclass(frozen=True, slots=True)
class Elector:
    voter_id: str
    voter_name: str
    registered_at: datetime
    elections: list[Standing]
    elsewhere: list[NotCounted]  # ballots that name no election that exists


class Electors:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("electors")

    def elector(self, voter_id: str, election_id: str | None = None) -> Elector:
        """In one election, or in all that concern this person. Raises ElectionError if there is no such person."""
        asked = {"voter_id": voter_id, "election_id": election_id, "limit": REJECTIONS_MAX}
        voter = self._connection.execute(self._sql["voter"], (voter_id,)).fetchone()
        if voter is None:
            raise ElectionError(f"There is no voter {voter_id!r}. `./livetally sql 'TABLE voters'` lists ids and names.")
        found = [Standing(*row) for row in self._connection.execute(self._sql["elections_of"], asked)]
        by_id = {one.election_id: one for one in found}
        elsewhere: list[NotCounted] = []
        for of, at, reason in self._connection.execute(self._sql["rejections_of"], asked):
            (by_id[of].not_counted if of in by_id else elsewhere).append(NotCounted(at, reason))
        name, registered_at = voter
        return Elector(voter_id, name, registered_at, [one for one in found if election_id is not None or one.concerns_them], elsewhere)

    def codes_in(self, election_id: str) -> int:
        """Voting codes that are valid."""
        row = self._connection.execute(self._sql["codes_in"], (election_id,)).fetchone()
        return int(row[0]) if row else 0

    def votes_in(self, election_id: str) -> int:
        row = self._connection.execute(self._sql["votes_in"], (election_id,)).fetchone()
        return int(row[0]) if row else 0

    def rejections_in(self, election_id: str) -> dict[str, int]:
        """Rejected ballots that name this election, by reason, most first."""
        return dict(self._connection.execute(self._sql["rejections_in"], (election_id,)).fetchall())
