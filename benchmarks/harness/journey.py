"""The way of every single ballot: when it was cast, when its vote could be read, when the announced total of its candidate had it in it.

Which batch of *tally* has counted a vote is known for sure: the vote lies at a partition and an offset, and PostgreSQL says, in the
transaction that counts a batch, up to which offsets it has read. So a ballot has arrived when a message about its candidate has been
read that carries the version of that batch, or a newer one. A batch whose offsets were overwritten before we looked is taken for the one
behind it: that makes a delay longer, never shorter. And the totals of the messages prove it: a message of a batch must say exactly as
many votes as lie below the offsets of that batch.
"""

import time
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Self

import psycopg

from harness.database import owner
from livetally.adapters.kafka import Message, TopicPartition, consumer
from livetally.adapters.reading import gather, partitions_of
from livetally.core.errors import ServiceError
from livetally.core.wire import PER_CANDIDATE, VOTES, decode

AT_ONCE = 10_000
WAIT_S = 0.01
ASK_EVERY_S = 0.02  # costs PostgreSQL some 0.2 ms; batches are further apart than that

COUNTED = """
SELECT g.generation, g.batch, p.votes_partition, p.next_offset
FROM tally_generations g JOIN tally_positions p USING (generation)
WHERE g.state = 'shown'
"""


class Vote(NamedTuple):
    """A vote on its topic."""

    partition: int
    offset: int
    candidate_id: str
    read_ns: int


class Batch(NamedTuple):
    """Up to which offsets a batch has counted, and when PostgreSQL was seen to have it."""

    number: int
    ends: Mapping[int, int]
    seen_ns: int


class Total(NamedTuple):
    """A message about a candidate."""

    batch: int
    votes: int
    read_ns: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a ballot's vote could be read, was stored in the tally's tables (as far as we looked), and was in an announced total."""

    vote_ns: int
    stored_ns: int
    announced_ns: int


class Journey:
    """Follows both topics from their beginning, and the tally's position. Everything in one thread; all times are of one monotonic clock."""

    def __init__(self, bootstrap_servers: str, database_url: str) -> None:
        self._client = consumer(bootstrap_servers)
        self._database = owner(database_url)
        self._votes: dict[str, Vote] = {}
        self._batches: list[Batch] = []
        self._totals: dict[str, list[Total]] = defaultdict(list)
        self._generations: set[int] = set()
        self._ask_again_s = 0.0

    def __enter__(self) -> Self:
        self._connection: psycopg.Connection[tuple[Any, ...]] = self._database.__enter__()
        self._client.assign(
            [TopicPartition(topic, one, 0) for topic in (VOTES, PER_CANDIDATE) for one in partitions_of(self._client, topic)]
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with closing(self._client):
            self._database.__exit__(kind, error, trace)

    @property
    def announced(self) -> Counter[str]:
        """The newest total of each candidate."""
        return Counter({candidate_id: totals[-1].votes for candidate_id, totals in self._totals.items()})

    @property
    def batches(self) -> int:
        """Batches that we have seen in PostgreSQL."""
        return len(self._batches)

    @property
    def batches_missed(self) -> int:
        """Batches whose offsets we have never seen, from the first that we did see."""
        return self._batches[-1].number - self._batches[0].number + 1 - len(self._batches) if self._batches else 0

    def look(self) -> None:
        """Take in what has come; waits a moment for something."""
        messages = gather(self._client, AT_ONCE, WAIT_S)
        now_ns = time.monotonic_ns()
        for message in messages:
            if message.error() is not None:
                raise ServiceError(f"votes or totals cannot be read: {message.error()}")
            self._take(message, now_ns)
        if time.monotonic() >= self._ask_again_s:
            self._ask_again_s = time.monotonic() + ASK_EVERY_S
            self.ask()

    def ask(self) -> None:
        """How far the tally has counted."""
        rows = self._connection.execute(COUNTED).fetchall()
        if not rows or (self._batches and rows[0][1] == self._batches[-1].number):
            return
        self._note_generation(rows[0][0])
        self._batches.append(Batch(rows[0][1], {partition: end for _, _, partition, end in rows}, time.monotonic_ns()))

    def arrival(self, voter_id: str) -> Arrival:
        """Of a ballot that is in an announced total by now."""
        vote = self._votes[voter_id]
        batch = self._batches[bisect_right(self._batches, vote.offset, key=lambda batch: batch.ends.get(vote.partition, 0))]
        totals = self._totals[vote.candidate_id]
        behind = bisect_left(totals, batch.number, key=lambda total: total.batch)
        total = totals[min(behind, len(totals) - 1)]  # the newest one has all ballots in it, whatever the number of its batch
        return Arrival(vote.read_ns, min(batch.seen_ns, total.read_ns), total.read_ns)

    def faults(self) -> list[str]:
        """Messages whose total is not the number of votes that lie below the offsets of their batch."""
        offsets: dict[tuple[str, int], list[int]] = defaultdict(list)
        for vote in self._votes.values():  # in the order of their offsets: so they were read
            offsets[vote.candidate_id, vote.partition].append(vote.offset)
        ends_of = {batch.number: batch.ends for batch in self._batches}
        wrong = [
            f"batch {total.batch} announces {total.votes:,} votes for {candidate_id}, and has counted {there_are:,}"
            for candidate_id, totals in self._totals.items()
            for total in totals
            if total.batch in ends_of
            and (there_are := sum(bisect_left(offsets[candidate_id, one], end) for one, end in ends_of[total.batch].items())) != total.votes
        ]
        return wrong[:3] + ([f"{len(wrong):,} announced totals are wrong"] if wrong else [])

    def _take(self, message: Message, now_ns: int) -> None:
        said = decode(message.value() or b"")
        if message.topic() == VOTES:
            vote = Vote(message.partition() or 0, message.offset() or 0, said["candidate_id"], now_ns)
            self._votes[said["voter_id"]] = vote
        else:
            generation, batch = said["version"]
            self._note_generation(generation)
            self._totals[said["candidate_id"]].append(Total(batch, said["total_votes"], now_ns))

    def _note_generation(self, generation: int) -> None:
        self._generations.add(generation)
        if len(self._generations) > 1:
            raise ServiceError("tally has begun to count anew in the middle of the measurement; its log says why.")
