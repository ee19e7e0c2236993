"""Starts and stops of the tally: what is done again, who is fenced, and that nobody counts beside somebody else."""

import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from py4j.protocol import Py4JJavaError

from livetally.adapters import cells as cells_module
from livetally.adapters.cells import Cells
from livetally.adapters.postgres import connect
from livetally.adapters.publisher import AllOrNothing, Outgoing
from livetally.adapters.rights import Rights
from livetally.core.errors import LedgerError, ServiceError
from livetally.core.wire import BY_AGE
from livetally.tally import tally as tally_module
from livetally.tally.count import Count
from livetally.tally.points import Point
from livetally.tally.publish import TRANSACTIONAL_ID
from pipeline import Pipeline, Spark, await_tallied, tally_all, tallying, wait_for
from tallied import announced, assert_exact, generation


def test_a_batch_that_spark_has_finished_and_nobody_stored_is_done_again(pipeline: Pipeline, spark: Spark) -> None:
    """Spark goes on while a batch is stored. If that fails, its checkpoint is ahead of the database."""
    pipeline.hold_election(20)
    pipeline.cast_votes(range(10))
    pipeline.record_all()
    tally_all(pipeline, spark)
    pipeline.cast_votes(range(10, 20))
    pipeline.record_all()
    (batch,) = pipeline.sql("SELECT batch FROM tally_generations")[0]
    finished = pipeline.data_dir / "checkpoints" / "cells-1" / "commits" / str(batch + 1)

    def die_behind_spark(point: Point) -> None:
        if point is Point.BEFORE_STORE_COMMIT:
            wait_for(finished.exists, "Spark has finished the batch")
            raise ServiceError("the lights go out")

    with pytest.raises(ServiceError, match="the lights go out"), tallying(pipeline, spark, die_behind_spark) as worker:
        wait_for(lambda: not worker.is_alive, "the tally ends")
    assert pipeline.sql("SELECT batch FROM tally_generations") == [(batch,)]
    assert finished.exists()
    tally_all(pipeline, spark)
    assert_exact(pipeline, 20)
    assert generation(pipeline) == (1, "shown", "first count")


def test_whatever_ends_the_watching_ends_the_query_so_that_the_next_one_can_begin(
    pipeline: Pipeline, spark: Spark, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the broker goes away just while the registered are announced, beside the batches."""
    pipeline.hold_election(5)
    with monkeypatch.context() as away:

        def refuse(*_: object) -> None:
            raise ServiceError("the broker is away")

        away.setattr(Count, "note_registered", refuse)
        with pytest.raises(ServiceError, match="the broker is away"), tallying(pipeline, spark) as worker:
            worker.wait()
    assert spark.session(pipeline.settings).streams.active == []
    pipeline.cast_votes(range(5))
    pipeline.record_all()
    tally_all(pipeline, spark)
    assert_exact(pipeline, 5)


def test_a_batch_that_is_interrupted_by_the_stop_is_no_fault_and_counted_by_the_next_start(
    pipeline: Pipeline, spark: Spark, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that begins between the last look at the query and its end: nobody waits for it."""
    monkeypatch.setattr(tally_module, "STOP_TIMEOUT_S", 0.1)
    pipeline.hold_election(5)
    pipeline.cast_votes(range(5))
    pipeline.record_all()
    jvm: Any = spark.session(pipeline.settings)._jvm
    is_reading, was_interrupted = threading.Event(), threading.Event()

    def read_until_the_query_is_stopped(point: Point) -> None:
        if point is Point.BEFORE_COLLECT:
            is_reading.set()
            try:
                jvm.java.lang.Thread.sleep(60_000)
            except Py4JJavaError:
                was_interrupted.set()
                raise

    with tallying(pipeline, spark, read_until_the_query_is_stopped):
        assert is_reading.wait(60)
    assert was_interrupted.is_set()
    assert announced(pipeline, "aggregated_turnout_by_location") == {}
    tally_all(pipeline, spark)
    assert_exact(pipeline, 5)


def test_a_second_publisher_fences_the_first(pipeline: Pipeline) -> None:
    first = AllOrNothing(pipeline.kafka, TRANSACTIONAL_ID)
    AllOrNothing(pipeline.kafka, TRANSACTIONAL_ID)
    with pytest.raises(ServiceError, match="could not be published"):
        first.publish([Outgoing(BY_AGE, b"key", b"{}")])


def end_sessions_of_the_tally(pipeline: Pipeline) -> None:
    """As PostgreSQL does to one that has been silent for too long."""
    pipeline.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(application_name, 'livetally tally')")


def test_whoever_was_stopped_in_a_start_and_wakes_behind_a_successor_changes_nothing(pipeline: Pipeline, spark: Spark) -> None:
    pipeline.hold_election(10)
    pipeline.cast_votes(range(10))
    pipeline.record_all()
    tally_all(pipeline, spark)
    Cells(pipeline.connection).request_recount()
    checkpoints = pipeline.data_dir / "checkpoints"
    for stopped_at in (Point.NEWEST_KNOWN, Point.GENERATION_BEGUN, Point.BEFORE_PUBLISHER, Point.BEFORE_QUERY):
        taken_over: list[tuple[list[Path], AllOrNothing]] = []

        def sleep(point: Point, at: Point = stopped_at, taken_over: list[tuple[list[Path], AllOrNothing]] = taken_over) -> None:
            if point is at:
                end_sessions_of_the_tally(pipeline)
                taken_over.append((sorted(checkpoints.rglob("*")), AllOrNothing(pipeline.kafka, TRANSACTIONAL_ID)))

        with pytest.raises(ServiceError), tallying(pipeline, spark, sleep) as woken:
            woken.wait()
        ((files, successor),) = taken_over
        assert sorted(checkpoints.rglob("*")) == files, stopped_at
        successor.publish([Outgoing(BY_AGE, b"key", b"{}")])  # nobody has fenced it


def test_a_start_that_takes_long_keeps_the_lock(pipeline: Pipeline, spark: Spark) -> None:
    """PostgreSQL ends a session that is silent, and a checkpoint far away may take its time."""
    pipeline.hold_election(5)
    last_said = "SELECT max(state_change) FROM pg_stat_activity WHERE starts_with(application_name, 'livetally tally')"
    waited_at: list[Point] = []

    def take_long(point: Point) -> None:
        if point in {Point.GENERATION_BEGUN, Point.BEFORE_PUBLISHER}:
            (before,) = pipeline.sql(last_said)
            wait_for(lambda: pipeline.sql(last_said) > [before], "it says that it lives")
            waited_at.append(point)

    with tallying(pipeline, spark, take_long) as worker:
        wait_for(lambda: len(waited_at) == 2 or not worker.is_alive, "it begins")


def test_a_second_tally_is_refused_while_one_runs(pipeline: Pipeline, spark: Spark, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.hold_election(5)
    pipeline.cast_votes(range(5))
    pipeline.record_all()
    with tallying(pipeline, spark) as worker:
        await_tallied(pipeline, worker)
        monkeypatch.setattr(cells_module, "LOCK_WITHIN_S", 0.3)
        with pytest.raises(LedgerError, match="A tally is running already"), tallying(pipeline, spark) as second:
            second.wait()
        with (
            closing(connect(pipeline.database_url, "tests", Rights.TALLY)) as other,
            pytest.raises(LedgerError, match="A tally is running already"),
        ):
            Cells(other).take_lock()
        assert worker.is_alive
    assert_exact(pipeline, 5)
