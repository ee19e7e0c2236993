"""What the meters of all stages have in common: a registry of their own, health, and what the process itself uses."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, disable_created_metrics

from livetally.observe.health import ROUND_WITHIN_S, Health

STEP_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


class StageMeter:
    """Metrics of one process. Cheap to make, safe for several threads; whether anybody looks is no business of the stage."""

    def __init__(self, stage: str, round_within_s: float = ROUND_WITHIN_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.stage = stage
        self.health = Health(round_within_s, clock)
        self.registry = CollectorRegistry()
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for every counter, which says only when this process began
        ProcessCollector(registry=self.registry)
        ready = Gauge("livetally_ready", "1 while the stage can work, as `/readyz` says", ["stage"], registry=self.registry)
        ready.labels(stage).set_function(lambda: float(self.health.readyz().is_good))
        since = Gauge("livetally_since_round_seconds", "Time since the stage's loop last went round", ["stage"], registry=self.registry)
        since.labels(stage).set_function(lambda: self.health.since_round_s)

    def alive(self) -> None:
        """The loop went round: a batch is finished, or there is nothing to do. Not while one is under way, however many threads there are."""
        self.health.alive()

    def ready(self) -> None:
        """All services have been reached, and the stage works. Costs nothing to repeat."""
        self.health.ready()

    def not_ready(self, why: str) -> None:
        """Until `ready` is called again. `why` is for a person: a service's name, an error's text."""
        self.health.not_ready(why)
