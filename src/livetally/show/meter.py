"""What the process that looks after the page knows about it, for those who watch."""

import time
from collections.abc import Callable

from prometheus_client import Gauge

from livetally.observe.health import ROUND_WITHIN_S
from livetally.observe.meter import StageMeter


class Meter(StageMeter):
    def __init__(self, round_within_s: float = ROUND_WITHIN_S, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__("dashboard", round_within_s, clock)
        self._running = Gauge("livetally_dashboard_page_running", "1 while the page's own process lives", registry=self.registry)
        self._answers = Gauge("livetally_dashboard_page_answers", "1 while the page answers a request", registry=self.registry)

    def watches(self, is_running: Callable[[], bool], answers: Callable[[], bool]) -> None:
        """Both are asked whenever somebody looks."""
        self._running.set_function(lambda: float(is_running()))
        self._answers.set_function(lambda: float(answers()))
