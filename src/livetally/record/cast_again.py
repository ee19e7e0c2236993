"""Casting rejected ballots again, when what they were rejected for has been mended: a candidate is listed now, a voter registered.

A copy has the bytes, the key and the partition of its ballot, and a header that names it. It is a ballot like any other: *record* decides
it, by the time at which it is appended. So nobody gets a second vote by it, whatever happens here and however often: the ledger takes one
per voter and election, and the verdict on the first ballot stands.

What is cast is what would count now. Every ballot is cast again at most once: if its copy was rejected too, the copy stands in for it
from then on. Copies name their ballots on the topic, where they cannot be lost; so whoever is killed half-way simply begins again.
"""

import re
import threading
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from livetally.adapters.kafka import Consumer, KafkaError, Message, producer, reader
from livetally.adapters.postgres import connect, explained
from livetally.adapters.reading import Record, bounds, headers_of, partitions_of, read_range
from livetally.adapters.rejected import HAS_VOTED, Outlook, Rejection, Rejections, with_ballots
from livetally.adapters.rights import Rights
from livetally.adapters.topics import Topics
from livetally.core.ballots import Ballot, Reason, parse
from livetally.core.errors import DeliveryError, UsageError
from livetally.core.wire import BALLOTS, CAST_AGAIN_FROM, Headers

BATCH = 2_000  # ballots that are asked about, cast and acknowledged together

CASTABLE = (Reason.UNKNOWN_ELECTION, Reason.NOT_OPEN, Reason.UNKNOWN_CANDIDATE, Reason.UNKNOWN_VOTER)
HOPELESS = {
    Reason.MALFORMED: "A malformed ballot stays malformed: it would be cast byte for byte as it was. The voter must cast another one.",
    Reason.ALREADY_VOTED_SAME: "Who has voted has voted: a ballot behind a vote of the same person can never count.",
    Reason.ALREADY_VOTED_OTHER: "Who has voted has voted: a ballot behind a vote of the same person can never count.",
}


@dataclass
class CastAgain:
    """What has been done, and why the rest was not."""

    cast: int = 0
    voted: int = 0  # their voters have a vote in that election by now
    cast_before: int = 0  # there is a copy, which waits for its verdict or was rejected and stands in for them
    missing: int = 0  # the topic has them no more
    refused: Counter[Reason] = field(default_factory=Counter)  # would be rejected again
    is_complete: bool = True

    @property
    def seen(self) -> int:
        return self.cast + self.voted + self.cast_before + self.missing + self.refused.total()


class Casting(NamedTuple):
    """A rejected ballot that may be cast again."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    content: Ballot


def check_hope(reason: Reason) -> None:
    """Raises UsageError if a ballot that was rejected for this reason can never count."""
    if (why_not := HOPELESS.get(reason)) is not None:
        raise UsageError(f"{why_not} Nothing was cast. What can be mended is: {', '.join(CASTABLE)}.")


def cast_again(
    bootstrap_servers: str,
    database_url: str,
    reason: Reason,
    done: CastAgain,
    stop: threading.Event,
    *,
    dry_run: bool = False,
    before_casting: Callable[[Sequence[Casting]], None] = lambda _: None,
    on_progress: Callable[[], None] = lambda: None,
) -> None:
    """Cast again what has been rejected for this reason by now and would count, and say so in `done` as it goes.

    `before_casting` is called with each batch before any of it is cast: what it writes down is written down, whatever happens next.
    """
    check_hope(reason)
    identity = Topics(bootstrap_servers).identity(BALLOTS)
    with (
        closing(connect(database_url, "cast again", Rights.CAST, bounded=False)) as connection,
        closing(connect(database_url, "cast again", Rights.CAST)) as asking,
        explained(database_url),
        closing(reader(bootstrap_servers)) as client,
    ):
        rejections, outlook, caster = Rejections(connection), Outlook(asking), Caster(bootstrap_servers)
        rejections.lock_casting_again()
        # As of one moment: what is rejected while we are at it, our own copies among it, is left for another time.
        with rejections.at_one_moment(identity):
            for partition in partitions_of(client, BALLOTS):
                copied = _copied(client, rejections, partition, reason)
                ballots = with_ballots(client, rejections.in_partition(partition, reason))
                candidates = _not_yet_copied(ballots, copied, done)
                while batch := list(islice(candidates, BATCH)):
                    useful = list(_useful(batch, outlook, done))
                    if useful and not dry_run:
                        before_casting(useful)
                        caster.cast(useful)
                    done.cast += len(useful)
                    on_progress()
                    if stop.is_set():
                        done.is_complete = False
                        return


class Caster:
    """Casts copies, and answers for them: what `cast` has returned from lies on the topic.

    Not in a transaction: the marks of transactions would take offsets among the ballots, where none are expected.
    """

    def __init__(self, bootstrap_servers: str) -> None:
        self._producer = producer(bootstrap_servers)
        self._faults: list[str] = []

    def cast(self, castings: Iterable[Casting]) -> None:
        for casting in castings:
            self._send(casting)
        while self._producer.flush(1.0) and not self._faults:
            pass
        if self._faults:
            raise DeliveryError(
                f"Kafka did not take {len(self._faults)} ballot(s); the first answer was: {self._faults[0]}. "
                "Check that the broker is running (`./livetally status`), then run the command again: it goes on where it stopped."
            )

    def _send(self, casting: Casting) -> None:
        headers: Headers = [(CAST_AGAIN_FROM, b"%d/%d" % (casting.partition, casting.offset))]
        while True:
            try:
                self._producer.produce(
                    BALLOTS, casting.value, casting.key, casting.partition, headers=headers, on_delivery=self._on_delivery
                )
            except BufferError:  # the queue is full: wait until some are delivered
                self._producer.poll(0.1)
            else:
                break

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._faults.append(error.str())


def _copied(client: Consumer, rejections: Rejections, partition: int, reason: Reason) -> "array[int]":
    """The offsets of those ballots of a partition of which a copy has been rejected too, or waits for its verdict; in order.

    Eight bytes each. Copies that count need not be known: their voters have a vote.
    """
    found = array("q")
    for _, copy in with_ballots(client, rejections.later_ones(partition, reason, CASTABLE)):
        if copy is not None and (origin := _origin(copy.headers, partition)) is not None:
            found.append(origin)
    for message in read_range(client, BALLOTS, partition, rejections.next_undecided(partition), bounds(client, BALLOTS, partition)[1]):
        if (origin := _origin(headers_of(message), partition)) is not None:
            found.append(origin)
    return array("q", sorted(found))


def _origin(headers: Iterable[tuple[str, bytes | None]], partition: int) -> int | None:
    """The offset of the ballot that this one is a copy of; None for those that are no copies."""
    named = re.fullmatch(rb"(\d{1,9})/(\d{1,18})", dict(headers).get(CAST_AGAIN_FROM) or b"")
    return int(named[2]) if named and int(named[1]) == partition else None


def _not_yet_copied(ballots: Iterable[tuple[Rejection, Record | None]], copied: "array[int]", done: CastAgain) -> Iterator[Casting]:
    for rejection, ballot in ballots:
        place = bisect_left(copied, rejection.offset)
        if place < len(copied) and copied[place] == rejection.offset:
            done.cast_before += 1
        elif ballot is None:
            done.missing += 1
        elif isinstance(content := parse(ballot.key, ballot.value), Ballot):
            yield Casting(rejection.partition, rejection.offset, ballot.key, ballot.value, content)
        else:  # it could be read when it was decided, by an older version
            done.refused[content.reason] += 1


def _useful(batch: list[Casting], outlook: Outlook, done: CastAgain) -> Iterator[Casting]:
    """Those that would count now, as things stand."""
    for casting, said in zip(batch, outlook.of([casting.content for casting in batch]), strict=True):
        if said is None:
            yield casting
        elif said == HAS_VOTED:
            done.voted += 1
        else:
            done.refused[Reason(said)] += 1
