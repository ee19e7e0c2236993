"""What the simulated electorate counts for those who watch it."""

import time
from collections.abc import Callable

from prometheus_client import Counter

from livetally.observe.health import ROUND_WITHIN_S
from livetally.observe.meter import StageMeter


class Meter(StageMeter):
    def __init__(self, round_within_s: float = ROUND_WITHIN_S, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__("simulate", round_within_s, clock)
        self._voters = Counter("livetally_simulate_voters_total", "People read from `voters_topic`", registry=self.registry)
        self._ballots = Counter("livetally_simulate_ballots_total", "Ballots cast and acknowledged", registry=self.registry)

    def cast(self, voters: int, ballots: int) -> None:
        """Once per batch, when its ballots are acknowledged."""
        self._voters.inc(voters)
        self._ballots.inc(ballots)
