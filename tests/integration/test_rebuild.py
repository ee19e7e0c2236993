"""From the ballots the ledger, from the ledger the votes topic, from that the tallies: made again, all of it says the same."""

import argparse
import re
import threading
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from ledger_rows import assert_chained, everything_in, forge
from livetally.adapters.cells import Cells
from livetally.adapters.custody import Custody
from livetally.adapters.postgres import connect
from livetally.adapters.publisher import AllOrNothing
from livetally.adapters.rights import Rights
from livetally.audit.report import Report
from livetally.audit.walk import audit
from livetally.commands.rebuild import _stop_when_shown, rebuild
from livetally.core.errors import LedgerError, ServiceError
from livetally.core.wire import REJECTED, VOTES, Topic, topics, utc_text
from livetally.record.rebuild import rebuild_ledger, rebuild_votes_topic
from livetally.record.record import record
from livetally.tally.points import Point
from pipeline import ELECTION, PARTITIONS, Pipeline, Spark, Worker, add_election, ballot, recording, recreate, tally_all, tallying, wait_for
from recovery.shown import Shown
from recovery.views import MINUTES, TOPICS, Group

VOTES_TOPIC: Topic = next(topic for topic in topics(PARTITIONS) if topic.name == VOTES)


@pytest.fixture
def counted(pipeline: Pipeline, spark: Spark) -> Pipeline:
    """An election that has been held: votes, ballots of all kinds that do not count, and their tally."""
    pipeline.hold_election(30)
    pipeline.cast_votes(range(33))
    pipeline.cast_votes(range(8), candidate_id="c1")
    pipeline.cast(b"no ballot", None, partition=1)
    pipeline.record_all()
    tally_all(pipeline, spark)
    return pipeline


def look(pipeline: Pipeline) -> Report:
    report = audit(pipeline.kafka, pipeline.database_url)
    assert report.differences == []
    return report


def tables(pipeline: Pipeline) -> list[list[tuple[object, ...]]]:
    """Heads among them; and links that fit."""
    assert_chained(pipeline.connection)
    return everything_in(pipeline.connection)


def outcomes(pipeline: Pipeline) -> list[tuple[object, ...]]:
    """All but the offsets and the time of publication, which a topic that is made again cannot keep."""
    return [
        (topic, message.partition, message.key, message.value, message.headers)
        for topic in (VOTES, REJECTED)
        for message in pipeline.read(topic)
    ]


def call(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, what: str) -> int:
    """`livetally rebuild WHAT`, in this process."""
    for name, value in pipeline.environment().items():
        if name.startswith("LIVETALLY_"):
            monkeypatch.setenv(name, value)
    return rebuild(argparse.Namespace(what=what))


def test_whoever_waits_for_the_recount_asks_again_when_postgresql_was_away(pipeline: Pipeline) -> None:
    cells = Cells(pipeline.connection)
    before = cells.begin("fingerprint", "first count").number
    backing: Any = SimpleNamespace(kafka_bootstrap_servers=pipeline.kafka, database_url=pipeline.database_url)
    looking = "FROM pg_stat_activity WHERE datname = current_database() AND starts_with(application_name, 'livetally rebuild')"
    stop, is_over = threading.Event(), threading.Event()
    watcher = Worker(lambda _: _stop_when_shown(backing, before, stop, is_over))
    wait_for(lambda: pipeline.sql(f"SELECT pid {looking}"), "it looks")
    pipeline.sql(f"SELECT pg_terminate_backend(pid) {looking}")
    cells.show(cells.begin("fingerprint", "recount").number)
    watcher.wait()
    assert stop.is_set()


def test_each_of_the_three_can_be_made_again(counted: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    before = look(counted), tables(counted), outcomes(counted)
    assert before[0].ok
    for what, number in (("ledger", 1), ("votes-topic", 2), ("tally", 3)):
        assert call(counted, monkeypatch, what) == 0
        assert (look(counted), tables(counted), outcomes(counted)) == before, what
        assert counted.sql("SELECT what, count(*) OVER () FROM acts ORDER BY number DESC LIMIT 1") == [(f"rebuild {what}", number)]
        assert counted.sql("SELECT generation FROM tally_generations") == [(number,)], what


def test_a_damaged_ledger_is_healed_from_the_ballots_as_far_as_it_had_come(counted: Pipeline) -> None:
    counted.cast_votes([30, 31])  # the recorder's to decide and to publish, later
    before = look(counted), tables(counted)
    counted.tamper("DELETE FROM votes WHERE voter_id < 'v2'")
    counted.tamper("UPDATE votes SET candidate_id = 'c2'")
    counted.tamper("DELETE FROM rejections")
    counted.sql("TRUNCATE recorded")
    with pytest.raises(LedgerError, match=r"`\./livetally rebuild ledger`"):
        record(counted.kafka, counted.database_url, 100, threading.Event())
    said = rebuild_ledger(counted.kafka, counted.database_url)
    assert said.startswith("The ledger has been made again from 43 ballots: 30 votes, 13 rejected.")
    assert (look(counted), tables(counted)) == before
    counted.record_all()
    assert sum(look(counted).rejected.values()) == sum(before[0].rejected.values()) + 2


@pytest.fixture
def recorded(pipeline: Pipeline) -> Pipeline:
    """Ballots that were recorded: votes in every partition, a rejection in the last one."""
    pipeline.hold_election(9)
    pipeline.cast_votes(range(9))
    pipeline.cast(b"no ballot", partition=2)
    pipeline.record_all()
    return pipeline


def test_a_ledger_that_was_not_touched_is_the_same_again_and_that_is_said(recorded: Pipeline) -> None:
    before = tables(recorded)
    for _ in range(2):
        assert rebuild_ledger(recorded.kafka, recorded.database_url) == (
            "The ledger has been made again from 10 ballots: 9 votes, 1 rejected.\nIt is what it was, and so are its heads."
        )
        assert tables(recorded) == before


TAMPERED = pytest.mark.parametrize(
    ("statement", "partitions"),
    [
        ("UPDATE votes SET candidate_id = 'c0' WHERE voter_id IN ('v2', 'v4')", "1, 2"),
        ("UPDATE votes SET voting_time = voting_time + interval '1 ms' WHERE voter_id = 'v3'", "0"),
        ("UPDATE rejections SET detail = 'something else'", "2"),
        ("DELETE FROM votes WHERE voter_id = 'v3'", "0"),
        ("INSERT INTO votes SELECT 'nobody', 'c0', voting_time, 1, 'e', 1, ballot_offset + 1 FROM votes WHERE voter_id = 'v7'", "1"),
    ],
)


@TAMPERED
def test_who_tampers_and_makes_the_chain_fit_again_is_named_all_the_same(recorded: Pipeline, statement: str, partitions: str) -> None:
    """Such a ledger agrees with itself. The ballots tell."""
    before = tables(recorded)
    recorded.tamper(statement)
    forge(recorded.connection)
    assert tables(recorded) != before
    said = rebuild_ledger(recorded.kafka, recorded.database_url)
    assert f"wrong. The heads of partition {partitions} are others now." in said
    assert tables(recorded) == before


@TAMPERED
def test_who_tampers_with_rows_alone_is_named(recorded: Pipeline, statement: str, partitions: str) -> None:
    before = tables(recorded)
    recorded.tamper(statement)
    said = rebuild_ledger(recorded.kafka, recorded.database_url)
    assert tables(recorded) == before
    assert re.search(f"verdicts? of partition {partitions} (was|were) wrong. Its heads are what they were.", said)


def test_a_ledger_that_was_emptied_is_not_said_to_be_what_it_was(recorded: Pipeline) -> None:
    before = tables(recorded)
    recorded.tamper("TRUNCATE votes, rejections, chain, recorded")
    said = rebuild_ledger(recorded.kafka, recorded.database_url)
    assert tables(recorded) == before
    assert "10 verdicts of partition 0, 1, 2 were wrong. The heads of partition 0, 1, 2 are others now." in said


@pytest.fixture
def divided(pipeline: Pipeline) -> Pipeline:
    """People whose ballots lie in two partitions, as a producer with another partitioner leaves them; whichever was decided first counts."""
    pipeline.hold_election(4)
    for voter_id, candidate_id, partition in (
        ("v0", "c0", 2),
        ("v0", "c1", 0),
        ("v1", "c0", 0),
        ("v1", "c1", 2),
        ("v2", "c2", 1),
        ("v2", "c2", 0),
        ("v3", "c0", 0),
        ("v3", "c1", 1),
    ):
        pipeline.cast(ballot(voter_id, candidate_id), key=voter_id.encode(), partition=partition)
        pipeline.record_all()
    assert [row[1:4] for row in pipeline.votes()] == [("v0", "c0", 2), ("v1", "c0", 0), ("v2", "c2", 1), ("v3", "c0", 0)]
    return pipeline


def test_who_cast_into_two_partitions_keeps_the_verdict_that_was_stored(divided: Pipeline) -> None:
    before = tables(divided)
    said = rebuild_ledger(divided.kafka, divided.database_url)
    assert tables(divided) == before
    assert said.endswith("It is what it was, and so are its heads.")


def test_and_keeps_it_however_often_the_ledger_is_made_again(divided: Pipeline) -> None:
    before = tables(divided)
    for _ in range(3):
        rebuild_ledger(divided.kafka, divided.database_url)
        assert tables(divided) == before


def folded(pipeline: Pipeline) -> dict[str, Counter[Group]]:
    """The aggregated topics as an outsider reads them: of each key the highest version, whatever count it is of."""
    shown = Shown()
    for topic in TOPICS:
        for message in pipeline.read(topic):
            shown.take(topic, message)
    return {topic: +shown.totals(topic) for topic in TOPICS}


def forged_vote() -> bytes:
    """Of nobody, in a place that does not exist and in a minute that is not over."""
    soon = utc_text(datetime.now(UTC) + timedelta(minutes=3))
    address = {"state": "Atlantis", "city": "Poseidonis"}
    return orjson.dumps({"election_id": ELECTION, "candidate_id": "nobody", "address": address, "gender": "merman", "voting_time": soon})


def test_a_votes_topic_that_was_tampered_with_is_healed(counted: Pipeline, spark: Spark) -> None:
    """Also what was announced meanwhile, and although the recount is killed before it has announced anything."""
    before, announced = (look(counted), outcomes(counted)), folded(counted)
    counted.cast(forged_vote(), b'{"candidate_id": "c0"}', partition=1, topic=VOTES)
    tally_all(counted, spark)
    assert all(folded(counted)[topic].total() == announced[topic].total() + 2 - (topic == MINUTES) for topic in TOPICS)
    rebuild_votes_topic(counted.kafka, counted.database_url, VOTES_TOPIC, 1)

    def die_before_it_is_announced(point: Point) -> None:
        if point is Point.AFTER_SHOW:
            raise ServiceError("the lights go out")

    with pytest.raises(ServiceError, match="the lights go out"), tallying(counted, spark, die_before_it_is_announced) as worker:
        wait_for(lambda: not worker.is_alive, "the tally ends")
    assert counted.sql("SELECT state FROM tally_generations ORDER BY generation") == [("retired",), ("shown",)]
    tally_all(counted, spark)
    assert folded(counted) == announced
    assert counted.sql("SELECT generation, state FROM tally_generations") == [(2, "shown")]
    assert counted.sql("SELECT count(*) FROM history WHERE generation <> 2") == [(0,)]
    assert (look(counted), outcomes(counted)) == before
    counted.cast_votes([32])
    counted.record_all()
    assert sum(look(counted).rejected.values()) == 14, "the recorder goes on behind the topic that was made again"


def test_a_recount_of_nothing_takes_back_everything(counted: Pipeline, spark: Spark) -> None:
    """As when the topic of the votes was made anew, and nobody has published them again yet."""
    recreate(counted.servers.admin, [VOTES_TOPIC])
    with tallying(counted, spark):
        wait_for(lambda: counted.sql("SELECT generation, state FROM tally_generations") == [(2, "shown")], "the empty count is shown")
    assert folded(counted) == {topic: Counter() for topic in TOPICS}


def test_an_interrupted_rebuild_is_noticed_and_healed_by_doing_it_again(
    counted: Pipeline, spark: Spark, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = look(counted), outcomes(counted)

    def breaks(*_: object) -> None:
        raise ServiceError("the broker went away")

    with monkeypatch.context() as broken:
        broken.setattr(AllOrNothing, "publish", breaks)
        with pytest.raises(ServiceError, match="went away"):
            rebuild_votes_topic(counted.kafka, counted.database_url, VOTES_TOPIC, 1)
    what_to_do = r"`rebuild votes-topic` was begun at .* did not finish\. Run `\./livetally rebuild votes-topic` again"
    assert counted.sql("SELECT what FROM rebuilding") == [("votes-topic",)]
    with pytest.raises(LedgerError, match=what_to_do):
        record(counted.kafka, counted.database_url, 100, threading.Event())
    with pytest.raises(LedgerError, match=what_to_do), tallying(counted, spark) as worker:
        worker.wait()
    with pytest.raises(LedgerError, match=what_to_do):
        rebuild_ledger(counted.kafka, counted.database_url)
    assert rebuild_votes_topic(counted.kafka, counted.database_url, VOTES_TOPIC, 1) == "30 votes have been published again."
    tally_all(counted, spark)
    assert (look(counted), outcomes(counted)) == before


def test_nothing_is_made_again_while_a_recorder_runs(pipeline: Pipeline) -> None:
    pipeline.hold_election(5)
    pipeline.cast_votes(range(5))
    with recording(pipeline):
        pipeline.await_decided()
        with pytest.raises(LedgerError, match="A recorder is running"):
            rebuild_ledger(pipeline.kafka, pipeline.database_url)
        with pytest.raises(LedgerError, match="A recorder is running"):
            rebuild_votes_topic(pipeline.kafka, pipeline.database_url, VOTES_TOPIC, 1)
    assert pipeline.sql("TABLE rebuilding") == []
    assert len(pipeline.read(VOTES)) == 5


def test_the_votes_topic_is_not_made_again_while_a_tally_runs(pipeline: Pipeline, spark: Spark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livetally.adapters.cells.LOCK_WITHIN_S", 0.3)
    add_election(pipeline.connection)
    with tallying(pipeline, spark) as worker:
        pipeline.await_generation(worker)
        with pytest.raises(LedgerError, match="A tally is running already"):
            rebuild_votes_topic(pipeline.kafka, pipeline.database_url, VOTES_TOPIC, 1)
    assert pipeline.sql("TABLE rebuilding") == []


def test_an_empty_pipeline_can_be_made_again(pipeline: Pipeline) -> None:
    add_election(pipeline.connection)
    assert rebuild_ledger(pipeline.kafka, pipeline.database_url).startswith("The ledger has been made again from 0 ballots")
    assert rebuild_votes_topic(pipeline.kafka, pipeline.database_url, VOTES_TOPIC, 1) == "0 votes have been published again."


def test_a_rebuild_keeps_recorders_out(pipeline: Pipeline) -> None:
    add_election(pipeline.connection)
    with closing(connect(pipeline.database_url, "tests", Rights.RECORD)) as other:
        Custody(other).be_alone()
        with pytest.raises(LedgerError, match="being rebuilt"):
            record(pipeline.kafka, pipeline.database_url, 100, threading.Event())
