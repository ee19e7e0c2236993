"""What the API knows about its work, for those who watch."""

import time
from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram

from livetally.observe.health import ROUND_WITHIN_S
from livetally.observe.meter import STEP_BUCKETS_S, StageMeter


class Meter(StageMeter):
    def __init__(self, round_within_s: float = ROUND_WITHIN_S, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__("api", round_within_s, clock)
        self._requests = Counter(
            "livetally_api_requests_total",
            "Requests answered, by status; 0 where whoever asked went away before",
            ["status"],
            registry=self.registry,
        )
        self._requests.labels("200")  # a rate needs the 0 that it begins with
        self._seconds = Histogram(
            "livetally_api_request_seconds", "Time until an answer begins", buckets=STEP_BUCKETS_S, registry=self.registry
        )
        self._listeners = Gauge("livetally_api_listeners", "Streams of results that are open", registry=self.registry)

    def answered(self, status: int, seconds: float) -> None:
        self._requests.labels(str(status)).inc()
        self._seconds.observe(seconds)

    def watches(self, listeners: Callable[[], int]) -> None:
        """Asked whenever somebody looks."""
        self._listeners.set_function(lambda: float(listeners()))
