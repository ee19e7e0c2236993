"""What anybody reads on the aggregated topics is what SQL says of the ledger, whatever has happened to the count on the way."""

import logging
import shutil
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from py4j.protocol import Py4JJavaError

from livetally.adapters import cells as cells_module
from livetally.adapters.cells import Batch, Cells, Changes
from livetally.adapters.postgres import connect
from livetally.adapters.publisher import AllOrNothing, Outgoing
from livetally.adapters.rights import Rights
from livetally.audit.walk import audit
from livetally.commands.results import print_board, read_board
from livetally.core.errors import LedgerError, ServiceError
from livetally.core.tally import VIEWS
from livetally.core.wire import BY_AGE
from livetally.tally import count as count_module
from livetally.tally import frames
from livetally.tally import tally as tally_module
from livetally.tally.count import Count
from livetally.tally.points import Point, unwatched
from livetally.tally.publish import TRANSACTIONAL_ID
from pipeline import Pipeline, Spark, await_tallied, recording, tally_all, tallying, wait_for

# The outsider's view of each topic: which fields name the group, which holds the number, and the same in SQL over the ledger.
AGE = """
CASE WHEN age < 18 THEN 'under 18' WHEN age < 25 THEN '18-24' WHEN age < 35 THEN '25-34' WHEN age < 45 THEN '35-44'
     WHEN age < 55 THEN '45-54' WHEN age < 65 THEN '55-64' ELSE '65+' END
"""
TOPICS: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "aggregated_votes_per_candidate": (("candidate_id",), "total_votes", ("candidate_id",)),
    "aggregated_turnout_by_location": (("state",), "count", ("address_state",)),
    "aggregated_turnout_by_age": (("age_group",), "total_votes", (AGE,)),
    "aggregated_turnout_by_gender": (("gender",), "total_votes", ("gender",)),
    "aggregated_party_wise_votes": (("party_affiliation",), "total_votes", ("party_affiliation",)),
    "aggregated_votes_by_region": (("city", "state"), "total_votes", ("address_city", "address_state")),
}
Totals = dict[tuple[str, ...], int]


def announced(pipeline: Pipeline, topic: str) -> Totals:
    """As an outsider folds it: the highest version of each key."""
    names, total, _ = TOPICS[topic]
    newest: dict[bytes | None, dict[str, Any]] = {}
    for message in pipeline.read(topic):
        if message.key not in newest or message.fields["version"] >= newest[message.key]["version"]:
            newest[message.key] = message.fields
    return {(fields["election_id"], *(fields[name] for name in names)): fields[total] for fields in newest.values()}


def in_the_ledger(pipeline: Pipeline, topic: str) -> Totals:
    groups = ", ".join(TOPICS[topic][2])
    query = f"""
        SELECT election_id, {groups}, count(*)
        FROM (
            SELECT x.election_id, x.candidate_id, v.address_state, v.address_city, v.gender, c.party_affiliation,
                   extract(year FROM age(x.voting_time::date, v.date_of_birth::date)) AS age
            FROM votes x JOIN voters v USING (voter_id) JOIN candidates c USING (candidate_id)
        ) AS vote
        GROUP BY election_id, {groups}
    """
    return {tuple(row[:-1]): row[-1] for row in pipeline.sql(query)}


def assert_exact(pipeline: Pipeline, votes: int) -> None:
    for topic in TOPICS:
        expected = in_the_ledger(pipeline, topic)
        assert sum(expected.values()) == votes
        assert announced(pipeline, topic) == expected, topic
    report = audit(pipeline.kafka, pipeline.database_url)
    assert (report.differences, report.tallied) == ([], votes)


def generation(pipeline: Pipeline) -> tuple[Any, ...]:
    """Number, state and reason of the newest one; there is never another beside the shown one in the end."""
    return pipeline.sql("SELECT generation, state, reason FROM tally_generations ORDER BY generation DESC")[0]


def test_the_views_of_this_test_are_all_views() -> None:
    assert {view.topic for view in VIEWS} == set(TOPICS)


def test_every_total_is_what_the_ledger_says_and_a_restart_goes_on(pipeline: Pipeline, spark: Spark) -> None:
    pipeline.hold_election(60)
    pipeline.cast_votes(range(20))
    pipeline.record_all()
    tally_all(pipeline, spark)
    assert_exact(pipeline, 20)
    assert generation(pipeline) == (1, "shown", "first count")
    with tallying(pipeline, spark) as worker, recording(pipeline, ballots_max=5):
        pipeline.cast_votes(range(10, 40))  # half of them again
        pipeline.await_decided()
        await_tallied(pipeline, worker)
        pipeline.cast_votes(range(40, 60))
        pipeline.await_decided()
        await_tallied(pipeline, worker)
    assert_exact(pipeline, 60)
    assert generation(pipeline) == (1, "shown", "first count"), "it went on from the checkpoint"
    fields = pipeline.read("aggregated_votes_per_candidate")[-1].fields
    assert set(fields) >= {
        "candidate_id",
        "candidate_name",
        "party_affiliation",
        "photo_url",
        "total_votes",
        "election_id",
        "version",
        "as_of",
    }


def lose(checkpoint: Path) -> None:
    shutil.rmtree(checkpoint)


def damage_offsets(checkpoint: Path) -> None:
    newest = max((checkpoint / "offsets").glob("[0-9]*"), key=lambda path: int(path.name))
    newest.write_text("v1\n{not JSON")
    (newest.parent / f".{newest.name}.crc").unlink(missing_ok=True)


def lose_offsets(checkpoint: Path) -> None:
    shutil.rmtree(checkpoint / "offsets")


def overwrite_offsets(checkpoint: Path) -> None:
    """As a disk does it: the checksum beside it knows."""
    newest = max((checkpoint / "offsets").glob("[0-9]*"), key=lambda path: int(path.name))
    newest.write_bytes(b"\x00" * newest.stat().st_size)


def damage_commits(checkpoint: Path) -> None:
    newest = max((checkpoint / "commits").glob("[0-9]*"), key=lambda path: int(path.name))
    newest.write_text("")
    (newest.parent / f".{newest.name}.crc").unlink(missing_ok=True)


def make_foreign(checkpoint: Path) -> None:
    (checkpoint / "fingerprint").write_text("of another count")
    (checkpoint / ".fingerprint.crc").unlink(missing_ok=True)


HARMS: dict[Callable[[Path], None], str] = {
    lose: "recount: its checkpoint is lost",
    lose_offsets: "recount: its checkpoint is damaged",
    damage_offsets: "recount: its checkpoint is damaged",
    overwrite_offsets: "recount: its checkpoint is damaged",
    damage_commits: "recount: its checkpoint is damaged",
    make_foreign: "recount: its checkpoint belongs to another count",
}


def test_a_checkpoint_that_cannot_be_gone_on_with_leads_to_an_exact_recount(pipeline: Pipeline, spark: Spark) -> None:
    """One harm after the other, each to the checkpoint of the recount before, with votes that nobody has counted yet."""
    pipeline.hold_election(5 * len(HARMS) + 5)
    pipeline.cast_votes(range(5))
    with recording(pipeline):
        pipeline.await_decided()
        tally_all(pipeline, spark)
        for number, (harm, reason) in enumerate(HARMS.items(), start=1):
            harm(pipeline.data_dir / "checkpoints" / f"cells-{number}")
            pipeline.cast_votes(range(5 * number, 5 * number + 5))
            pipeline.await_decided()
            tally_all(pipeline, spark)
            assert generation(pipeline) == (number + 1, "shown", reason), harm.__name__
            assert pipeline.sql("SELECT count(*) FROM tally_generations") == [(1,)]
            assert announced(pipeline, "aggregated_turnout_by_location") == in_the_ledger(pipeline, "aggregated_turnout_by_location")
    assert_exact(pipeline, 5 * len(HARMS) + 5)


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


def test_a_recount_that_was_asked_for_says_how_far_it_is_and_is_shown_once_it_has_caught_up(
    pipeline: Pipeline, spark: Spark, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline.hold_election(20)
    pipeline.cast_votes(range(20))
    pipeline.record_all()
    tally_all(pipeline, spark)
    pipeline.sql("UPDATE cells SET votes = votes + 1")
    Cells(pipeline.connection).request_recount()
    boards: list[dict[str, Any]] = []

    def look(point: Point) -> None:
        if point is Point.AFTER_PUBLISH and not boards:
            boards.append(read_board(pipeline.database_url))

    with caplog.at_level(logging.INFO, count_module.__name__), tallying(pipeline, spark, look, votes_max=10) as worker:
        wait_for(lambda: generation(pipeline)[:2] == (2, "shown"), "the recount is shown")
        await_tallied(pipeline, worker)
    assert generation(pipeline)[2].startswith("recount: it was asked for")
    (meanwhile,) = boards
    assert meanwhile["recounting"] == generation(pipeline)[2]
    assert 0 < meanwhile["recounted_percent"] < 100
    print_board(meanwhile)
    assert f"{meanwhile['recounted_percent']}% of them so far; these are the numbers from before" in "".join(capsys.readouterr())
    (first, *_) = (record.__dict__ for record in caplog.records if record.getMessage() == "recounting")
    assert first["offsets"] * 100 // first["of"] == meanwhile["recounted_percent"]
    assert caplog.messages[-1] == "the recount has caught up and is shown from now on"
    afterwards = read_board(pipeline.database_url)
    assert (afterwards["recounting"], afterwards["recounted_percent"]) == (None, None)
    assert_exact(pipeline, 20)


def test_counting_nothing(pipeline: Pipeline, spark: Spark) -> None:
    pipeline.hold_election(3)
    with tallying(pipeline, spark):
        wait_for(lambda: pipeline.sql("SELECT state FROM tally_generations") == [("shown",)], "an empty count is shown")
    assert_exact(pipeline, 0)


def adding(number: int, counts: bytes, starts: dict[int, int], ends: dict[int, int]) -> Batch:
    return Batch(number, counts, starts, ends, reached_s=1_777_777_777)


KENT = b"e,c0,Kent,Deal,female,18-24,29629629,3\n"
KENT_AND_DEVON = KENT + b"e,c1,Devon,Exeter,male,65+,,4\n"


def test_a_repeated_batch_adds_nothing_and_one_that_does_not_fit_is_refused(pipeline: Pipeline) -> None:
    pipeline.hold_election(1)
    cells = Cells(pipeline.connection)
    number = cells.begin("fingerprint", "first count").number

    def store(batch: Batch, generation: int = number) -> Changes | None:
        with pipeline.connection.transaction():
            return cells.store(generation, batch)

    def tables() -> list[list[tuple[Any, ...]]]:
        return [
            sorted(pipeline.sql(f"TABLE {table}")) for table in ("cells", "group_totals", "history", "tally_positions", "tally_generations")
        ]

    first, second = adding(0, KENT, {}, {0: 5}), adding(1, KENT_AND_DEVON, {0: 5}, {0: 7, 1: 2})
    assert store(first) is not None
    changes = store(second)
    assert changes is not None
    assert {(total.view, total.group): total.votes for total in changes.totals if total.view in {"candidate", "state"}} == {
        ("candidate", ("c0",)): 6,
        ("candidate", ("c1",)): 4,
        ("state", ("Kent",)): 6,
        ("state", ("Devon",)): 4,
    }
    stored = tables()
    assert store(second) is None
    assert tables() == stored
    for late, generation in ((first, number), (first, number + 1)):
        with pytest.raises(ServiceError, match="older than what is stored"):
            store(late, generation)
    for foreign in (
        adding(2, KENT, {0: 6, 1: 2}, {0: 9, 1: 2}),
        adding(3, KENT, {0: 7, 1: 2}, {0: 9, 1: 2}),
        adding(1, KENT, {0: 5}, {0: 8}),
    ):
        with pytest.raises(LedgerError, match="do not belong together"):
            store(foreign)
    assert tables() == stored
    assert (cells.total(), cells.positions(number)) == (10, {0: 7, 1: 2})


class Batches:
    """Stands in for Spark's checkpoint: what each batch has read."""

    def ends_of(self, batch: int) -> dict[int, int]:
        return {0: 10 * (batch + 1)}


@pytest.mark.parametrize("small", [count_module.SMALL, 0], ids=["in one task", "spread over tasks"])
def test_a_repeated_batch_announces_the_same_totals(pipeline: Pipeline, spark: Spark, monkeypatch: pytest.MonkeyPatch, small: int) -> None:
    monkeypatch.setattr(count_module, "SMALL", small)
    pipeline.hold_election(1)
    generation = Cells(pipeline.connection).begin("fingerprint", "first count")
    count = Count(
        generation,
        {0: 10},
        pipeline.connection,
        AllOrNothing(pipeline.kafka, TRANSACTIONAL_ID),
        Batches(),  # type: ignore[arg-type]
        now=lambda: datetime(2026, 5, 7, tzinfo=UTC),
        reached=unwatched,
        at_work=threading.Lock(),
    )
    votes = [
        {"election_id": "e", "candidate_id": f"c{number % 2}", "address": {"state": "Kent", "city": f"City {number % 2}"}}
        for number in range(7)
    ]
    frame = spark.session(pipeline.settings).createDataFrame([(bytearray(orjson.dumps(vote)),) for vote in votes], "value BINARY")
    with closing(count):
        for _ in range(3):
            count.count_batch(frames.votes(frame), 0)
    assert count.fault is None
    for topic, groups in (("aggregated_votes_per_candidate", 2), ("aggregated_turnout_by_location", 1), ("aggregated_votes_by_region", 2)):
        messages = Counter((message.key, message.value) for message in pipeline.read(topic))
        assert len(messages) == groups
        assert set(messages.values()) == {3}
    assert announced(pipeline, "aggregated_turnout_by_location") == {("e", "Kent"): 7}


@pytest.mark.parametrize(("target", "is_shown"), [({0: 5}, True), ({0: 6}, False), ({0: 5, 1: 1}, False)])
def test_a_recount_whose_last_batch_was_stored_and_not_shown_is_shown_by_the_next_start(
    pipeline: Pipeline, target: dict[int, int], *, is_shown: bool
) -> None:
    """Spark has finished that batch, and when nobody votes any more no other comes."""
    pipeline.hold_election(1)
    cells = Cells(pipeline.connection)
    for _ in range(2):
        generation = cells.begin("fingerprint", "a count")
        with pipeline.connection.transaction():
            cells.store(generation.number, adding(0, KENT, {}, {0: 5}))
    publisher = AllOrNothing(pipeline.kafka, TRANSACTIONAL_ID)
    newest = cells.newest()
    assert newest is not None
    count = Count(
        newest,
        target,
        pipeline.connection,
        publisher,
        Batches(),  # type: ignore[arg-type]
        now=lambda: datetime(2026, 5, 7, tzinfo=UTC),
        reached=unwatched,
        at_work=threading.Lock(),
    )
    with closing(count):
        count.begin()
    assert pipeline.sql("SELECT generation FROM tally_generations WHERE state = 'shown'") == [(2 if is_shown else 1,)]
    assert announced(pipeline, "aggregated_turnout_by_location") == ({("e", "Kent"): 3} if is_shown else {})


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
