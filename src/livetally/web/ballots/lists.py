"""Elections and candidates as the booth knows them: kept for a moment, so that nobody has to ask about them for every ballot.

What is said by them is politeness. *record* decides, by the time at which the ballot arrived.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from livetally.adapters.receipts import Hours, Receipts
from livetally.core.elections import Candidate
from livetally.web.ballots.answers import Refusal

AGE_S_MAX = 1.0
AGE_S_OF_A_REFUSAL = 0.2  # nobody is refused by what was true a second ago; and refusals alone do not keep PostgreSQL busy


@dataclass(frozen=True, slots=True)
class Listed:
    """What there was to vote on at a moment."""

    read_at_s: float = float("-inf")
    hours: dict[str, Hours] = field(default_factory=dict)
    candidates: dict[str, tuple[Candidate, ...]] = field(default_factory=dict)
    standing: frozenset[tuple[str, str]] = frozenset()  # election and candidate

    def judge(self, election_id: str, candidate_id: str | None, now: datetime) -> Refusal | None:
        """What speaks against a ballot, whoever casts it."""
        hours = self.hours.get(election_id)
        if hours is None:
            return Refusal.UNKNOWN_ELECTION
        if hours.closes_at is not None and now >= hours.closes_at:
            return Refusal.CLOSED
        if hours.opens_at is None or now < hours.opens_at:
            return Refusal.NOT_OPEN
        if candidate_id is not None and (election_id, candidate_id) not in self.standing:
            return Refusal.UNKNOWN_CANDIDATE
        return None


class Lists:
    def __init__(self, receipts: Receipts, clock: Callable[[], float] = time.monotonic) -> None:
        self._receipts = receipts
        self._clock = clock
        self._listed = Listed()
        self._turn = asyncio.Lock()

    async def listed(self, age_s_max: float = AGE_S_MAX) -> Listed:
        """Not older than that. Raises ServiceError while PostgreSQL is away."""
        if self._clock() - self._listed.read_at_s > age_s_max:
            async with self._turn:
                if self._clock() - self._listed.read_at_s > age_s_max:  # whoever waited for a turn finds what the one before has read
                    self._listed = await self._read()
        return self._listed

    async def _read(self) -> Listed:
        read_at_s = self._clock()
        hours = {one.election_id: one for one in await self._receipts.elections()}
        candidates: dict[str, list[Candidate]] = {}
        for candidate in await self._receipts.candidates():
            candidates.setdefault(candidate.election_id, []).append(candidate)
        standing = frozenset((one.election_id, one.candidate_id) for listed in candidates.values() for one in listed)
        return Listed(read_at_s, hours, {election_id: tuple(listed) for election_id, listed in candidates.items()}, standing)
