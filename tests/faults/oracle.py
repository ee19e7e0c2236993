"""What should have been decided: the rules once more, in a few lines of plain Python that share nothing with livetally.

A ballot that may count does if it is its voter's first. A voter's ballots lie in one partition, in an order that everybody can see;
those who were made to vote in several partitions at once have no first ballot, so one of their firsts per partition counts, whichever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from faults.ballots import Cast


class Place(NamedTuple):
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Lying:
    """A ballot where the broker has put it, and when."""

    place: Place
    appended_at_ms: int
    cast: Cast


@dataclass(frozen=True, slots=True)
class Verdict:
    ballot: Lying
    reason: str | None  # None: it counts


class Oracle:
    """Remembers who has voted; is asked about each ballot once."""

    def __init__(self) -> None:
        self._counted: dict[str, Lying] = {}

    def judge(self, ballots: Sequence[Lying], ledger: Mapping[str, Place]) -> list[Verdict]:
        """Verdicts on what has been cast since the last call. `ledger`: which of their ballots it took of voters who are in several partitions."""
        first: dict[str, dict[int, Lying]] = {}
        for ballot in sorted(ballots, key=lambda one: one.place):
            if ballot.cast.reason is None and ballot.cast.voter_id not in self._counted:
                first.setdefault(ballot.cast.voter_id, {}).setdefault(ballot.place.partition, ballot)
        for voter_id, firsts in first.items():
            taken = ledger.get(voter_id)
            self._counted[voter_id] = next((one for one in firsts.values() if one.place == taken), next(iter(firsts.values())))
        return [Verdict(ballot, self._reason(ballot)) for ballot in ballots]

    def _reason(self, ballot: Lying) -> str | None:
        if ballot.cast.reason is not None:
            return ballot.cast.reason
        counted = self._counted[ballot.cast.voter_id]
        if counted.place == ballot.place:
            return None
        return "already_voted_same" if counted.cast.candidate_id == ballot.cast.candidate_id else "already_voted_other"
