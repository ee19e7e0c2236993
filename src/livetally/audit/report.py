"""What the audit saw, and what its witnesses can say."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

DIFFERENCES_MAX = 100  # named one by one, in all and of each election; the rest are counted
SHARED = ""  # instead of an election: what all of them stand on, such as the hash chain and the places of ballots


@dataclass
class Differing:
    """Differences of one election, or of what all share."""

    total: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.total += 1
        if len(self.named) < DIFFERENCES_MAX:
            self.named.append(text)


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
    differing: dict[str, Differing] = field(default_factory=dict)  # the same by election, or SHARED

    def differ(self, text: str, *election_ids: str) -> None:
        """`election_ids`: whose result is in question; none if that can be said of no election alone, and so is of all."""
        self.ok = False
        self.differences_total += 1
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(text)
        for election_id in dict.fromkeys(election_ids or (SHARED,)):
            self.differing.setdefault(election_id, Differing()).add(text)

    def of(self, election_id: str) -> Differing:
        """Differences of one election, or (SHARED) of what all stand on."""
        return self.differing.get(election_id, Differing())

    def against(self, election_id: str) -> Sequence[str]:
        """What speaks against one election's result: its own differences, and those of what all share."""
        return [*self.of(election_id).named, *self.of(SHARED).named]

    def count(self, election_id: str, what: str, votes: int = 1) -> None:
        """Votes of one election."""
        counts = self.elections.setdefault(election_id, {"accepted": 0, "tallied": 0})
        counts[what] += votes

    def told_of(self, election_id: str) -> dict[str, Any]:
        """What concerns one election alone, for programs."""
        own, shared = self.of(election_id), self.of(SHARED)
        counts = self.elections.get(election_id, {"accepted": 0, "tallied": 0})
        return {
            "election_id": election_id,
            "ok": not own.total + shared.total,
            "chain_ok": not shared.total,
            **counts,
            "differences_total": own.total + shared.total,
            "differences": own.named,
            "shared_differences": shared.named,
        }

    def as_json(self) -> dict[str, Any]:
        """`differing` as numbers: the texts stand in `differences`."""
        return asdict(self) | {"differing": {election_id: one.total for election_id, one in sorted(self.differing.items())}}


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
