"""Kafka clients with the settings that this pipeline depends on, and what their errors mean.

librdkafka's defaults would lose ballots (`auto.offset.reset=largest`, auto-commit on) and make a
restart after kill -9 take a minute; every client of livetally is made here, so none has them.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from livetally.adapters.access import client_settings
from livetally.core.errors import DeliveryError
from livetally.core.wire import REJECTED_BYTES_MAX

__all__ = [
    "Announcer",
    "Consumer",
    "Fault",
    "KafkaError",
    "KafkaException",
    "Message",
    "Producer",
    "TopicPartition",
    "fault_of",
]

SESSION_TIMEOUT_MS = 6_000  # a killed member holds its partitions this long; the broker allows no less
TRANSACTION_TIMEOUT_MS = 10_000  # a hung transaction holds back every reader this long
SILENT = 0  # what goes wrong reaches us as a value; librdkafka would print every attempt to connect to standard error as well
ANSWER_TIMEOUT_S = 15.0  # for a request that a living broker answers in milliseconds
DELIVERY_TIMEOUT_MS = 60_000  # a stage that cannot deliver for so long says so instead of filling memory


class Fault(Enum):
    """What to do about an error of Kafka."""

    END_OF_PARTITION = "nothing more to read here just now"
    RETRIABLE = "the same call may succeed later"
    ABORTABLE = "the transaction must be aborted; the producer lives on"
    FATAL = "the client is of no use any more"


def fault_of(error: KafkaError) -> Fault:
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 (the client names its own codes with an underscore)
        return Fault.END_OF_PARTITION
    if error.fatal():
        return Fault.FATAL
    if error.txn_requires_abort():
        return Fault.ABORTABLE
    return Fault.RETRIABLE if error.retriable() else Fault.FATAL


def consumer(bootstrap_servers: str, group: str | None = None, config: Mapping[str, Any] | None = None) -> Consumer:
    """A consumer that reads committed messages, stores and commits nothing by itself, and never guesses where to begin."""
    return Consumer(
        {
            **client_settings(bootstrap_servers),
            "group.id": group or "livetally-without-group",  # required even where no group is used; nothing is ever committed to it
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "session.timeout.ms": SESSION_TIMEOUT_MS,
            "heartbeat.interval.ms": SESSION_TIMEOUT_MS // 4,
            "fetch.wait.max.ms": 50,
            "fetch.queue.backoff.ms": 20,
            "queued.max.messages.kbytes": 64 * 1024,
            "reconnect.backoff.max.ms": 2_000,
            "log_level": SILENT,
            **(config or {}),
        }
    )


def producer(bootstrap_servers: str, transactional_id: str | None = None, config: Mapping[str, Any] | None = None) -> Producer:
    """An idempotent producer that waits for all replicas; with an id, a transactional one."""
    transactional = {"transactional.id": transactional_id, "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS} if transactional_id else {}
    return Producer(
        {
            **client_settings(bootstrap_servers),
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 5,
            "batch.num.messages": 10_000,
            "batch.size": 512 * 1024,
            "compression.type": "none",  # gzip would cost more than it saves on one machine; the reference's client knows no other
            "queue.buffering.max.messages": 200_000,
            "message.max.bytes": REJECTED_BYTES_MAX,
            "message.timeout.ms": min(DELIVERY_TIMEOUT_MS, TRANSACTION_TIMEOUT_MS if transactional_id else DELIVERY_TIMEOUT_MS),
            "reconnect.backoff.max.ms": 2_000,
            "log_level": SILENT,
            **transactional,
            **(config or {}),
        }
    )


def reader(bootstrap_servers: str) -> Consumer:
    """A consumer for `reading.read_range`; its owner closes it."""
    return consumer(bootstrap_servers, config={"enable.partition.eof": True})


class Announcer:
    """Produces messages and answers for their delivery: `flush` returns only when every one was acknowledged."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._producer = producer(bootstrap_servers, config={"delivery.report.only.error": True})
        self._failures: list[str] = []

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=self._on_delivery)
            except BufferError:  # the queue is full: wait until some are delivered
                self._producer.poll(0.1)
            else:
                break

    def flush(self) -> None:
        """Wait until everything sent is acknowledged. Raises DeliveryError if anything was not."""
        while self._producer.flush(1.0) and not self._failures:
            pass
        if self._failures:
            raise DeliveryError(
                f"Kafka did not take {len(self._failures)} message(s); the first answer was: {self._failures[0]}. "
                "Check that the broker is running (`./livetally status`), then run the command again: it goes on where it stopped."
            )

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failures.append(f"{error.str()} (topic {message.topic()})")
