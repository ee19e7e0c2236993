"""The badge: green where ledger, topic, tally and announcements agree, amber while votes wait for long, red within a refresh if one of them lies.

One pipeline serves the module. What is planted in tables is taken out again, and the badge must turn green again; what is planted on
topics stays, so it comes last, each time before the eyes of a page that looks already.
"""

import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg
import pytest
from confluent_kafka import TopicPartition

from livetally.adapters.agreement import Witnesses
from livetally.core.wire import BY_LOCATION, PER_CANDIDATE, VOTES, topics, utc_text
from livetally.show import reader as reader_module
from livetally.show.live import REFRESH_S_MIN
from livetally.show.serving import Serving, serve
from livetally.show.trust import Agreement
from pipeline import (
    ELECTION,
    PARTITIONS,
    WITHIN_S,
    Pipeline,
    Servers,
    Spark,
    Worker,
    await_tallied,
    clean_pipeline,
    recording,
    recreate,
    tallying,
    wait_for,
)

PEOPLE, VOTERS = 60, 30
# "Red within one refresh": a viewer's shortest interval, and the time until the page's server looks itself. That is what the middle one of
# all plantings must do; a single one may find the machine busy with other tests.
RED_WITHIN_S = REFRESH_S_MIN + reader_module.CHECK_INTERVAL_S
RED_AT_LAST_S = 3 * RED_WITHIN_S


@dataclass
class Watched:
    pipeline: Pipeline
    tally: Worker
    page: Serving
    red_after_s: list[float] = field(default_factory=list)

    @property
    def badge(self) -> Agreement:
        return self.page.snapshot.agreement

    def await_check(self) -> None:
        """Until it has been compared once more."""
        before = self.badge.checked_at
        wait_for(lambda: self.badge.checked_at != before, "another check")

    def await_green(self) -> None:
        wait_for(lambda: self.badge.state == "green", "a green badge")

    def await_red(self, *words: str, within_s: float = RED_AT_LAST_S) -> str:
        """What the badge says of the place that it was asked for. Called right behind the planting: it is timed."""

        def found() -> list[str]:
            return [one.place for one in self.badge.differences if all(word in one.place for word in words)]

        began_s = time.monotonic()
        wait_for(lambda: self.badge.state == "red" and bool(found()), f"a red badge that names {words}", within_s)
        if within_s == RED_AT_LAST_S:
            self.red_after_s.append(time.monotonic() - began_s)
        return found()[0]


@pytest.fixture(scope="module")
def watched(servers: Servers, spark: Spark, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with clean_pipeline(servers, tmp_path_factory.mktemp("watched")) as pipeline:
        pipeline.hold_election(PEOPLE)
        with tallying(pipeline, spark) as tally, closing(serve(pipeline.kafka, pipeline.database_url)) as page:
            pipeline.cast_votes(range(VOTERS))
            pipeline.record_all()
            await_tallied(pipeline, tally)
            yield Watched(pipeline, tally, page)


def test_two_checks_fit_into_the_shortest_refresh_interval() -> None:
    assert 2 * reader_module.CHECK_INTERVAL_S < REFRESH_S_MIN


def test_where_all_is_well_it_is_green_and_says_how_many(watched: Watched) -> None:
    watched.await_green()
    wait_for(lambda: watched.badge.ledger == VOTERS, "the ledger has been read since")
    assert (watched.badge.topic, watched.badge.tally, watched.badge.behind, watched.badge.differences) == (VOTERS, VOTERS, 0, ())


def test_the_terminal_says_the_same_until_somebody_ends_it(watched: Watched) -> None:
    """In a pipe: lines, nothing that moves a cursor; Ctrl+C is no failure."""
    command = [sys.executable, "-m", "livetally", "results", "--watch"]
    with subprocess.Popen(
        command, env=watched.pipeline.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout
        assert process.stderr
        said = ""
        while "agree on" not in said:
            said = process.stdout.readline()
            assert said, process.stderr.read()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=WITHIN_S)
    assert f": {VOTERS} votes" in said
    assert f"agree on {VOTERS} votes" in said
    assert "\x1b" not in said
    assert (process.returncode, errors) == (0, "")


def test_while_votes_stream_in_it_is_never_red_and_says_how_many_are_on_their_way(watched: Watched) -> None:
    """The tally is held up before the first of them is counted: they are on their way, which is no difference and not late yet."""
    pipeline, seen = watched.pipeline, set[str]()
    with recording(pipeline, ballots_max=2), closing(Witnesses(pipeline.database_url)) as witnesses:
        with closing(psycopg.connect(pipeline.database_url)) as holding:
            holding.execute("SELECT FROM tally_generations FOR UPDATE")
            pipeline.cast_votes(range(VOTERS, VOTERS + 3))
            wait_for(lambda: watched.badge.behind == 3, "three votes are on their way")
            assert watched.badge.state == "green"
        for first in range(VOTERS + 3, PEOPLE, 3):
            pipeline.cast_votes(range(first, first + 3))
            watched.await_check()
            seen.add(watched.badge.state)
            assert witnesses.rewritten().tally is None, "nobody but the tally has written what it counts"
            witnesses.tallied(None, whole=False)
        pipeline.await_decided()
    await_tallied(pipeline, watched.tally)
    wait_for(lambda: watched.badge.tally == PEOPLE, "every vote has been compared")
    watched.await_green()
    assert seen <= {"green", "amber"}, watched.badge


@pytest.mark.parametrize("table", ["cells", "group_totals"])
def test_a_row_that_somebody_else_has_written_is_noticed_without_reading_all(watched: Watched, table: str) -> None:
    with closing(Witnesses(watched.pipeline.database_url)) as witnesses:
        witnesses.tallied(None, whole=False)
        before = witnesses.rewritten().tally
        watched.pipeline.sql(f"UPDATE {table} SET votes = votes WHERE ctid = (SELECT min(ctid) FROM {table})")
        first = witnesses.rewritten().tally
        assert first not in {None, before}
        assert witnesses.rewritten().tally == first, "the same mark for the same rows"
        watched.pipeline.sql(f"UPDATE {table} SET votes = votes WHERE ctid = (SELECT max(ctid) FROM {table})")
        assert witnesses.rewritten().tally not in {None, first}


ALTERED = {
    "a vote for somebody else": (
        "UPDATE votes SET candidate_id = 'c1' WHERE voter_id = 'v0'",
        "UPDATE votes SET candidate_id = 'c0' WHERE voter_id = 'v0'",
        ("the ledger has", "the votes topic has"),
    ),
    "two votes exchanged": (
        "UPDATE votes SET candidate_id = CASE candidate_id WHEN 'c0' THEN 'c1' ELSE 'c0' END WHERE voter_id IN ('v0', 'v1')",
        "UPDATE votes SET candidate_id = CASE candidate_id WHEN 'c0' THEN 'c1' ELSE 'c0' END WHERE voter_id IN ('v0', 'v1')",
        ("not of the same ballots",),
    ),
    "a vote that nobody cast": (
        "INSERT INTO votes SELECT 'nobody', candidate_id, voting_time, vote, election_id, ballot_partition, ballot_offset FROM votes WHERE voter_id = 'v0'",
        "DELETE FROM votes WHERE voter_id = 'nobody'",
        ("the ledger has", "the votes topic has"),
    ),
}


@pytest.mark.parametrize("what", ALTERED)
def test_an_altered_row_of_the_ledger(watched: Watched, what: str) -> None:
    plant, take_out, words = ALTERED[what]
    watched.await_green()
    watched.pipeline.tamper(plant)
    try:
        watched.await_red(*words)
        assert watched.badge.since is not None
    finally:
        watched.pipeline.tamper(take_out)
    watched.await_green()


@pytest.mark.parametrize(
    ("plant", "take_out", "words"),
    [
        ("votes = votes + 1", "votes = votes - 1", ("cell", "the votes topic has", "the tally has")),
        ("city = city || '!'", "city = left(city, -1)", ("cell", "!", "the votes topic has 0 votes")),
    ],
    ids=["a count", "a place"],
)
def test_a_wrong_cell(watched: Watched, plant: str, take_out: str, words: tuple[str, ...]) -> None:
    watched.await_green()
    ((one,),) = watched.pipeline.sql(f"UPDATE cells SET {plant} WHERE ctid = (SELECT min(ctid) FROM cells) RETURNING ctid::text")
    try:
        watched.await_red(*words)
    finally:
        watched.pipeline.sql(f"UPDATE cells SET {take_out} WHERE ctid = %s::tid", (one,))
    watched.await_green()


def test_a_total_that_is_not_the_sum_of_its_cells(watched: Watched) -> None:
    watched.await_green()
    where = "view = 'state' AND group_1 = 'State 1' AND candidate_id <> ''"
    watched.pipeline.sql(f"UPDATE group_totals SET votes = votes + 1 WHERE {where}")
    try:
        watched.await_red("state · State 1", "its cells add up to")
    finally:
        watched.pipeline.sql(f"UPDATE group_totals SET votes = votes - 1 WHERE {where}")
    watched.await_green()


def test_while_postgresql_is_not_asked_nothing_is_claimed(watched: Watched) -> None:
    """The connection is cut: the badge heals by itself."""
    watched.await_green()
    checked = watched.badge.checked_at
    watched.pipeline.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'livetally agreement%%'")
    wait_for(lambda: watched.badge.state == "green" and watched.badge.checked_at != checked, "green again")


def announced(watched: Watched, topic: str) -> tuple[bytes | None, dict[str, Any]]:
    newest = max(watched.pipeline.read(topic), key=lambda one: (one.fields["version"], one.offset))
    return newest.key, newest.fields


@pytest.mark.parametrize("beyond", [0, 1000], ids=["the same version", "a version that was never stored"])
def test_a_wrong_number_on_an_aggregated_topic(watched: Watched, beyond: int) -> None:
    key, fields = announced(watched, PER_CANDIDATE)
    generation, batch = fields["version"]
    wrong = fields | {"total_votes": 9_999, "version": [generation, batch + beyond], "as_of": utc_text(datetime.now(UTC))}
    watched.pipeline.send(PER_CANDIDATE, [(key, orjson.dumps(wrong), 0, {})])
    watched.await_red(PER_CANDIDATE, str(fields["candidate_id"]), "9,999")


def cut_off(pipeline: Pipeline, topic: str, partition: int, before: int) -> None:
    for done in pipeline.servers.admin.delete_records([TopicPartition(topic, partition, before)]).values():
        done.result(WITHIN_S)


def test_a_message_that_is_missing_on_the_votes_topic(watched: Watched) -> None:
    pipeline = watched.pipeline
    first = min(message for message in pipeline.read(VOTES) if message.partition == 1)
    cut_off(pipeline, VOTES, 1, first.offset + 1)
    watched.await_red(f"{VOTES}[1]", "are gone")
    with closing(serve(pipeline.kafka, pipeline.database_url)) as page:
        fresh = Watched(pipeline, watched.tally, page)
        fresh.await_red(f"candidate {first.fields['candidate_id']}", "the ledger has", "the votes topic has", within_s=WITHIN_S)
        assert fresh.badge.differences[0].election_id in {"", ELECTION}


def test_announcements_that_are_missing(watched: Watched) -> None:
    """Somebody who begins to look reads a topic that has lost its messages; the others, and the tally's numbers, are there."""
    pipeline = watched.pipeline
    recreate(pipeline.servers.admin, [topic for topic in topics(PARTITIONS) if topic.name == BY_LOCATION])
    with closing(serve(pipeline.kafka, pipeline.database_url)) as page:
        fresh = Watched(pipeline, watched.tally, page)
        fresh.await_red(BY_LOCATION, "State 1", "never announced", within_s=WITHIN_S)


def test_red_comes_within_a_refresh(watched: Watched) -> None:
    """The last of the module: how long it took above, each time from the planting to the badge."""
    assert len(watched.red_after_s) >= 5
    assert statistics.median(watched.red_after_s) < RED_WITHIN_S
