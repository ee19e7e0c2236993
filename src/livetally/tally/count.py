"""What happens to a batch: its changed cells into PostgreSQL, the totals that they touch onto Kafka."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from pyspark.sql import DataFrame

from livetally.adapters.cells import Cells, Generation
from livetally.adapters.publisher import AllOrNothing
from livetally.core.wire import utc_text
from livetally.tally.checkpoint import Checkpoint
from livetally.tally.publish import messages

log = logging.getLogger(__name__)


class Count:
    """One generation in progress; `count_batch` is what Spark calls for every batch, at least once and in order."""

    def __init__(
        self,
        generation: Generation,
        target: Mapping[int, int],
        cells: Cells,
        publisher: AllOrNothing,
        checkpoint: Checkpoint,
        now: Callable[[], datetime],
    ) -> None:
        """`target`: offsets of `votes_topic` that a recount must reach before it is shown."""
        self._number = generation.number
        self._shown = generation.shown
        self._target = target
        self._cells = cells
        self._publisher = publisher
        self._checkpoint = checkpoint
        self._now = now
        self.positions: Mapping[int, int] = dict.fromkeys(target, 0) | cells.positions(generation.number)
        self.fault: Exception | None = None

    def count_batch(self, changed: DataFrame, batch: int) -> None:
        """A failure is kept: Spark would wrap it beyond recognition."""
        try:
            self._count_batch(changed, batch)
        except Exception as error:
            self.fault = error
            raise

    def begin(self, generation: Generation) -> None:
        """Before the first batch: publish every total, because the last batch may have been stored and not published."""
        if not self._shown and not any(self._target.values()):
            self._cells.show(self._number)  # there is nothing to count, so no batch would ever come and show it
            self._shown = True
        if self._shown and generation.batch >= 0:
            self._publish(since_batch=0)

    def _count_batch(self, changed: DataFrame, batch: int) -> None:
        rows = [tuple(row) for row in changed.collect()]  # one action: as many rows as groups have changed, however many votes there are
        positions = self._checkpoint.ends_of(batch)
        self._cells.store(self._number, batch, rows, positions)
        self.positions = positions
        if self._shown:
            self._publish(since_batch=batch)
        elif all(positions.get(partition, 0) >= end for partition, end in self._target.items()):
            self._cells.show(self._number)
            self._shown = True
            log.info("the recount has caught up and is shown from now on")
            self._publish(since_batch=0)
        else:
            log.info("recounting", extra={"offsets": sum(positions.values()), "of": sum(self._target.values())})

    def _publish(self, since_batch: int) -> None:
        totals = self._cells.totals(self._number, since_batch)
        as_of = utc_text(self._now())
        self._publisher.publish(messages(totals, self._number, self._cells.candidates(), self._cells.registered(), as_of))
