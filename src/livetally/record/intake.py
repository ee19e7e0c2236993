"""Reading ballots as a member of the group of recorders; where to begin is read from the end of the output."""

import logging
import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from livetally.adapters.kafka import Consumer, Fault, KafkaException, Message, TopicPartition, consumer, fault_of
from livetally.adapters.outcomes import Outcomes
from livetally.adapters.reading import bounds, gather
from livetally.core.ballots import parse
from livetally.core.errors import LedgerError, ServiceError
from livetally.core.verdicts import Cast
from livetally.core.wire import BALLOTS
from livetally.record.meter import Meter, Retry

GROUP = "livetally-record"
# A batch adapts to the load, it does not wait to be full: the broker answers after so long, or as soon as there is so much. A batch of a few
# ballots costs as much as one of hundreds. With shorter waits two cores were busy with the batches' own cost, and every vote came later.
GATHER_MS = 30
GATHER_BYTES = 100_000
LINGER_S = 0.002  # for the answers about other partitions, when one has come
AHEAD_MIN = 20_000  # ballots that the client keeps ready at least, in each partition: two batches. Each is some 600 bytes of memory
TELL_EVERY_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """Ballots consumed together, in the order of partition and offset."""

    casts: Sequence[Cast]
    messages: Sequence[Message]  # the same ballots, as they came
    begins: Mapping[int, int]  # per partition, up to where it had been read before

    def shares(self) -> Iterator[tuple[int, range]]:
        """Each partition, and which of the ballots are its."""
        partitions = sorted(self.begins)
        firsts = [bisect_left(self.casts, partition, key=attrgetter("partition")) for partition in partitions]
        for partition, first, end in zip(partitions, firsts, [*firsts[1:], len(self.casts)], strict=True):
            yield partition, range(first, end)

    def end(self, numbers: range) -> int:
        return self.casts[numbers[-1]].offset + 1


class Intake:
    """One member of the group. Not for use by several threads."""

    def __init__(
        self,
        bootstrap_servers: str,
        outcomes: Outcomes,
        decided: Callable[[], Mapping[int, int]],
        settle: Callable[[], None],
        hold: Callable[[Collection[int]], None],
        meter: Meter,
    ) -> None:
        """`decided` asks the ledger how far it is in each partition; `settle` waits until no batch is under way any more;
        `hold` makes sure that from now on nobody else publishes for these partitions."""
        self._outcomes = outcomes
        self._decided = decided
        self._settle = settle
        self._hold = hold
        self._meter = meter
        self._rebalances = 0
        self._published: dict[int, int] = {}
        self._told: dict[int, int] = {}
        self._told_s = 0.0
        self._fault: Exception | None = None
        self._positions: dict[int, int] = {}
        fetching = {"fetch.wait.max.ms": GATHER_MS, "fetch.min.bytes": GATHER_BYTES, "queued.min.messages": AHEAD_MIN}
        self._consumer: Consumer = consumer(bootstrap_servers, GROUP, fetching)
        self._consumer.subscribe([BALLOTS], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke)

    def take(self, ballots_max: int, wait_s: float) -> Batch | None:
        """The next ballots; None if none came, or if partitions moved meanwhile (then their batch is dropped and read again)."""
        rebalances = self._rebalances
        messages = self._consume(ballots_max, wait_s)
        if self._rebalances != rebalances:
            if messages:
                self._meter.retried(Retry.MOVED)
                self.rewind()
            return None
        return self._batch(messages) if messages else None

    def _batch(self, messages: Sequence[Message]) -> Batch:
        read = sorted((read_ballot(message), number) for number, message in enumerate(messages))
        casts = [cast for cast, _ in read]
        ends = {cast.partition: cast.offset + 1 for cast in casts}
        begins = {partition: self._positions[partition] for partition in ends}
        self._positions |= ends
        for partition, end in self._positions.items():
            self._meter.lag(partition, max(0, self._known_end(partition) - end))
        return Batch(casts, [messages[number] for _, number in read], begins)

    def _known_end(self, partition: int) -> int:
        """The partition's end as the client has heard of it last; nobody is asked."""
        _, end = self._consumer.get_watermark_offsets(TopicPartition(BALLOTS, partition), cached=True)
        return end

    def rewind(self) -> None:
        """Go back to the first ballot without a published outcome, in every partition of ours. Nothing may be under way."""
        for start in self._starts(list(self._positions)):
            self._consumer.seek(start)
            self._positions[start.partition] = start.offset

    def published(self, partition: int, end: int) -> None:
        """To be told by `tell`. May be called by another thread."""
        self._published[partition] = end

    @property
    def has_news(self) -> bool:
        return self._published != self._told

    @property
    def is_time_to_tell(self) -> bool:
        return self.has_news and time.monotonic() > self._told_s + TELL_EVERY_S

    def tell(self) -> None:
        """Tell the group how far its partitions are published, for those who look at its lag from outside.

        Nobody of ours relies on it, and the next time says more. So whether it arrives is not waited for.
        """
        self._told, self._told_s = dict(self._published), time.monotonic()
        self._consumer.commit(offsets=[TopicPartition(BALLOTS, partition, end) for partition, end in self._told.items()], asynchronous=True)

    def close(self) -> None:
        """Leave the group, so that others take the partitions over at once."""
        self._consumer.close()

    def _consume(self, ballots_max: int, wait_s: float) -> list[Message]:
        try:
            messages = gather(self._consumer, ballots_max, wait_s, LINGER_S)
        except KafkaException as error:
            raise ServiceError(f"The ballots cannot be read: {error.args[0].str()}") from error
        if self._fault is not None:
            raise self._fault
        for message in messages:
            if (fault := message.error()) is not None:
                if fault_of(fault) is not Fault.RETRIABLE:
                    raise ServiceError(f"The ballots cannot be read: {fault.str()}")
                log.warning("reading ballots; trying again", extra={"why": fault.str()})
        return [message for message in messages if message.error() is None]

    def _on_assign(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        self._rebalances += 1
        numbers = [one.partition for one in partitions]
        try:
            self._hold(numbers)
            starts = self._starts(numbers)
        except (LedgerError, ServiceError, KafkaException) as error:
            self._fault = error if not isinstance(error, KafkaException) else ServiceError(str(error.args[0]))
            client.assign([])  # nothing is read until somebody has looked; the fault is raised by the call that brought us here
            return
        self._positions = {one.partition: one.offset for one in starts}
        self._published = dict(self._positions)  # whoever had them before may not have told the group all that it published
        client.assign(starts)
        self._meter.rebalanced()
        self._meter.ready()

    def _on_revoke(self, client: Consumer, _partitions: list[TopicPartition]) -> None:
        """What is under way may still be published, as long as we are a member; then the partitions go."""
        self._rebalances += 1
        self._settle()
        self._positions = {}
        self._published, self._told = {}, {}
        client.unassign()

    def _starts(self, partitions: Sequence[int]) -> list[TopicPartition]:
        return [TopicPartition(BALLOTS, partition, self._start(partition)) for partition in partitions]

    def _start(self, partition: int) -> int:
        start = self._outcomes.next_ballot(partition)
        low, high = bounds(self._consumer, BALLOTS, partition)
        decided = self._decided().get(partition, 0)
        if start < low:
            raise LedgerError(
                f"{BALLOTS}[{partition}] begins at offset {low}, but the ballots from {start} on have not been decided: they were deleted. "
                "Going on would count without them. Restore the topic; its retention must be without limit."
            )
        if high < decided:
            raise LedgerError(
                f"The ledger has decided {decided} ballots of {BALLOTS}[{partition}], which holds only {high}: these are not the ballots that filled it. "
                "Restore the topic, or start over with `./livetally run --fresh`."
            )
        if decided < start:
            raise LedgerError(
                f"Outcomes are published up to ballot {start} of {BALLOTS}[{partition}], but the ledger has decided only {decided}: it lost some. "
                "`./livetally rebuild ledger` makes it again from the ballots."
            )
        return start


def read_ballot(message: Message) -> Cast:
    """A message as a ballot or as malformed; no input raises. The time is the broker's, not the voter's."""
    return Cast(message.partition() or 0, message.offset() or 0, message.timestamp()[1], parse(message.key(), message.value()))
