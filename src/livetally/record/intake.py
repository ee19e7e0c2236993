"""Reading ballots as a member of the group of recorders; where to begin is read from the end of the output."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livetally.adapters.kafka import Consumer, Fault, KafkaException, Message, TopicPartition, consumer, fault_of
from livetally.adapters.outcomes import Outcomes
from livetally.adapters.reading import bounds, gather
from livetally.core.errors import LedgerError, ServiceError
from livetally.core.wire import BALLOTS

GROUP = "livetally-record"
GATHER_S = 0.01  # how long a batch that has begun waits for more: a batch adapts to the load, it does not wait to be full

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """Ballots consumed together, in the order of partition and offset, and the membership that they were consumed under."""

    messages: Sequence[Message]
    membership: Any  # the client's own object; captured before the consume and never refreshed

    def next_offsets(self) -> list[TopicPartition]:
        ends: dict[int, int] = {}
        for message in self.messages:
            partition, offset = message.partition(), message.offset()
            if partition is not None and offset is not None:
                ends[partition] = offset + 1
        return [TopicPartition(BALLOTS, partition, end) for partition, end in sorted(ends.items())]


class Intake:
    """One member of the group. Not for use by several threads."""

    def __init__(self, bootstrap_servers: str, outcomes: Outcomes, decided: Callable[[], Mapping[int, int]]) -> None:
        """`decided` asks the ledger how far it is in each partition; the ballots must reach at least as far."""
        self._outcomes = outcomes
        self._decided = decided
        self._rebalances = 0
        self._fault: Exception | None = None
        self.partitions: list[int] = []
        self._consumer: Consumer = consumer(bootstrap_servers, GROUP)
        self._consumer.subscribe([BALLOTS], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke)

    def take(self, ballots_max: int, wait_s: float) -> Batch | None:
        """The next ballots; None if none came, or if partitions moved meanwhile (then their batch is dropped and read again)."""
        membership = self._consumer.consumer_group_metadata()
        rebalances = self._rebalances
        messages = self._consume(ballots_max, wait_s)
        if self._rebalances != rebalances:
            if messages:
                self.rewind()
            return None
        return Batch(sorted(messages, key=_place), membership) if messages else None

    def rewind(self) -> None:
        """Go back to the first ballot without a published outcome, in every partition of ours."""
        for start in self._starts(self.partitions):
            self._consumer.seek(start)

    def close(self) -> None:
        """Leave the group, so that others take the partitions over at once."""
        self._consumer.close()

    def _consume(self, ballots_max: int, wait_s: float) -> list[Message]:
        try:
            messages = gather(self._consumer, ballots_max, wait_s, GATHER_S)
        except KafkaException as error:
            raise ServiceError(f"The ballots cannot be read: {error.args[0].str()}") from error
        if self._fault is not None:
            raise self._fault
        for message in messages:
            if (fault := message.error()) is not None:
                if fault_of(fault) is not Fault.RETRIABLE:
                    raise ServiceError(f"The ballots cannot be read: {fault.str()}")
                log.warning("reading ballots: %s; trying again", fault.str())
        return [message for message in messages if message.error() is None]

    def _on_assign(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        self._rebalances += 1
        try:
            starts = self._starts([one.partition for one in partitions])
        except (LedgerError, ServiceError, KafkaException) as error:
            self._fault = error if not isinstance(error, KafkaException) else ServiceError(str(error.args[0]))
            client.assign([])  # nothing is read until somebody has looked; the fault is raised by the call that brought us here
            return
        self.partitions = [one.partition for one in partitions]
        client.assign(starts)

    def _on_revoke(self, client: Consumer, _partitions: list[TopicPartition]) -> None:
        self._rebalances += 1
        self.partitions = []
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


def _place(message: Message) -> tuple[int, int]:
    return message.partition() or 0, message.offset() or 0
