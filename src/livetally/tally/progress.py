"""What Spark says about its batches, handed on to the meter."""

import time
from collections.abc import Callable

from pyspark.sql.streaming.listener import StreamingQueryProgress
from pyspark.sql.streaming.query import StreamingQuery

from livetally.tally.meter import Meter

EVERY_S = 0.5  # asking costs 2 ms; a listener, which Spark would call, costs 30 ms of processor time per batch


class Progress:
    """Follows one query. Asked often enough, it misses no batch: Spark remembers the last hundred."""

    def __init__(self, query: StreamingQuery, meter: Meter, clock: Callable[[], float] = time.monotonic) -> None:
        self._query = query
        self._meter = meter
        self._clock = clock
        self._seen = -1
        self._due_s = clock()

    def note_when_due(self) -> None:
        if self._clock() >= self._due_s:
            self._due_s = self._clock() + EVERY_S
            self.note()

    def note(self) -> None:
        finished = self._finished()
        for batch in finished:
            self._meter.counted(batch.numInputRows or 0, batch.durationMs["triggerExecution"] / 1000)
        if finished or not self._query.status["isTriggerActive"]:
            self._meter.alive()

    def _finished(self) -> list[StreamingQueryProgress]:
        """Batches finished since the last time."""
        newest = self._query.lastProgress
        if newest is None or newest.batchId <= self._seen:
            return []
        batches = [newest] if newest.batchId == self._seen + 1 else [one for one in self._query.recentProgress if one.batchId > self._seen]
        self._seen = newest.batchId
        return batches
