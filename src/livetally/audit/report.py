"""What the audit saw, and what its witnesses can say."""

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

DIFFERENCES_MAX = 100  # named one by one; the rest are counted


@dataclass
class Report:
    """What the audit saw. `ok` if there is no difference; `behind` is what was still on the way."""

    ok: bool = True
    ballots: int = 0
    accepted: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    ledger: int = 0
    published: int = 0
    tallied: int = 0
    elections: dict[str, dict[str, int]] = field(default_factory=dict)  # by election: accepted, tallied
    behind: int = 0
    unannounced: bool = False  # the last tally ended between storing and announcing; the next one announces first
    heads: list[dict[str, Any]] = field(default_factory=list)  # of the hash chain, to be kept elsewhere
    differences_total: int = 0
    differences: list[str] = field(default_factory=list)

    def differ(self, text: str) -> None:
        self.ok = False
        self.differences_total += 1
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(text)

    def count(self, election_id: str, what: str, votes: int = 1) -> None:
        """Votes of one election."""
        counts = self.elections.setdefault(election_id, {"accepted": 0, "tallied": 0})
        counts[what] += votes

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Said(NamedTuple):
    """What one witness says of one ballot."""

    election_id: str
    voter_id: str
    candidate_id: str
    voting_time: str


class Refused(NamedTuple):
    reason: str
    value: bytes | None = None  # the ballot's own bytes, where the witness has them


Testimony = tuple[int, Any]  # ballot offset, what the witness says
