"""What happens to a batch: its counts into PostgreSQL, the totals that they touch onto Kafka.

A batch adds to what is there, in one transaction that also keeps its number and the offsets up to
which it has read: one that comes again is known, and adds nothing. While one batch is stored and
announced, Spark counts the next; so its checkpoint may be one batch ahead of PostgreSQL.
"""

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

from pyspark.sql import DataFrame

from livetally.adapters.alerts import KnownAlert
from livetally.adapters.cells import Batch, Cells, Changes, Generation, Group, Total
from livetally.adapters.postgres import Connection
from livetally.adapters.publisher import AllOrNothing
from livetally.core.wire import utc_text
from livetally.tally import frames, publish
from livetally.tally.checkpoint import Checkpoint
from livetally.tally.collect import collect
from livetally.tally.points import Point, Reached
from livetally.tally.watch import Watch

SMALL = 10_000  # votes of a batch that one task counts: two that read, and two that add up what those found, would take longer
LOOK_AGAIN_S = 60.0  # when nobody votes, at what may come all the same: ballots of people who have voted already

log = logging.getLogger(__name__)


class Count:
    """One generation in progress; `count_batch` is what Spark calls for every batch, at least once and in order.

    `fault` is what ended it, from whichever thread; what Spark does to a batch once the count `is_interrupted` is none.
    To be closed before its connection is.
    """

    def __init__(
        self,
        generation: Generation,
        target: Mapping[int, int],
        connection: Connection,
        publisher: AllOrNothing,
        checkpoint: Checkpoint,
        now: Callable[[], datetime],
        reached: Reached,
        at_work: threading.Lock,
    ) -> None:
        """`target`: offsets of `votes_topic` that a recount must reach before it is shown. `at_work` is held by whoever uses the connection."""
        self._generation = generation.number
        self._batch = generation.batch  # the newest that is stored
        self._shown = generation.shown
        self._target = target
        self._connection = connection
        self._cells = Cells(connection)
        self._watch = Watch(connection)
        self._publisher = publisher
        self._checkpoint = checkpoint
        self._now = now
        self._reached = reached
        self._registered = self._cells.registered()
        self._at_work = at_work  # one thread stores batches, the stage's own brings the registered, and one keeps the session alive
        self._storing = ThreadPoolExecutor(1, "store")
        self._stored: Future[None] | None = None  # what becomes of the newest batch
        self._read_up_to: tuple[int | None, Mapping[int, int]] = (None, {})  # the newest batch that was counted, and its ends
        self.positions: Mapping[int, int] = dict.fromkeys(target, 0) | self._cells.positions(generation.number)
        self.fault: Exception | None = None
        self.is_interrupted = False
        self._look_later()

    def begin(self) -> None:
        """Before the first batch: publish every total, because the last batch may have been stored and not published."""
        if self._shown:
            self._publish_everything()
        elif self._has_caught_up(self.positions):
            self._show()  # perhaps no batch ever comes that would: there is nothing to count, or the last one was stored and not shown
        self._look_later()

    def count_batch(self, votes: DataFrame, batch: int) -> None:
        """Returns when the batch before is stored and announced, and this one is on its way."""
        try:
            found = self._counted(votes, batch)
            if self._stored is not None:
                self._stored.result()
            self._stored = self._storing.submit(self._store, found)
        except Exception as error:
            if not self.is_interrupted:
                self._keep(error)
            raise

    def close(self) -> None:
        """Wait for what is on its way."""
        self._storing.shutdown()

    def note_registered(self, groups: Collection[tuple[str, str, str, str, int]]) -> None:
        """Who is registered has changed: keep it, and announce the totals of the groups that it touches."""
        with self._at_work:
            with self._connection.transaction():
                self._cells.keep_registered(groups)
            before, self._registered = self._registered, self._cells.registered()
            changed = {group for group, _ in self._registered.items() ^ before.items()}
            if self._shown and changed:
                self._announce(self._cells.changes(self._generation, since_batch=0), only=changed)

    def look_when_nobody_votes(self) -> None:
        """Rules go by the votes' own clock; behind the last vote it stands still, an alert would stay raised for ever, and a flood of rejected ballots unseen."""
        if not self._is_time_to_look():
            return
        with self._at_work:
            if self._is_time_to_look():
                found = self._watch.look_behind_the_last_vote(self._generation, self._batch, self._counted_at, self._now())
                self._announce(Changes([], []), found)
                self._look_at = self._now() + timedelta(seconds=LOOK_AGAIN_S)

    def _look_later(self) -> None:
        """Votes have just been stored, or the first are about to come."""
        self._counted_at = self._now()
        self._look_at = self._counted_at + timedelta(seconds=LOOK_AGAIN_S)

    def _is_time_to_look(self) -> bool:
        """Not while votes are on their way, however long that takes: they may be of the minutes that would be judged."""
        number, _ = self._read_up_to
        return self._shown and self._now() >= self._look_at and (number is None or number <= self._batch)

    def _counted(self, votes: DataFrame, number: int) -> Batch:
        before, starts = self._read_up_to
        if before != number - 1:
            starts = self._checkpoint.ends_of(number - 1) if number > 0 else {}
        ends = self._checkpoint.ends_of(number)
        self._read_up_to = number, ends
        self._reached(Point.BEFORE_COLLECT)
        is_small = sum(ends.values()) - sum(starts.values()) <= SMALL
        counts = collect(frames.counts(votes.coalesce(1) if is_small else votes, together=is_small))
        self._reached(Point.AFTER_COLLECT)
        return Batch(number, counts.rows, starts, ends, counts.reached_s)

    def _store(self, batch: Batch) -> None:
        try:
            with self._at_work:
                self._store_and_announce(batch)
        except Exception as error:
            self._keep(error)
            raise

    def _keep(self, error: Exception) -> None:
        """The first one: Spark would wrap it beyond recognition, and what follows from it explains less."""
        self.fault = self.fault or error

    def _store_and_announce(self, batch: Batch) -> None:
        with self._connection.transaction():
            changes = self._cells.store(self._generation, batch)
            self._reached(Point.BEFORE_STORE_COMMIT)
        self._reached(Point.AFTER_STORE_COMMIT)
        self.positions, self._batch = batch.ends, batch.number
        self._look_later()
        if self._shown:
            alerts = self._watch.look(self._generation, batch.number)
            self._announce(self._cells.changes(self._generation, batch.number) if changes is None else changes, alerts)
        elif self._has_caught_up(batch.ends):
            self._show()
            log.info("the recount has caught up and is shown from now on")
        else:
            log.info("recounting", extra={"offsets": sum(batch.ends.values()), "of": sum(self._target.values())})
        self._reached(Point.AFTER_PUBLISH)

    def _has_caught_up(self, positions: Mapping[int, int]) -> bool:
        return all(positions.get(partition, 0) >= end for partition, end in self._target.items())

    def _show(self) -> None:
        self._reached(Point.BEFORE_SHOW)
        self._cells.show(self._generation)
        self._reached(Point.AFTER_SHOW)
        self._shown = True
        self._publish_everything()

    def _publish_everything(self) -> None:
        """And take back what a count before has announced and this one does not have: whoever reads keeps the highest version of each key."""
        self._reached(Point.BEFORE_TOTALS_AGAIN)
        there, gone = self._cells.changes(self._generation, since_batch=0), self._cells.vanished(self._generation, self._batch)
        self._announce(Changes(there.totals + gone.totals, there.minutes + gone.minutes), self._watch.alerts())
        self._reached(Point.AFTER_TOTALS_AGAIN)
        self._cells.drop_retired()

    def _announce(self, changes: Changes, alerts: Collection[KnownAlert] = (), only: Collection[Group] | None = None) -> None:
        """`only`: the totals of these groups, and nothing besides."""
        totals = changes.totals if only is None else [total for total in changes.totals if _group_of(total) in only]
        minutes = changes.minutes if only is None else []
        texts = publish.Texts(self._generation, self._cells.candidates(), self._registered, utc_text(self._now()))
        messages = [*texts.totals(totals), *texts.minutes(minutes), *texts.alerts(alerts)]
        if messages:
            self._publisher.publish(messages, before_commit=lambda: self._reached(Point.BEFORE_PUBLISH_COMMIT))


def _group_of(total: Total) -> Group:
    return total.view, total.election_id, total.group
