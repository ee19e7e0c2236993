"""What *tally* counts for those who watch it."""

import math
import time
from collections.abc import Callable, Mapping
from typing import cast

from prometheus_client import Counter, Gauge, Histogram

from livetally.adapters.kafka import KafkaException, TopicPartition, reader
from livetally.core.wire import VOTES
from livetally.observe.lately import Lately
from livetally.observe.meter import STEP_BUCKETS_S, StageMeter

ROUND_WITHIN_S = (
    120.0  # Spark starts within seconds, and a batch of the largest size takes some; on a machine that is busy with more, longer
)
ANSWER_WITHIN_S = 2.0  # for one partition; whoever watches would rather know nothing than wait


class Meter(StageMeter):
    def __init__(self, round_within_s: float = ROUND_WITHIN_S, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__("tally", round_within_s, clock)
        registry = self.registry
        self._batches = Counter("livetally_tally_batches_total", "Batches that Spark has finished", registry=registry)
        self._votes = Counter("livetally_tally_votes_total", "Votes counted, those of a recount too", registry=registry)
        self._seconds = Histogram(
            "livetally_tally_batch_seconds",
            "Time of a batch, from asking Kafka what there is to storing and announcing it",
            buckets=STEP_BUCKETS_S,
            registry=registry,
        )
        self._restarts = Counter("livetally_tally_restarts_total", "Times that the count began again after a failure", registry=registry)
        self._recounts = Counter(
            "livetally_tally_recounts_total", "Counts from the beginning, the first of all included", registry=registry
        )
        self._behind = Gauge(
            "livetally_tally_behind_offsets",
            "Offsets of `votes_topic` not counted yet, marks of transactions among them; NaN while Kafka does not say",
            registry=registry,
        )
        self._behind.set_function(lambda: math.nan)

    def counted(self, votes: int, seconds: float) -> None:
        """Once per batch."""
        self._batches.inc()
        self._votes.inc(votes)
        self._seconds.observe(seconds)

    def restarted(self) -> None:
        self._restarts.inc()

    def recounting(self) -> None:
        self._recounts.inc()

    def follows(self, bootstrap_servers: str, positions: Callable[[], Mapping[int, int]]) -> None:
        """`positions`: per partition of the votes, how far they have been counted. Kafka is asked only when somebody looks."""
        self._behind.set_function(Lately(lambda: behind(bootstrap_servers, positions())))


def behind(bootstrap_servers: str, positions: Mapping[int, int]) -> float:
    found = 0
    client = reader(bootstrap_servers)
    try:
        for partition, position in positions.items():
            # The client's own types do not say that there may be no answer in time.
            bounds = cast("tuple[int, int] | None", client.get_watermark_offsets(TopicPartition(VOTES, partition), ANSWER_WITHIN_S))
            if bounds is None:
                return math.nan
            found += max(0, bounds[1] - position)
    except KafkaException:
        return math.nan  # /readyz says what is wrong
    finally:
        client.close()
    return found
