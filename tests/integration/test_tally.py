"""What anybody reads on the aggregated topics is what SQL says of the ledger, however often something is counted."""

import logging
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from livetally.adapters.cells import Batch, Cells, Changes
from livetally.adapters.publisher import AllOrNothing
from livetally.commands.results import print_board, read_board
from livetally.core.errors import LedgerError, ServiceError
from livetally.core.tally import VIEWS
from livetally.settings import Settings
from livetally.tally import count as count_module
from livetally.tally import frames
from livetally.tally.checkpoint import Checkpoint
from livetally.tally.count import Count
from livetally.tally.points import Point, unwatched
from livetally.tally.publish import TRANSACTIONAL_ID
from pipeline import Pipeline, Spark, await_tallied, recording, tally_all, tallying, wait_for
from tallied import TOPICS, announced, assert_exact, generation, in_the_ledger


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


def lose_offsets_before(checkpoint: Path) -> None:
    """Of the batch before the newest, where Spark begins."""
    *_, before, _newest = sorted((checkpoint / "offsets").glob("[0-9]*"), key=lambda path: int(path.name))
    before.unlink()


def damage_offsets_of_what_is_stored(checkpoint: Path) -> None:
    """Spark is one batch ahead, as it is when many vote."""
    stored = max((checkpoint / "offsets").glob("[0-9]*"), key=lambda path: int(path.name))
    shutil.copy(stored, stored.with_name(str(int(stored.name) + 1)))
    damage(stored)


def damage_commits(checkpoint: Path) -> None:
    damage(max((checkpoint / "commits").glob("[0-9]*"), key=lambda path: int(path.name)))


def damage_metadata(checkpoint: Path) -> None:
    damage(checkpoint / "metadata")


def damage(file: Path) -> None:
    """It ends too early, and no checksum tells."""
    file.write_bytes(file.read_bytes()[:-9])
    file.with_name(f".{file.name}.crc").unlink(missing_ok=True)


def make_foreign(checkpoint: Path) -> None:
    (checkpoint / "fingerprint").write_text("of another count")
    (checkpoint / ".fingerprint.crc").unlink(missing_ok=True)


HARMS: dict[Callable[[Path], None], str] = {
    lose: "recount: its checkpoint is lost",
    lose_offsets: "recount: its checkpoint is damaged",
    damage_offsets: "recount: its checkpoint is damaged",
    overwrite_offsets: "recount: its checkpoint is damaged",
    damage_commits: "recount: its checkpoint is damaged",
    damage_metadata: "recount: its checkpoint is damaged",
    make_foreign: "recount: its checkpoint belongs to another count",
    damage_offsets_of_what_is_stored: "recount: its checkpoint is damaged",
    lose_offsets_before: "recount: its checkpoint is damaged",
}
BATCH_VOTES = 20  # the later recounts take more than one


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
            with tallying(pipeline, spark, votes_max=BATCH_VOTES) as worker:
                await_tallied(pipeline, worker)
            assert generation(pipeline) == (number + 1, "shown", reason), harm.__name__
            assert pipeline.sql("SELECT count(*) FROM tally_generations") == [(1,)]
            assert announced(pipeline, "aggregated_turnout_by_location") == in_the_ledger(pipeline, "aggregated_turnout_by_location")
    assert_exact(pipeline, 5 * len(HARMS) + 5)


def laid_out(directory: Path, offsets: Collection[int], commits: Collection[int]) -> Path:
    """A checkpoint with the files of these batches."""
    files = {
        "fingerprint": OURS,
        "metadata": '{"id":"5314beeb-6026-485b-947a-cb088a9c9bac"}',
        "sources/0/0": '\0v1\n{"votes_topic":{"0":0}}',
    }
    files |= {f"offsets/{batch}": f'v1\n{{"batchWatermarkMs":0}}\n{{"votes_topic":{{"0":{10 * batch}}}}}' for batch in offsets}
    files |= {f"commits/{batch}": 'v1\n{"nextBatchWatermarkMs":0}' for batch in commits}
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return directory


OURS = "fingerprint"
Laid = tuple[int, tuple[int, ...], tuple[int, ...]]  # batch that is stored, those with offsets, those that are finished
WHOLE: dict[str, Laid] = {
    "nothing yet": (-1, (), ()),
    "the first batch is planned": (-1, (0,), ()),
    "it is stored and not finished": (0, (0,), ()),
    "at rest behind it": (0, (0,), (0,)),
    "the second is planned": (0, (0, 1), (0,)),
    "old ones were thrown away, at rest": (30, (29, 30), (30,)),
    "and one is planned": (30, (30, 31), (30,)),
    "and the last is stored and not finished": (30, (29, 30), (29,)),
}
LOST: dict[str, Laid] = {
    "offsets of what is stored": (30, (29, 31), (29, 30)),
    "offsets of the batch before": (30, (28, 30), (30,)),
    "offsets of the first batch of two": (1, (1,), (0,)),
    "offsets of all but the old ones": (30, (28, 29), (29,)),
}
DAMAGED: dict[str, Laid] = {
    "offsets/0": (-1, (0,), ()),
    "sources/0/0": (-1, (), ()),
    "metadata": (-1, (), ()),
    "offsets/29": (30, (29, 30), (30,)),
    "offsets/30": (30, (29, 30, 31), (30,)),
    "offsets/31": (30, (29, 30, 31), (30,)),
    "commits/30": (30, (29, 30, 31), (29, 30)),
}


def test_a_checkpoint_has_to_have_what_a_start_looks_at_and_nothing_else(spark: Spark, tmp_path: Path) -> None:
    session = spark.session(Settings(data_dir=tmp_path, spark_master="local[1]", spark_memory_mb=512))

    def fault(directory: Path, stored_batch: int) -> str | None:
        checkpoint = Checkpoint(session, f"file://{directory}", be_sure=lambda: None)
        return checkpoint.fault(OURS, stored_batch, {0: 10 * stored_batch})

    for what, (stored, *batches) in WHOLE.items():
        assert fault(laid_out(tmp_path / what, *batches), stored) is None, what
    for what, (stored, *batches) in LOST.items():
        assert fault(laid_out(tmp_path / what, *batches), stored) == "its checkpoint is damaged", what
    for what, (stored, *batches) in DAMAGED.items():
        directory = laid_out(tmp_path / "damaged" / what, *batches)
        damage(directory / what)
        assert fault(directory, stored) == "its checkpoint is damaged", what


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
    for late, other in ((first, number), (first, number + 1)):
        with pytest.raises(ServiceError, match="older than what is stored"):
            store(late, other)
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
