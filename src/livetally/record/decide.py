"""From messages to verdicts: what was cast, read; what the ledger says of it; what the votes' messages are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from livetally.adapters.ledger import Ledger
from livetally.adapters.roll import Roll
from livetally.core.verdicts import Counted, Verdict
from livetally.core.wire import VoteParts, vote_parts
from livetally.record.intake import Batch


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch whose verdicts are stored, with all that is needed to publish them."""

    batch: Batch
    verdicts: list[Verdict]
    parts: Mapping[str, VoteParts]  # by candidate


class Decider:
    """The ledger of one recorder, over one connection."""

    def __init__(self, ledger: Ledger, roll: Roll, before_commit: Callable[[], None]) -> None:
        self._ledger = ledger
        self._parts = Parts(roll)
        self._before_commit = before_commit

    def decide(self, batch: Batch) -> Decided:
        verdicts = self._ledger.decide(batch.casts, batch.begins, self._before_commit)
        candidates = {verdict.ballot.candidate_id for verdict in verdicts if isinstance(verdict, Counted)}
        return Decided(batch, verdicts, {candidate_id: self._parts.of(candidate_id) for candidate_id in candidates})


class Parts:
    """The parts of a vote's message that come from its candidate and election; asked of the database once per candidate.

    An election's detail may be remembered: it stands from the opening on, and before that nothing counts.
    """

    def __init__(self, roll: Roll) -> None:
        self._roll = roll
        self._known: dict[str, VoteParts] = {}

    def of(self, candidate_id: str) -> VoteParts:
        if candidate_id not in self._known:
            candidate = self._roll.candidate(candidate_id)
            self._known[candidate_id] = vote_parts(candidate, self._roll.election(candidate.election_id).detail)
        return self._known[candidate_id]
