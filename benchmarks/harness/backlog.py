"""Ballots, made with *cast*'s own code, three in a hundred of them bad, and the plain count of what must become of them.

Everybody votes, in the order of registration, as the simulated electorate does; those who would stay at home are asked
again as people of another seed. The good ballots are the votes of the people numbered 0, 1, 2, …, so how many votes there must be
is known before anything is recorded.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from harness.electorate import Contest
from harness.saying import progress
from livetally.adapters.kafka import Announcer
from livetally.cast.choice import choose
from livetally.cast.simulate import BATCH_VOTERS_MAX
from livetally.core.ballots import Reason
from livetally.core.elections import Voter
from livetally.core.wire import BALLOTS, ballot_message
from livetally.register.people import people

BLOCK = 100
BAD_PER_BLOCK = 3
BAD = (Reason.MALFORMED, Reason.UNKNOWN_CANDIDATE, Reason.UNKNOWN_VOTER, Reason.ALREADY_VOTED_SAME, Reason.ALREADY_VOTED_OTHER)
REMEMBERED = 10_000  # people who have voted, of all ages of the backlog, and may try it again
NOBODY = "nobody"  # a candidate who does not stand

Raw = tuple[bytes, bytes]  # key and value


@dataclass
class Backlog:
    """The ballots of one benchmark, cast in portions; `votes` and `rejected` are what must come of those cast so far."""

    contest: Contest
    voters: int  # who are registered by the end
    votes: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = Random(f"livetally bench {self.contest.seed}")
        self._people = people(self.contest.seed, 0, self.voters)
        self._plan = self._kinds()
        self._voted: list[tuple[str, str]] = []
        self._last = ("", "")
        self._bad = 0
        self._mutilations = itertools.cycle((_truncated, _without_candidate, _keyed_as_another))

    @property
    def ballots(self) -> int:
        return self.votes + self._bad

    def cast(self, bootstrap_servers: str, *, ballots: int = 0, votes: int = 0) -> None:
        """Cast until there are at least so many ballots, and so many votes must come of them; returns when all are acknowledged."""
        announcer = Announcer(bootstrap_servers)
        tell = progress("cast", max(ballots, votes))
        cast, now = 0, datetime.now(UTC)
        while self.ballots < ballots or self.votes < votes:
            announcer.send(BALLOTS, *self._next(now))
            cast += 1
            if cast % BATCH_VOTERS_MAX == 0:
                now = datetime.now(UTC)
                tell(self.ballots)
        announcer.flush()

    def good(self, count: int) -> list[tuple[str, str]]:
        """The next people and their choices, who will cast their ballots elsewhere, and are counted as if they had."""
        self.votes += count
        return [(voter.voter_id, choice(self.contest, voter)) for voter in itertools.islice(self._people, count)]

    def _next(self, now: datetime) -> Raw:
        reason = next(self._plan)
        if reason is None:
            self.votes += 1
            voter = next(self._people)
            return self._ballot(*self._remember(voter.voter_id, choice(self.contest, voter)), now)
        self.rejected[reason] += 1
        self._bad += 1
        voter_id, candidate_id = self._somebody_who_has_voted()
        match reason:
            case Reason.MALFORMED:
                return next(self._mutilations)(*self._ballot(voter_id, candidate_id, now))
            case Reason.UNKNOWN_CANDIDATE:
                return self._ballot(voter_id, NOBODY, now)
            case Reason.UNKNOWN_VOTER:
                return self._ballot(str(UUID(int=self._random.getrandbits(128), version=4)), candidate_id, now)
            case Reason.ALREADY_VOTED_SAME:
                return self._ballot(voter_id, candidate_id, now)
            case _:
                others = [one for one in self.contest.candidate_ids if one != candidate_id]
                return self._ballot(voter_id, self._random.choice(others), now)

    def _kinds(self) -> Iterator[Reason | None]:
        """None for a good one. The first of a block is always good, so that there is somebody who has voted."""
        bad = itertools.cycle(BAD)
        while True:
            places = set(self._random.sample(range(1, BLOCK), BAD_PER_BLOCK))
            for place in range(BLOCK):
                yield next(bad) if place in places else None

    def _remember(self, voter_id: str, candidate_id: str) -> tuple[str, str]:
        self._last = (voter_id, candidate_id)
        if len(self._voted) < REMEMBERED:
            self._voted.append(self._last)
        else:
            self._voted[int(self._random.random() * REMEMBERED)] = self._last
        return self._last

    def _somebody_who_has_voted(self) -> tuple[str, str]:
        """Half of them a moment ago, the others at any time before."""
        return self._last if self._random.random() < 0.5 else self._random.choice(self._voted)  # noqa: PLR2004 (half)

    def _ballot(self, voter_id: str, candidate_id: str, now: datetime) -> Raw:
        return voter_id.encode(), ballot_message(self.contest.election.election_id, voter_id, candidate_id, now)


def choice(contest: Contest, voter: Voter) -> str:
    """The candidate this person votes for, as somebody of another seed if not of the election's own."""
    election = contest.election
    day = (election.opens_at or datetime.now(UTC)).date().isoformat()
    for seed in itertools.count(contest.seed):
        chosen = choose(seed, election.election_id, contest.candidate_ids, voter.voter_id, voter.address_state, voter.date_of_birth, day)
        if chosen is not None:
            return chosen
    raise AssertionError("itertools.count ends never")


def _truncated(key: bytes, value: bytes) -> Raw:
    return key, value[: len(value) // 2]


def _without_candidate(key: bytes, value: bytes) -> Raw:
    return key, value.replace(b'"candidate_id"', b'"candidate"')


def _keyed_as_another(_key: bytes, value: bytes) -> Raw:
    return b"somebody else", value
