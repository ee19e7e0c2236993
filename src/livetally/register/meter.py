"""What *register* counts for those who watch it."""

import time
from collections.abc import Callable

from prometheus_client import Counter, Histogram

from livetally.observe.health import ROUND_WITHIN_S
from livetally.observe.meter import STEP_BUCKETS_S, StageMeter


class Meter(StageMeter):
    def __init__(self, round_within_s: float = ROUND_WITHIN_S, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__("register", round_within_s, clock)
        registry = self.registry
        self._stored = Counter("livetally_register_stored_total", "People stored in PostgreSQL", registry=registry)
        self._announced = Counter(
            "livetally_register_announced_total", "People announced on `voters_topic` and acknowledged", registry=registry
        )
        self._seconds = Histogram(
            "livetally_register_batch_seconds",
            "Time of a batch of at most 10,000 people, from making them up or fetching them to storing and sending them",
            buckets=STEP_BUCKETS_S,
            registry=registry,
        )

    def stored(self, people: int) -> None:
        self._stored.inc(people)

    def announced(self, people: int) -> None:
        self._announced.inc(people)

    def took(self, seconds: float) -> None:
        self._seconds.observe(seconds)
