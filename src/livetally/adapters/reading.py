"""Reading topics without a group: ranges, tails, and questions to a broker that may just be starting."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from confluent_kafka import OFFSET_END, Consumer, KafkaException, Message, TopicPartition

from livetally.adapters.kafka import ANSWER_TIMEOUT_S, Fault, consumer, fault_of
from livetally.core.errors import ServiceError

T = TypeVar("T")

ASK_AGAIN_S = 0.2
CONSUME_MESSAGES_MAX = 10_000  # `consume(n)` is far cheaper per message than `poll`


@dataclass(frozen=True, slots=True)
class Record:
    """One message, for those who are not allowed to know Kafka's client."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


def record_of(message: Message) -> Record:
    return Record(
        topic=message.topic() or "",
        partition=_known(message.partition()),
        offset=_known(message.offset()),
        timestamp_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=headers_of(message),
    )


def headers_of(message: Message) -> list[tuple[str, bytes | None]]:
    return cast("list[tuple[str, bytes | None]]", message.headers() or [])  # the client's own type allows what it never gives


class Tail:
    """Follows whole topics from their beginning (or end), without a group: for readers that keep their own picture in memory."""

    def __init__(self, bootstrap_servers: str, topics: Sequence[str], *, from_end: bool = False) -> None:
        self._consumer = consumer(bootstrap_servers, config={"enable.partition.eof": True, "auto.offset.reset": "earliest"})
        self._topics = tuple(topics)
        self._from = OFFSET_END if from_end else 0
        self._awaited: set[tuple[str, int]] = set()
        self._assigned = False
        self.fault: str | None = None

    @property
    def caught_up(self) -> bool:
        """Whether the end of every partition has been seen at least once."""
        return self._assigned and not self._awaited

    def read(self, wait_s: float) -> list[Record]:
        """What has come since the last call, waiting up to `wait_s`. While Kafka is away: nothing, and `fault` says why."""
        try:
            if not self._assigned:
                self._assign()
            messages = gather(self._consumer, CONSUME_MESSAGES_MAX, wait_s)
        except KafkaException as error:
            self.fault = str(error.args[0])
            return []
        records = []
        for message in messages:
            if (fault := message.error()) is None:
                records.append(record_of(message))
                self.fault = None
            elif fault_of(fault) is Fault.END_OF_PARTITION:
                self._awaited.discard((message.topic() or "", _known(message.partition())))
                self.fault = None
            else:
                self.fault = fault.str()
        return records

    def close(self) -> None:
        self._consumer.close()

    def _assign(self) -> None:
        partitions = [
            TopicPartition(topic, partition, self._from) for topic in self._topics for partition in partitions_of(self._consumer, topic)
        ]
        self._awaited = {(one.topic, one.partition) for one in partitions}
        self._consumer.assign(partitions)
        self._assigned = True


def gather(client: Consumer, messages_max: int, wait_s: float, linger_s: float = 0.0) -> list[Message]:
    """Up to so many messages: waits `wait_s` for the first and `linger_s` for the rest.

    `consume` alone waits its whole time unless it gets all that it was asked for, at the end of a partition too.
    """
    messages = client.consume(1, wait_s)
    if messages and messages_max > 1:
        messages += client.consume(messages_max - 1, linger_s)
    return messages


def patiently(what: str, ask: Callable[[], T]) -> T:
    """The answer to a request; asked again while the broker is starting, moving or away, then ServiceError.

    A new broker says for its first moments that it coordinates nothing; that is no fault of anybody's.
    """
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    while True:
        try:
            return ask()
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"Kafka does not say {what}: {error.args[0].str()}. Is the broker running (`./livetally status`)?"
                ) from error
            time.sleep(ASK_AGAIN_S)


def partitions_of(client: Consumer, topic: str) -> list[int]:
    """The partitions of a topic that exists, or has just been created."""

    def ask() -> list[int]:
        metadata = client.list_topics(topic, ANSWER_TIMEOUT_S).topics[topic]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        return sorted(metadata.partitions)

    return patiently(f"what topic {topic} consists of", ask)


def ends(client: Consumer, topic: str) -> dict[int, int]:
    """The offset behind the last message that this client may read, per partition."""
    return {partition: bounds(client, topic, partition)[1] for partition in partitions_of(client, topic)}


def bounds(client: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """First offset and offset behind the last one that this client may read."""
    found = patiently(
        f"where {topic}[{partition}] ends", lambda: client.get_watermark_offsets(TopicPartition(topic, partition), ANSWER_TIMEOUT_S)
    )
    if found is None:
        raise ServiceError(f"Kafka did not say within {ANSWER_TIMEOUT_S:.0f} s where {topic}[{partition}] ends. Is the broker running?")
    return found


def read_range(client: Consumer, topic: str, partition: int, first: int, end: int) -> Iterator[Message]:
    """The committed messages of one partition with first <= offset < end, in order; then it is over, whatever comes later."""
    low, high = bounds(client, topic, partition)
    first, end = max(first, low), min(end, high)
    if first >= end:
        return
    client.assign([TopicPartition(topic, partition, first)])
    try:
        while True:
            for message in gather(client, CONSUME_MESSAGES_MAX, 1.0):
                fault = message.error()
                if fault is not None and fault_of(fault) is Fault.END_OF_PARTITION:
                    return
                if fault is not None:
                    raise ServiceError(f"{topic}[{partition}] could not be read between the offsets {first} and {end}: {fault.str()}")
                if _known(message.offset()) >= end:
                    return
                yield message
    finally:
        client.unassign()


def _known(number: int | None) -> int:
    if number is None:
        raise ValueError("Kafka's client gave a message without partition or offset")
    return number
