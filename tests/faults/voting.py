"""The load: ballots at a steady rate, with bursts, from a plain producer. What was cast is remembered under its number."""

import time
from collections.abc import Iterator

from confluent_kafka import KafkaError, Message, Producer

from faults.ballots import Cast
from livetally.core.wire import BALLOTS

PER_S = 150.0
NUMBER = "number"
GIVEN_UP_AFTER_MS = 120_000  # much longer than any service is away


class Voting:
    """Call `go_on` many times a second."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "enable.idempotence": True,
                "message.timeout.ms": GIVEN_UP_AFTER_MS,
                "message.max.bytes": 2_000_000,
                "linger.ms": 2,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        self._coming: Iterator[list[Cast]] = iter(())
        self._since = 0.0
        self._due = 0.0
        self.cast: list[Cast] = []  # by number
        self.refused: list[str] = []

    def begin(self, ballots: Iterator[list[Cast]]) -> None:
        self._coming, self._since, self._due = ballots, time.monotonic(), 0.0

    def go_on(self) -> None:
        now = time.monotonic()
        self._due += (now - self._since) * PER_S
        self._since = now
        while self._due >= 1:
            self._due -= self._cast_next()
        self._producer.poll(0)

    def burst(self, ballots: int) -> None:
        """A backlog, so that batches follow each other without a pause."""
        while ballots > 0:
            ballots -= max(1, self._cast_next())

    def end(self) -> None:
        self._coming = iter(())

    @property
    def is_delivered(self) -> bool:
        return len(self._producer) == 0

    def _cast_next(self) -> int:
        together = next(self._coming, None)
        if together is None:
            return 1
        for cast in together:
            headers: list[tuple[str, str | bytes | None]] = [(NUMBER, str(len(self.cast)))]
            self.cast.append(cast)
            self._producer.produce(BALLOTS, cast.value, cast.key, cast.partition, headers=headers, on_delivery=self._on_delivery)
        return len(together)

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self.refused.append(error.str())
