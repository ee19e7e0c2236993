"""Plain clients that look at Kafka from outside. What our own clients get wrong must not hide itself."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from waiting import WITHIN_S, wait_for


class Seen(NamedTuple):
    """A message as anybody would read it."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]

    @property
    def ballot(self) -> tuple[int, int]:
        return int(self.headers["ballot_partition"]), int(self.headers["ballot_offset"])

    @property
    def fields(self) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(self.value or b"{}"))


def bounds_of(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """Asked again while the topic is so new that nobody leads the partition yet."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        try:
            found = consumer.get_watermark_offsets(TopicPartition(topic, partition), WITHIN_S)
        except KafkaException:
            assert time.monotonic() < deadline, f"{topic}[{partition}] has no leader"
        else:
            assert found is not None
            return found


def plain_consumer(bootstrap_servers: str, isolation: str = "read_committed", group: str = "a stranger") -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "isolation.level": isolation,
            "fetch.wait.max.ms": 20,
            "log_level": 0,
        }
    )


def read_to_end(bootstrap_servers: str, topic: str) -> Iterator[Seen]:
    with closing(plain_consumer(bootstrap_servers)) as consumer:
        waiting = set(consumer.list_topics(topic, 10).topics[topic].partitions)
        await_settled(bootstrap_servers, consumer, topic, waiting)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in waiting])
        deadline = time.monotonic() + WITHIN_S
        while waiting:
            assert time.monotonic() < deadline, f"{topic} has no end"
            message = consumer.poll(1.0)
            if message is None:
                continue
            if (error := message.error()) is None:
                yield seen(message)
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                waiting.discard(message.partition() or 0)


def await_settled(bootstrap_servers: str, consumer: Consumer, topic: str, partitions: set[int]) -> None:
    """A commit is answered a moment before its marks lie in every partition, and only then are its messages to be read."""
    with closing(plain_consumer(bootstrap_servers, "read_uncommitted")) as everything:
        ends = {partition: bounds_of(everything, topic, partition)[1] for partition in partitions}
    for partition, end in ends.items():
        wait_for(lambda at=partition, end=end: bounds_of(consumer, topic, at)[1] >= end, f"no transaction is open on {topic}")  # type: ignore[misc]


def seen(message: Message) -> Seen:
    headers = cast("list[tuple[str, bytes]]", message.headers() or [])
    return Seen(message.partition() or 0, message.offset() or 0, message.timestamp()[1], message.key(), message.value(), dict(headers))
