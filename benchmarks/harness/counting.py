"""A backlog of votes, counted to all views by a process with Spark in it: *tally*, or its peer. Watched from outside, by what it publishes.

The clock runs from the moment at which every view shows the first votes (Java has started, the code of the first batch has been
generated, and that batch is counted) to the moment at which every view shows the last one. The votes shown at its start are not counted.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from harness.cost import Cost, Meter, cost
from harness.saying import progress
from harness.spark_process import SparkProcess
from harness.views import Sample, Views
from livetally.core.errors import ServiceError

LOOK_S = 0.1
STUCK_AFTER_S = 180.0  # the peer's first batch, six times parsed by cold code, takes the longest


@dataclass(frozen=True, slots=True)
class Count:
    """A backlog, counted. `samples`: one per change that was seen."""

    samples: Sequence[Sample]
    began: Sample  # the first at which every view shows the first votes, those of the warming up and no fewer
    spawned_at_s: float
    cost: Cost  # while the clock ran
    peak_memory_bytes: int

    @property
    def seconds(self) -> float:
        return self.samples[-1].at_s - self.began.at_s

    @property
    def votes_in_time(self) -> int:
        return round(self.samples[-1].votes - self.began.votes)

    @property
    def votes_per_s(self) -> float:
        return self.votes_in_time / self.seconds

    def rate_between(self, first: float, last: float) -> float:
        """Votes a second while the views grew from `first` to `last` votes, widened to the batches around them."""
        begin = next((one for one in reversed(self.samples) if one.votes <= first and one.at_s >= self.began.at_s), self.began)
        done = next((one for one in self.samples if one.votes >= last and one.at_s > begin.at_s), self.samples[-1])
        return (done.votes - begin.votes) / (done.at_s - begin.at_s)


def count(process: SparkProcess, views: Views, votes: int, warm_votes: int) -> Count:
    """Wait until every view shows so many votes, all that there are; what came until each showed `warm_votes` is not timed."""
    tell = progress("counted", votes)
    samples: list[Sample] = []
    began: Sample | None = None
    last_change_s = process.spawned_at_s
    while not samples or samples[-1].least < votes:
        now = views.look(LOOK_S)
        if now.votes == (samples[-1].votes if samples else 0):
            process.check()
            if time.monotonic() > last_change_s + STUCK_AFTER_S:
                raise ServiceError(f"{process.name} has counted nothing for {STUCK_AFTER_S:.0f} s:\n{process.last_words()}")
            continue
        samples.append(now)
        last_change_s = now.at_s
        tell(round(now.votes))
        if began is None and now.least >= warm_votes:
            began, meter = now, Meter(alone={"python": [process.pid]}, spark=[process.java_pid()])
            first = meter.read()
    if began is None or began is samples[-1]:
        raise ServiceError(f"All {votes:,} votes were counted while {process.name} was warming up, so there is no rate. Take more votes.")
    return Count(samples, began, process.spawned_at_s, cost(first, meter.read()), process.peak_memory_bytes())
