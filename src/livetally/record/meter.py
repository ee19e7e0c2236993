"""What *record* counts for those who watch it. Called once per batch or more rarely, never per ballot."""

import time
from collections.abc import Callable, Mapping
from enum import StrEnum

from prometheus_client import Counter, Gauge, Histogram

from livetally.core.ballots import Reason
from livetally.observe.health import ROUND_WITHIN_S
from livetally.observe.meter import BATCH_BUCKETS, STEP_BUCKETS_S, StageMeter


class Step(StrEnum):
    """The three steps of a batch."""

    CONSUME = "consume"
    DECIDE = "decide"
    PUBLISH = "publish"


class Retry(StrEnum):
    """Why something is done again. None of them loses or doubles anything; many of them say that something is wrong."""

    DEADLOCK = "deadlock"  # two recorders waited for each other in PostgreSQL
    MOVED = "moved"  # partitions were taken away while a batch was under way
    NOT_PUBLISHED = "not_published"  # Kafka refused the transaction, and it was aborted
    UNKNOWN_OUTCOME = "unknown_outcome"  # whether the transaction was committed is not known
    SERVICE_AWAY = "service_away"  # PostgreSQL or Kafka did not answer


class Meter(StageMeter):
    """Safe for several threads. Without a server nobody sees it, and it costs the same few microseconds a call."""

    def __init__(self, round_within_s: float = ROUND_WITHIN_S, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__("record", round_within_s, clock)
        registry = self.registry
        self._ballots = Counter("livetally_record_ballots_total", "Ballots decided and published", registry=registry)
        self._accepted = Counter("livetally_record_accepted_total", "Ballots that became votes", registry=registry)
        rejected = Counter("livetally_record_rejected_total", "Ballots that were rejected", ["reason"], registry=registry)
        self._rejected = {reason: rejected.labels(reason.value) for reason in Reason}
        self._batch = Histogram("livetally_record_batch_ballots", "Ballots in a published batch", buckets=BATCH_BUCKETS, registry=registry)
        seconds = Histogram(
            "livetally_record_step_seconds", "Time that one step of a batch took", ["step"], buckets=STEP_BUCKETS_S, registry=registry
        )
        self._seconds = {step: seconds.labels(step.value) for step in Step}
        self._lag = Gauge(
            "livetally_record_lag_ballots",
            "Ballots cast and not read yet, in a partition of this recorder",
            ["partition"],
            registry=registry,
        )
        retries = Counter("livetally_record_retries_total", "What was done again", ["why"], registry=registry)
        self._retries = {why: retries.labels(why.value) for why in Retry}
        self._renewals = Counter(
            "livetally_record_producer_renewals_total",
            "Producers thrown away and made anew, each fencing the one before",
            registry=registry,
        )
        self._rebalances = Counter(
            "livetally_record_rebalances_total", "Times that partitions were handed out to this recorder", registry=registry
        )

    def decided(self, ballots: int, accepted: int, rejected: Mapping[Reason, int]) -> None:
        """Once per batch, when its verdicts are published."""
        self._ballots.inc(ballots)
        self._accepted.inc(accepted)
        for reason, count in rejected.items():
            self._rejected[reason].inc(count)
        self._batch.observe(ballots)

    def took(self, step: Step, seconds: float) -> None:
        self._seconds[step].observe(seconds)

    def lag(self, partition: int, ballots: int) -> None:
        """How many ballots lie behind the last one read; at most once per batch and partition."""
        self._lag.labels(str(partition)).set(ballots)

    def retried(self, why: Retry) -> None:
        self._retries[why].inc()

    def producer_renewed(self) -> None:
        self._renewals.inc()

    def rebalanced(self) -> None:
        """Partitions have been handed out anew; the lag of each is unknown until it is told again."""
        self._rebalances.inc()
        self._lag.clear()
