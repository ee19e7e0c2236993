"""The reader: one picture for all, kept while a service is away, going on by itself when it is back."""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from livetally.adapters.reading import Record
from livetally.adapters.votes_read import Passed
from livetally.core import wire
from livetally.core.elections import Election
from livetally.core.errors import ServiceError
from livetally.show import reader as reader_module
from livetally.show.health import SPARK_STARTS, health, spark_is_away
from livetally.show.journeys import Journeys
from livetally.show.judge import Checked
from livetally.show.listening import Listening
from livetally.show.reader import Reader
from livetally.show.result import Facts, Snapshot, Trouble
from livetally.show.trust import Agreement, Waiting

DEADLINE_S = 5.0
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def record(offset: int, total: int, **fields: Any) -> Record:
    named = {"candidate_id": "a", "total_votes": total, "election_id": "e", "version": [1, offset], "as_of": "2026-05-04 12:00:00.000"}
    return Record(wire.PER_CANDIDATE, 0, offset, 0, None, orjson.dumps(named | fields), ())


class Topics:
    """A topic that many tails read, each from the beginning; `fault` takes all of them away."""

    def __init__(self) -> None:
        self.log: list[Record] = []
        self.fault: str | None = None
        self.away: str | None = None
        self.ready = True
        self.tails: list[Tail] = []

    def open(self) -> "Tail":
        tail = Tail(self)
        self.tails.append(tail)
        return tail


class Tail:
    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._position = 0
        self.fault: str | None = None
        self.away: str | None = None
        self.closed = False

    @property
    def caught_up(self) -> bool:
        return self._topics.ready

    def read(self, wait_s: float) -> list[Record]:
        self.fault, self.away = self._topics.fault, self._topics.away
        records = [] if self.fault or self.away else self._topics.log[self._position :]
        self._position += len(records)
        if not records:
            time.sleep(min(wait_s, 0.005))
        return records

    def close(self) -> None:
        self.closed = True


class Database:
    def __init__(self) -> None:
        self.registered = 10
        self.stages: frozenset[str] | None = None
        self.error: Exception | None = None
        self.opened = 0

    def open(self) -> "Database":
        self.opened += 1
        return self

    def read(self) -> Facts:
        if self.error:
            raise self.error
        return Facts((Election("e", "May", "real", "open", 1, None, None),), self.registered, {"e": 1}, stages=self.stages)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "RETRY_S", 0.01)
    monkeypatch.setattr(reader_module, "FACTS_INTERVAL_S", 0.01)
    monkeypatch.setattr(reader_module, "PUBLISH_INTERVAL_S", 0.01)
    monkeypatch.setattr(reader_module, "CHECK_INTERVAL_S", 0.01)


@pytest.fixture
def topics() -> Topics:
    return Topics()


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def reader(topics: Topics, database: Database) -> Iterator[Reader]:
    one = Reader(topics.open, database.open, lambda: NOON)
    one.start()
    yield one
    one.close()


class Checks:
    """What the reader hands to the checks, and what comes of them."""

    def __init__(self) -> None:
        self.announced: Callable[[], Any] = dict
        self.error: Exception | None = None
        self.checked = Checked(Agreement("amber", 4, 4, 4, behind=3), waiting=(Waiting("tally", "votes", 3),))

    def open(self, announced: Callable[[], Any]) -> "Checks":
        self.announced = announced
        return self

    def check(self) -> Checked:
        if self.error is not None:
            raise self.error
        return self.checked

    def close(self) -> None:
        pass


def wait_for(reader: Reader, condition: Callable[[Snapshot], bool]) -> Snapshot:
    end = time.monotonic() + DEADLINE_S
    while not condition(snapshot := reader.snapshot):
        assert time.monotonic() < end, snapshot
        time.sleep(0.002)
    return snapshot


def total(snapshot: Snapshot) -> int:
    return snapshot.results["e"].total_votes if snapshot.results else -1


def test_messages_and_facts_come_together(reader: Reader, topics: Topics) -> None:
    topics.log.append(record(1, 5))
    snapshot = wait_for(reader, lambda one: total(one) == 5 and one.facts is not None)
    assert snapshot.facts
    assert (snapshot.facts.registered, snapshot.troubles) == (10, ())
    topics.log.append(record(2, 6))
    wait_for(reader, lambda one: total(one) == 6)


def test_nothing_is_shown_before_the_topics_have_been_read_to_their_end(topics: Topics, database: Database) -> None:
    topics.ready = False
    topics.log.append(record(1, 5))
    reader = Reader(topics.open, database.open, lambda: NOON)
    reader.start()
    assert wait_for(reader, lambda one: one.facts is not None).results is None
    topics.ready = True
    wait_for(reader, lambda one: total(one) == 5)
    reader.close()


def test_kafka_away_and_back(reader: Reader, topics: Topics) -> None:
    topics.log.append(record(1, 5))
    wait_for(reader, lambda one: total(one) == 5)
    topics.fault = "Connection refused"
    away = wait_for(reader, lambda one: bool(one.troubles))
    assert total(away) == 5
    assert [(one.service, one.since, one.detail) for one in away.troubles] == [("Kafka", NOON, "Connection refused")]
    topics.log.append(record(2, 8))
    topics.fault = None
    wait_for(reader, lambda one: not one.troubles and total(one) == 8)
    assert topics.tails[0].closed


def test_a_kafka_that_was_silent_is_read_on_where_it_was(reader: Reader, topics: Topics, caplog: pytest.LogCaptureFixture) -> None:
    """On a busy machine it may only have been slow to answer; to read all topics again would not make it quicker."""
    caplog.set_level(logging.INFO)
    topics.log.append(record(1, 5))
    wait_for(reader, lambda one: total(one) == 5)
    topics.away = "It is silent."
    away = wait_for(reader, lambda one: bool(one.troubles))
    assert [(one.service, one.since, one.detail) for one in away.troubles] == [("Kafka", NOON, "It is silent.")]
    topics.log.append(record(2, 8))
    topics.away = None
    wait_for(reader, lambda one: not one.troubles and total(one) == 8)
    assert (len(topics.tails), topics.tails[0].closed) == (1, False)
    assert [one.message for one in caplog.records if getattr(one, "service", "") == "Kafka"] == ["a service is away", "a service is back"]


def test_kafka_back_without_news_is_no_trouble_any_more(reader: Reader, topics: Topics) -> None:
    wait_for(reader, lambda one: one.results is not None)
    topics.fault = "Connection refused"
    wait_for(reader, lambda one: bool(one.troubles))
    topics.fault = None
    wait_for(reader, lambda one: not one.troubles)


def test_postgresql_away_and_back(reader: Reader, database: Database) -> None:
    wait_for(reader, lambda one: one.facts is not None)
    database.error = ServiceError("PostgreSQL does not answer")
    away = wait_for(reader, lambda one: bool(one.troubles))
    assert away.facts
    assert (away.troubles[0].service, away.facts.registered) == ("PostgreSQL", 10)
    database.error, database.registered = None, 11
    back = wait_for(reader, lambda one: not one.troubles and one.facts is not None and one.facts.registered == 11)
    assert back.facts


def test_both_away_are_both_named(reader: Reader, topics: Topics, database: Database) -> None:
    topics.fault, database.error = "gone", ServiceError("gone too")
    wait_for(reader, lambda one: {trouble.service for trouble in one.troubles} == {"Kafka", "PostgreSQL"})


def test_a_fault_that_nobody_expected_is_shown_logged_and_survived(
    reader: Reader, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.error = ZeroDivisionError("oops")
    away = wait_for(reader, lambda one: bool(one.troubles))
    assert away.troubles[0].detail == "ZeroDivisionError: oops"
    assert "nobody expected" in caplog.text
    database.error = None
    wait_for(reader, lambda one: not one.troubles)


def test_unreadable_messages_reach_the_page(reader: Reader, topics: Topics) -> None:
    topics.log.append(record(1, 5))
    topics.log.append(record(2, -5))
    snapshot = wait_for(reader, lambda one: one.unreadable.count == 1)
    assert total(snapshot) == 5


def test_it_ends(topics: Topics, database: Database) -> None:
    reader = Reader(topics.open, database.open, lambda: NOON)
    reader.start()
    wait_for(reader, lambda one: one.results is not None and one.facts is not None)
    reader.close()
    assert not any(thread.is_alive() for thread in reader._threads)
    assert topics.tails[-1].closed


def test_a_broker_that_is_silent_is_asked_now_and_then_whether_it_is_there() -> None:
    topics, now_s, answers = Topics(), [0.0], [True]
    asked: list[float] = []

    def broker_answers() -> bool:
        asked.append(now_s[0])
        return answers[0]

    listening = Listening(topics.open(), broker_answers, lambda: now_s[0])
    for now_s[0] in (0.5, 1.9, 2.0, 3.9, 4.0):
        assert listening.read(0) == []
    assert (asked, listening.away) == ([2.0, 4.0], None)
    topics.log.append(record(1, 5))
    now_s[0] = 7.0
    assert len(listening.read(0)) == 1
    now_s[0], answers[0] = 9.0, False
    listening.read(0)
    assert (asked, listening.away) == ([2.0, 4.0, 9.0], "The broker sends nothing and does not answer.")
    topics.log.append(record(2, 6))  # it has sent something
    listening.read(0)
    is_away = [listening.away is not None]
    for now_s[0], answers[0] in ((12.0, False), (14.0, True)):
        listening.read(0)
        is_away.append(listening.away is not None)
    assert is_away == [False, True, False]
    topics.fault = "its own"
    listening.read(0)
    assert (listening.fault, listening.away) == ("its own", None)


@pytest.fixture
def checks() -> Checks:
    return Checks()


@pytest.fixture
def checking(topics: Topics, database: Database, checks: Checks) -> Iterator[Reader]:
    one = Reader(topics.open, database.open, lambda: NOON, checks.open)
    one.start()
    yield one
    one.close()


def test_the_badge_comes_with_what_waits(checking: Reader) -> None:
    snapshot = wait_for(checking, lambda one: one.agreement.state == "amber")
    assert (snapshot.agreement.behind, snapshot.trust.waiting) == (3, (Waiting("tally", "votes", 3),))


def test_the_checks_are_told_what_was_heard_and_nothing_before_the_topics_were_read(
    checking: Reader, topics: Topics, checks: Checks
) -> None:
    topics.log.append(record(1, 5))
    wait_for(checking, lambda one: total(one) == 5 and one.agreement.state == "amber")
    assert checks.announced() == {("candidate", "e", ("a",)): (1, 1, 5)}
    early = Reader(topics.open, Database().open, lambda: NOON, checks.open)
    assert early._announced() is None


@pytest.mark.parametrize("error", [ServiceError("Kafka is away"), ZeroDivisionError("oops")])
def test_what_cannot_be_compared_is_unknown_and_the_numbers_stay(checking: Reader, checks: Checks, error: Exception) -> None:
    wait_for(checking, lambda one: one.agreement.state == "amber")
    checks.error = error
    unknown = wait_for(checking, lambda one: one.agreement.state == "unknown")
    assert str(error) in unknown.agreement.waiting_for
    assert unknown.agreement.tally == 4
    checks.error = None
    wait_for(checking, lambda one: one.agreement.state == "amber")


def test_the_last_minute_comes_with_the_numbers(topics: Topics, database: Database) -> None:
    moments = iter(NOON + timedelta(seconds=second) for second in range(10_000_000))
    reader = Reader(topics.open, database.open, lambda: next(moments))
    reader.start()
    topics.log.append(record(1, 5))
    wait_for(reader, lambda one: total(one) == 5)
    topics.log.append(record(2, 8))
    snapshot = wait_for(reader, lambda one: "e" in one.last_minute)
    assert snapshot.last_minute["e"].votes == 3
    reader.close()


@pytest.mark.parametrize("how", ["fault", "away"])
def test_nobody_knows_what_the_last_minute_brings_while_kafka_is_away(topics: Topics, database: Database, how: str) -> None:
    moments = iter(NOON + timedelta(seconds=second) for second in range(10_000_000))
    reader = Reader(topics.open, database.open, lambda: next(moments))
    reader.start()
    topics.log.append(record(1, 5))
    wait_for(reader, lambda one: total(one) == 5)
    topics.log.append(record(2, 8))
    wait_for(reader, lambda one: total(one) == 8 and "e" in one.last_minute)
    setattr(topics, how, "gone")
    away = wait_for(reader, lambda one: bool(one.troubles))
    assert (total(away), away.last_minute) == (8, {})
    setattr(topics, how, None)
    back = wait_for(reader, lambda one: not one.troubles)
    assert "e" in back.last_minute
    reader.close()


def test_spark_is_away_since_no_tally_is_connected(topics: Topics, database: Database, checks: Checks) -> None:
    """Not since that was noticed: a tally that starts is given a while."""
    now = [NOON]
    database.stages = frozenset({"record"})
    reader = Reader(topics.open, database.open, lambda: now[0], checks.open)
    reader.start()
    wait_for(reader, lambda one: bool(one.trust.waiting) and any(each.name == "tally" for each in one.trust.health))
    now[0] += SPARK_STARTS
    away = wait_for(reader, lambda one: bool(one.troubles))
    assert [(one.service, one.since) for one in away.troubles] == [("Spark", NOON)]
    reader.close()


def test_services_and_stages_are_up_or_away_since_a_moment() -> None:
    facts = Facts((), 0, {}, stages=frozenset({"record", "pulse"}))
    first = health((), (), facts, NOON)
    assert [(one.name, one.is_up, one.since) for one in first] == [
        ("Kafka", True, NOON), ("PostgreSQL", True, NOON), ("record", True, NOON), ("tally", False, NOON)
    ]  # fmt: skip
    later = NOON + timedelta(minutes=1)
    second = health(first, (Trouble("PostgreSQL", later, "gone"),), facts, later)
    assert [(one.name, one.is_up, one.since) for one in second if one.name != "Kafka"] == [
        ("PostgreSQL", False, later), ("record", True, NOON), ("tally", False, NOON)
    ]  # fmt: skip
    assert second[1].detail == "gone"


def test_spark_is_missed_when_votes_wait_for_it_longer_than_it_takes_to_start() -> None:
    away = health((), (), Facts((), 0, {}, stages=frozenset()), NOON)
    waiting = (Waiting("tally", "votes", 1),)
    assert not spark_is_away(away, waiting, NOON + SPARK_STARTS / 2)
    assert spark_is_away(away, waiting, NOON + SPARK_STARTS)
    assert not spark_is_away(away, (), NOON + SPARK_STARTS)
    there = health((), (), Facts((), 0, {}, stages=frozenset({"tally"})), NOON)
    assert not spark_is_away(there, waiting, NOON + SPARK_STARTS)


def test_a_journey_is_told_stage_by_stage() -> None:
    journeys = Journeys()
    cast_ms = round(NOON.timestamp() * 1000)
    journeys.counted(Passed(cast_ms, cast_ms + 200), (1, 4))
    assert journeys.newest() is None, "what was announced before this server looked has no time of arrival"
    journeys.shown((1, 4), NOON + timedelta(seconds=0.7), NOON + timedelta(seconds=1))
    journeys.counted(Passed(cast_ms, cast_ms + 200), (1, 3))
    assert journeys.newest() is None
    journeys.counted(Passed(cast_ms, cast_ms + 200), (1, 4))
    newest = journeys.newest()
    assert newest
    assert (newest.recorded_s, newest.tallied_s, newest.shown_s) == pytest.approx((0.2, 0.5, 0.3))
    assert newest.whole_s == pytest.approx(1.0)
    assert journeys.p95_s(NOON) == pytest.approx(1.0)
    assert journeys.p95_s(NOON + timedelta(hours=1)) is None
