"""The stage that decides, against the real services: every ballot has exactly one outcome, whatever happens on the way."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupState, Producer, TopicPartition

from ledger_rows import assert_chained
from livetally.adapters.custody import Custody
from livetally.adapters.kafka import reader
from livetally.adapters.ledger import Ledger
from livetally.adapters.publisher import transactional
from livetally.adapters.reading import read_range
from livetally.adapters.topics import Topics
from livetally.core.verdicts import Verdict
from livetally.core.wire import BALLOTS, REJECTED, VOTES, ms_text
from livetally.record import intake, publish
from livetally.record.decide import Decided
from livetally.record.intake import GROUP, read_ballot
from livetally.record.publish import Publisher, transactional_id
from pipeline import (
    PARTITIONS,
    WITHIN_S,
    Pipeline,
    ballot,
    candidate,
    plain_consumer,
    recording,
    voter,
    wait_for,
)

REFERENCE_FIELDS = (
    *("voter_id", "voter_name", "date_of_birth", "gender", "nationality", "registration_number", "address", "email", "phone_number"),
    *("cell_number", "picture", "registered_age", "candidate_id", "candidate_name", "party_affiliation", "biography"),
    *("campaign_platform", "photo_url", "voting_time", "vote", "election_id"),
)


def outcomes(pipeline: Pipeline) -> Counter[tuple[int, int]]:
    """How often each ballot's outcome lies on the topics, as anybody would read them."""
    return Counter(message.ballot for topic in (VOTES, REJECTED) for message in pipeline.read(topic))


def ballots(pipeline: Pipeline) -> set[tuple[int, int]]:
    return {(message.partition, message.offset) for message in pipeline.read(BALLOTS)}


def assert_every_ballot_has_one_outcome_in_order(pipeline: Pipeline) -> None:
    found = outcomes(pipeline)
    assert found == Counter(ballots(pipeline))
    for topic in (VOTES, REJECTED):
        messages = pipeline.read(topic)
        assert all(message.ballot[0] == message.partition for message in messages)
        assert [message.ballot for message in messages] == sorted(message.ballot for message in messages)
    said = sorted((message.fields["election_id"], message.key, *message.ballot) for message in pipeline.read(VOTES))
    assert said == sorted((election, voter_id.encode(), *place) for election, voter_id, _, *place in pipeline.votes())
    assert_chained(pipeline.connection)


def decide_without_publishing(pipeline: Pipeline) -> list[Verdict]:
    """What a recorder leaves that dies between the two commits."""
    identity = Topics(pipeline.kafka).identity(BALLOTS)
    ledger = Ledger(pipeline.connection)
    Custody(pipeline.connection).claim(identity.cluster_id, identity.topic_id)
    with closing(reader(pipeline.kafka)) as client:
        messages = [message for partition in range(PARTITIONS) for message in read_range(client, BALLOTS, partition, 0, 10**9)]
        return ledger.decide([read_ballot(message) for message in messages])


def test_every_ballot_has_one_outcome_in_its_partition_and_order(pipeline: Pipeline) -> None:
    pipeline.hold_election(voters=60)
    pipeline.cast_votes(range(70))  # ten are not registered
    pipeline.cast_votes(range(30), candidate_id="c0")
    pipeline.cast(b"no ballot", None, ballot("v1", election_id="nowhere"), ballot("v1", "nobody"))
    with recording(pipeline, ballots_max=7):
        pipeline.await_decided()
        pipeline.cast_votes(range(10))  # while it runs
        pipeline.await_decided()
    assert_every_ballot_has_one_outcome_in_order(pipeline)
    assert len(pipeline.votes()) == 60
    reasons = Counter(message.headers["reason"].decode() for message in pipeline.read(REJECTED))
    assert reasons == Counter(
        {
            "malformed": 2,
            "unknown_election": 1,
            "unknown_candidate": 1,
            "unknown_voter": 10,
            "already_voted_same": 20,
            "already_voted_other": 20,
        }
    )


def test_a_vote_has_the_fields_of_the_reference_and_the_brokers_time(pipeline: Pipeline) -> None:
    pipeline.hold_election()
    pipeline.cast_votes([4])
    pipeline.record_all()
    (message,) = pipeline.read(VOTES)
    (cast,) = pipeline.read(BALLOTS)
    person, choice = voter(4), candidate("c1")
    expected: dict[str, Any] = {name: value for name, value in person._asdict().items() if not name.startswith("address_")}
    expected["address"] = {name.removeprefix("address_"): value for name, value in person._asdict().items() if name.startswith("address_")}
    for name in ("candidate_id", "candidate_name", "party_affiliation", "biography", "campaign_platform", "photo_url", "election_id"):
        expected[name] = getattr(choice, name)
    expected |= {"vote": 1, "voting_time": ms_text(cast.timestamp_ms)}
    assert message.fields == expected
    assert tuple(sorted(message.fields)) == tuple(sorted(REFERENCE_FIELDS))
    assert message.key == b"v4"
    assert message.headers == {"ballot_partition": b"1", "ballot_offset": b"0"}
    assert datetime.strptime(message.fields["voting_time"], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC) == datetime.fromtimestamp(
        cast.timestamp_ms / 1000, UTC
    )
    ((stored,),) = pipeline.sql("SELECT to_char(voting_time, 'YYYY-MM-DD HH24:MI:SS.MS') FROM votes")
    assert stored == ms_text(cast.timestamp_ms)


def test_a_rejected_ballot_is_handed_on_untouched(pipeline: Pipeline) -> None:
    pipeline.hold_election()
    largest = os.urandom(1024 * 1024 - 200)  # what the topic takes, with the little that surrounds it
    cast: list[tuple[bytes | None, bytes | None]] = [
        (None, None),
        (b"v1", None),
        (b"", b""),
        (None, b""),
        (b"\x00\xff", b"\xff\x00\xfe"),
        (None, largest),
        (b"k" * 3000, ballot("v1")),
        (b"v1", ballot("v1").replace(b"v1", b"v\\u0000")),
        (b"v2", ballot("v1")),
    ]
    pipeline.send(BALLOTS, [(key, value, 1, {}) for key, value in cast])
    pipeline.record_all()
    messages = pipeline.read(REJECTED)
    assert [message.ballot for message in messages] == [(1, offset) for offset in range(len(cast))]
    assert [message.value for message in pipeline.read(BALLOTS)] == [value for _, value in cast]
    assert [(message.key, message.value) for message in messages] == cast
    appended = [message.timestamp_ms for message in pipeline.read(BALLOTS)]
    for offset, message in enumerate(messages):
        detail = message.headers.pop("detail").decode()
        assert detail
        assert message.partition == 1
        assert message.headers == {
            "reason": b"malformed",
            "topic": b"ballots_topic",
            "partition": b"1",
            "offset": str(offset).encode(),
            "time": ms_text(appended[offset]).encode(),
            "ballot_partition": b"1",
            "ballot_offset": str(offset).encode(),
        }
    assert pipeline.votes() == []


def test_a_ballot_may_come_without_a_key(pipeline: Pipeline) -> None:
    pipeline.hold_election()
    pipeline.cast(ballot("v1", "c2"))
    pipeline.record_all()
    (message,) = pipeline.read(VOTES)
    assert (message.key, message.fields["candidate_id"]) == (b"v1", "c2")


def test_a_crash_between_the_two_commits_publishes_each_outcome_once(pipeline: Pipeline) -> None:
    pipeline.hold_election()
    pipeline.cast_votes(range(15))
    decided = decide_without_publishing(pipeline)
    assert len(decided) == 15
    ledger = pipeline.votes()
    assert outcomes(pipeline) == Counter()
    pipeline.cast_votes(range(3))
    pipeline.record_all_published()
    assert pipeline.votes() == ledger
    assert_every_ballot_has_one_outcome_in_order(pipeline)


def test_a_recorder_that_is_killed_leaves_nothing_undone_and_nothing_twice(pipeline: Pipeline) -> None:
    people = 3000
    pipeline.hold_election(voters=people)
    pipeline.cast_votes(range(people))
    environment = pipeline.environment() | {"LIVETALLY_RECORD_BATCH_BALLOTS_MAX": "20"}
    recorder = subprocess.Popen([sys.executable, "-m", "livetally", "record"], env=environment, cwd=pipeline.data_dir)
    try:
        wait_for(lambda: pipeline.decided() > 100, "it has begun")
    finally:
        recorder.send_signal(signal.SIGKILL)
        recorder.wait(WITHIN_S)
    assert pipeline.decided() < people, "it was to be killed in the middle"
    pipeline.cast_votes(range(5))
    pipeline.record_all_published()
    assert len(pipeline.votes()) == people
    assert_every_ballot_has_one_outcome_in_order(pipeline)


def test_a_recorder_that_is_told_to_stop_finishes_and_says_so(pipeline: Pipeline) -> None:
    pipeline.hold_election()
    pipeline.cast_votes(range(10))
    recorder = subprocess.Popen(
        [sys.executable, "-m", "livetally", "record"],
        env=pipeline.environment(),
        cwd=pipeline.data_dir,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        pipeline.await_decided()
    finally:
        recorder.send_signal(signal.SIGINT)
        _, said = recorder.communicate(timeout=WITHIN_S)
    assert recorder.returncode == 0
    assert "left the group after 10 ballots" in said
    assert "Traceback" not in said
    assert_every_ballot_has_one_outcome_in_order(pipeline)


def test_publishing_that_fails_is_done_again(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first batches are fenced by another producer of the same name, as after a take-over, just before they are published."""
    pipeline.hold_election(voters=30)
    pipeline.cast_votes(range(30))
    failures = 3
    publish = Publisher.publish
    results: list[set[int]] = []

    def fails_at_first(self: Publisher, decided: Decided) -> set[int]:
        if len(results) < failures:
            for partition, _ in decided.batch.shares():
                rival = Producer({"bootstrap.servers": pipeline.kafka, "transactional.id": transactional_id(partition), "log_level": 0})
                rival.init_transactions(WITHIN_S)
        results.append(publish(self, decided))
        return results[-1]

    monkeypatch.setattr(Publisher, "publish", fails_at_first)
    with recording(pipeline, ballots_max=10):
        wait_for(lambda: sum(outcomes(pipeline).values()) >= 30, "all are published")
    assert results[:failures] == [set()] * failures
    assert_every_ballot_has_one_outcome_in_order(pipeline)


class Keeping:
    """A producer that was fenced, and keeps messages for ever: librdkafka does so at times, and cannot be made to."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def flush(self, timeout: float) -> int:
        assert timeout > 0, "it would wait for ever"
        return 1


def test_a_client_that_keeps_its_messages_is_replaced(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.hold_election(voters=30)
    pipeline.cast_votes(range(30))
    made: list[str] = []

    def first_ones_keep(bootstrap_servers: str, name: str) -> Any:
        made.append(name)
        fresh = transactional(bootstrap_servers, name)
        return Keeping(fresh) if made.count(name) == 1 else fresh

    monkeypatch.setattr(publish, "transactional", first_ones_keep)
    with recording(pipeline):
        wait_for(lambda: sum(outcomes(pipeline).values()) >= 30, "all are published")
    assert Counter(made) == {transactional_id(partition): 2 for partition in range(PARTITIONS)}
    assert_every_ballot_has_one_outcome_in_order(pipeline)


def test_one_partition_that_cannot_be_published_holds_no_other_back(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.hold_election(voters=30)
    pipeline.cast_votes(range(30))
    publish = Publisher.publish
    results: list[set[int]] = []

    def one_fails_at_first(self: Publisher, decided: Decided) -> set[int]:
        if not results:
            rival = Producer({"bootstrap.servers": pipeline.kafka, "transactional.id": transactional_id(1), "log_level": 0})
            rival.init_transactions(WITHIN_S)
        results.append(publish(self, decided))
        return results[-1]

    monkeypatch.setattr(intake, "LINGER_S", 1.0)  # so that the first batch holds all partitions
    monkeypatch.setattr(Publisher, "publish", one_fails_at_first)
    with recording(pipeline):
        wait_for(lambda: sum(outcomes(pipeline).values()) >= 30, "all are published")
    assert results[0] == set(range(PARTITIONS)) - {1}
    assert_every_ballot_has_one_outcome_in_order(pipeline)


def test_group_offsets_that_were_reset_publish_nothing_twice(pipeline: Pipeline) -> None:
    pipeline.hold_election(voters=20)
    pipeline.cast_votes(range(20))
    pipeline.record_all()
    assert committed(pipeline) == {partition: len([n for n in range(20) if n % PARTITIONS == partition]) for partition in range(PARTITIONS)}
    with closing(plain_consumer(pipeline.kafka, group=GROUP)) as group:
        group.commit(offsets=[TopicPartition(BALLOTS, partition, 0) for partition in range(PARTITIONS)], asynchronous=False)
    assert set(committed(pipeline).values()) == {0}
    pipeline.cast_votes(range(3))
    pipeline.record_all()
    assert_every_ballot_has_one_outcome_in_order(pipeline)
    assert sum(committed(pipeline).values()) == 23


def test_whoever_takes_a_partition_over_tells_the_group_how_far_it_is(pipeline: Pipeline) -> None:
    """The one before may have published and not told, and perhaps nobody casts a ballot any more."""
    pipeline.hold_election(voters=20)
    pipeline.cast_votes(range(20))
    pipeline.record_all()
    told = committed(pipeline)
    with closing(plain_consumer(pipeline.kafka, group=GROUP)) as group:
        group.commit(offsets=[TopicPartition(BALLOTS, partition, 0) for partition in range(PARTITIONS)], asynchronous=False)
    with recording(pipeline):
        wait_for(lambda: committed(pipeline) == told, "the group has been told")


def committed(pipeline: Pipeline) -> dict[int, int]:
    with closing(plain_consumer(pipeline.kafka, group=GROUP)) as group:
        asked = [TopicPartition(BALLOTS, partition) for partition in range(PARTITIONS)]
        return {one.partition: one.offset for one in group.committed(asked, WITHIN_S)}


def test_two_recorders_share_the_partitions_and_one_leaves(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    people = 600
    pipeline.hold_election(voters=people)
    published: Counter[Publisher] = Counter()
    publish = Publisher.publish

    def counted(self: Publisher, decided: Decided) -> set[int]:
        done = publish(self, decided)
        published[self] += sum(len(numbers) for partition, numbers in decided.batch.shares() if partition in done)
        return done

    monkeypatch.setattr(Publisher, "publish", counted)
    with recording(pipeline, ballots_max=20):
        pipeline.cast_votes(range(200))
        with recording(pipeline, ballots_max=20):
            pipeline.cast_votes(range(200, 400))
            casting = threading.Event()
            number = 0
            while len(published) < 2:  # until the second has its share
                assert number < 20_000, "the second recorder never got a partition"
                pipeline.cast_votes(range(number % people, number % people + 10))
                number += 10
                casting.wait(0.05)
            pipeline.await_decided()
        pipeline.cast_votes(range(400, people))
        pipeline.await_decided()
    assert len(pipeline.votes()) == people
    assert_every_ballot_has_one_outcome_in_order(pipeline)


def test_partitions_that_move_while_batches_are_under_way_lose_and_repeat_nothing(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is held back on its way until the broker wants to give partitions to somebody else; the next ones are behind it."""
    people = 90
    pipeline.hold_election(voters=people)
    pipeline.cast_votes(range(people))
    held, moving = threading.Event(), threading.Event()
    published: Counter[Publisher] = Counter()
    publish = Publisher.publish

    def held_back(self: Publisher, decided: Decided) -> set[int]:
        if not held.is_set():
            held.set()
            wait_for(lambda: group_state(pipeline) is ConsumerGroupState.PREPARING_REBALANCING, "the group is shared out anew")
            moving.set()
        done = publish(self, decided)
        published[self] += sum(len(numbers) for partition, numbers in decided.batch.shares() if partition in done)
        return done

    monkeypatch.setattr(Publisher, "publish", held_back)
    with recording(pipeline, ballots_max=20):
        assert held.wait(WITHIN_S)
        with recording(pipeline, ballots_max=20):
            assert moving.wait(WITHIN_S)
            wait_for(lambda: group_state(pipeline) is ConsumerGroupState.STABLE, "each has its share")
            pipeline.cast_votes(range(people))
            wait_for(lambda: published.total() == 2 * people, "all are published")
    assert len(published) == 2, "each had its share"
    assert len(pipeline.votes()) == people
    assert_every_ballot_has_one_outcome_in_order(pipeline)


def group_state(pipeline: Pipeline) -> ConsumerGroupState:
    found: ConsumerGroupState = pipeline.servers.admin.describe_consumer_groups([GROUP])[GROUP].result(WITHIN_S).state
    return found


def test_services_that_go_away_are_waited_for(pipeline: Pipeline) -> None:
    """The database throws every recorder out; it comes back and goes on."""
    pipeline.hold_election(voters=60)
    pipeline.cast_votes(range(30))
    with recording(pipeline):
        pipeline.await_decided()
        thrown_out = pipeline.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'livetally record%%'")
        assert thrown_out == [(True,)]
        pipeline.cast_votes(range(30, 60))
        pipeline.await_decided()
        wait_for(lambda: sum(outcomes(pipeline).values()) == 60, "all are published")
    assert len(pipeline.votes()) == 60
    assert_every_ballot_has_one_outcome_in_order(pipeline)
