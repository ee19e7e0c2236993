"""Publishing the verdicts of a batch: for each of its partitions one Kafka transaction, all or nothing.

Whoever records a partition publishes under the partition's name. A newcomer fences whoever did before, ends what that one left open,
and only then looks where the output ends: so what is behind that end has been published by nobody, and never will be by anybody else.
"""

import logging
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor

from livetally.adapters.kafka import Fault, KafkaException, Producer, fault_of
from livetally.adapters.publisher import GIVE_UP_S, Outgoing, produce, transactional
from livetally.core.verdicts import Counted
from livetally.core.wire import REJECTED, VOTES, ms_text, outcome_headers, rejection_headers, vote_message
from livetally.record.decide import Decided
from livetally.record.meter import Meter, Retry
from livetally.record.points import Point, Reached

# The broker needs some 2 ms after a commit to write the marks that end it. Who begins the next transaction sooner is sent away, and the
# client comes back only after 20 ms.
MARKS_S = 0.004
SIDE_BY_SIDE_MAX = 8  # transactions that are ended at the same time

log = logging.getLogger(__name__)


class Publisher:
    """The transactional producers of one recorder, one for each partition that it holds."""

    def __init__(self, bootstrap_servers: str, reached: Reached, meter: Meter) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._reached = reached
        self._meter = meter
        self._producers: dict[int, Producer] = {}
        self._ended_s = 0.0
        self._side_by_side = ThreadPoolExecutor(SIDE_BY_SIDE_MAX, "publish")

    def hold(self, partitions: Collection[int]) -> None:
        """Be the one who publishes for these partitions, and no others. Nothing may be under way."""
        self._producers = {partition: one for partition, one in self._producers.items() if partition in partitions}
        missing = [partition for partition in partitions if partition not in self._producers]
        if missing:
            self._producers |= zip(missing, self._side_by_side.map(self._fresh, missing), strict=True)

    def publish(self, decided: Decided) -> set[int]:
        """Publish the verdicts of a batch, each partition's in its order.

        Returns the partitions whose verdicts are published for sure. If one is missing: rewind.
        """
        if (early_s := self._ended_s + MARKS_S - time.monotonic()) > 0:
            time.sleep(early_s)  # see MARKS_S: to be sent away would cost five times as much
        self._reached(Point.BEFORE_FIRST_PUBLISH)
        begun = [partition for partition, numbers in decided.batch.shares() if self._begin(partition, _outcomes(decided, numbers))]
        # Each commit is some waits for the broker; one after the other they would be most of a small batch's time.
        done = {partition for partition, is_done in zip(begun, self._side_by_side.map(self._end, begun), strict=True) if is_done}
        self._ended_s = time.monotonic()
        return done

    def close(self) -> None:
        self._side_by_side.shutdown()

    def end_hanging(self, partition: int) -> None:
        """End what an earlier producer of this partition left open, and the broker has forgotten to end.

        Kafka 4 does not write the mark that ends a transaction where a partition has no leader yet, as just after a broker was killed,
        and never comes back to it (“likely deleted already and hence can be skipped”). Every reader would wait for ever. The mark that
        ends an empty transaction of the same name ends that one too: as aborted, so its ballots are read and published again.
        """
        log.warning("a transaction hangs; ending it", extra={"partition": partition})
        self._producers[partition] = self._fresh(partition)  # another recorder may have tried it meanwhile, and have fenced ours
        nothing = (Outgoing(topic, None, b"", partition) for topic in (VOTES, REJECTED))  # aborted, so nobody ever reads it
        if self._begin(partition, nothing) and self._deliver(partition):
            try:
                self._producers[partition].abort_transaction(GIVE_UP_S)
            except KafkaException as error:
                self._recover(partition, error)

    def _fresh(self, partition: int) -> Producer:
        return transactional(self._bootstrap_servers, transactional_id(partition))

    def _begin(self, partition: int, outcomes: Iterator[Outgoing]) -> bool:
        try:
            self._producers[partition].begin_transaction()
            produce(self._producers[partition], outcomes)
        except KafkaException as error:
            self._recover(partition, error)
            return False
        return True

    def _deliver(self, partition: int) -> bool:
        """All of it on the broker. What could not be delivered is told by the commit: messages give up after a time of their own.

        A client that was fenced sometimes keeps some nevertheless, and would wait for them for ever.
        """
        try:
            left = self._producers[partition].flush(GIVE_UP_S)
        except KafkaException as error:
            self._recover(partition, error)
            return False
        if left:
            self._renew(partition, f"{left} of its messages were neither delivered nor refused within {GIVE_UP_S:.0f} s")
        return not left

    def _end(self, partition: int) -> bool:
        if not self._deliver(partition):
            return False
        self._reached(Point.AFTER_FIRST_PUBLISH)
        self._reached(Point.BEFORE_TRANSACTION_COMMIT)
        try:
            self._producers[partition].commit_transaction(GIVE_UP_S)
        except KafkaException as error:
            self._recover(partition, error)
            return False
        self._reached(Point.AFTER_TRANSACTION_COMMIT)
        return True

    def _recover(self, partition: int, error: KafkaException) -> None:
        """Abort if that is certain to end the transaction; in every other case nobody knows, and a new producer fences the old one."""
        why = error.args[0].str()
        if fault_of(error.args[0]) is Fault.ABORTABLE:
            try:
                self._producers[partition].abort_transaction(GIVE_UP_S)
            except KafkaException as second:
                why = f"{why}; it could not be aborted: {second.args[0].str()}"
            else:
                log.warning("a batch was not published and is taken again", extra={"partition": partition, "why": why})
                self._meter.retried(Retry.NOT_PUBLISHED)
                return
        self._renew(partition, why)

    def _renew(self, partition: int, why: str) -> None:
        log.warning("whether a batch was published is unknown; renewing the producer", extra={"partition": partition, "why": why})
        self._meter.retried(Retry.UNKNOWN_OUTCOME)
        self._reached(Point.BEFORE_PRODUCER_RENEWED)
        self._producers[partition] = self._fresh(partition)
        self._meter.producer_renewed()
        self._reached(Point.AFTER_PRODUCER_RENEWED)


def transactional_id(partition: int) -> str:
    """Whoever comes with the same name fences whoever came before."""
    return f"livetally-record-partition-{partition}"


def _outcomes(decided: Decided, numbers: range) -> Iterator[Outgoing]:
    batch, parts = decided.batch, decided.parts
    for number in numbers:
        partition, offset, appended_ms, _ = batch.casts[number]
        verdict = decided.verdicts[number]
        time = ms_text(appended_ms)
        if isinstance(verdict, Counted):
            (_, voter_id, candidate_id), announcement = verdict
            value = vote_message(announcement, parts[candidate_id], time)
            yield Outgoing(VOTES, voter_id.encode(), value, partition, outcome_headers(partition, offset))
        else:
            message = batch.messages[number]
            headers = rejection_headers(verdict.reason, verdict.detail, partition, offset, time)
            yield Outgoing(REJECTED, message.key(), message.value(), partition, headers)
