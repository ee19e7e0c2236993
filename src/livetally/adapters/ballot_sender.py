"""Ballots onto `ballots_topic` for a program that serves many at once, and what Kafka says to each.

One thread waits for Kafka's answers and hands them over in batches. It also finds out whether Kafka is there at all, so that nobody has to
wait for a broker of which everybody knows that it is gone.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from livetally.adapters.kafka import KafkaError, KafkaException, Message, Producer, producer
from livetally.core.wire import BALLOTS

POLL_S = 0.1
PROBE_EVERY_S = 0.5  # while Kafka is away
PROBE_S_MAX = 1.0
LINGER_MS = 1  # what belongs together is handed over together already
CLOSES_WITHIN_S = 5.0

log = logging.getLogger(__name__)


class Sent(NamedTuple):
    """What Kafka said. Without a place it has not acknowledged the ballot; it may have it all the same."""

    receipt: str
    place: tuple[int, int] | None


Tell = Callable[[Sequence[Sent]], None]


class Sender:
    """`tell` is called in the sender's own thread."""

    def __init__(self, bootstrap_servers: str, wait_ms: int, tell: Tell) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._wait_ms = wait_ms
        self._tell = tell
        self._answers: list[Sent] = []
        self._suspects = threading.Event()
        self._stop = threading.Event()
        self._is_broken = False
        self._producer = self._new_producer()
        self.is_away = True
        self._probe()  # whoever starts waits for that, so that the first who votes is not refused without need
        self._thread = threading.Thread(target=self._watch, name="ballots", daemon=True)
        self._thread.start()

    def send(self, receipt: str, key: bytes, value: bytes) -> bool:
        """Whether it is on its way; an answer comes in any case, then. False: nothing was sent."""
        try:
            self._producer.produce(BALLOTS, value, key, on_delivery=lambda error, message: self._on_delivery(receipt, error, message))
        except (BufferError, KafkaException) as error:
            log.warning("a ballot could not be handed to the client of Kafka", extra={"why": error})
            self._suspects.set()
            return False
        return True

    def close(self) -> None:
        """Waits for what is on its way; an orderly end loses nothing."""
        self._stop.set()
        self._thread.join()

    def _new_producer(self) -> Producer:
        return producer(
            self._bootstrap_servers,
            config={"message.timeout.ms": self._wait_ms, "linger.ms": LINGER_MS, "error_cb": self._on_error},
        )

    def _watch(self) -> None:
        probe_again_s = 0.0
        while not self._stop.is_set():
            self._producer.poll(POLL_S)
            self._tell_answers()
            if self._is_broken:
                self._begin_anew()
            if (self._suspects.is_set() or self.is_away) and time.monotonic() >= probe_again_s:
                self._suspects.clear()
                self._probe()
                probe_again_s = time.monotonic() + PROBE_EVERY_S
        self._producer.flush(min(CLOSES_WITHIN_S, self._wait_ms / 1000))
        self._tell_answers()

    def _tell_answers(self) -> None:
        if self._answers:
            answers, self._answers = self._answers, []
            self._tell(answers)

    def _probe(self) -> None:
        try:
            self._producer.list_topics(BALLOTS, timeout=PROBE_S_MAX)
            is_away = False
        except KafkaException:
            is_away = True
        if is_away != self.is_away:
            self.is_away = is_away
            log.warning("Kafka is away: no ballots are taken") if is_away else log.info("Kafka answers: ballots are taken")

    def _begin_anew(self) -> None:
        """After an error that ends the client. What it still had is answered for first."""
        log.warning("the client of Kafka is of no use any more; another one takes its place")
        self._is_broken = False
        broken, self._producer = self._producer, self._new_producer()
        broken.purge()
        broken.flush(PROBE_S_MAX)
        self._suspects.set()

    def _on_error(self, error: KafkaError) -> None:
        self._suspects.set()
        self._is_broken = self._is_broken or error.fatal()

    def _on_delivery(self, receipt: str, error: KafkaError | None, message: Message) -> None:
        partition, offset = message.partition(), message.offset()
        if error is None and partition is not None and offset is not None:
            self._answers.append(Sent(receipt, (partition, offset)))
            return
        self._suspects.set()
        self._answers.append(Sent(receipt, None))
