"""What *record* refuses to begin with: ballots, ledger and outcomes that do not belong together. Nothing is changed, and it says why."""

import threading

import pytest
from confluent_kafka import TopicPartition

from livetally.core.errors import LedgerError
from livetally.core.wire import BALLOTS, REJECTED, VOTES, topics
from livetally.record.record import record
from pipeline import PARTITIONS, WITHIN_S, Pipeline, add_election, add_voters, recreate


def test_other_ballots_than_those_that_filled_the_ledger_are_refused(pipeline: Pipeline) -> None:
    pipeline.hold_election()
    pipeline.cast_votes(range(5))
    pipeline.record_all()
    recreate(pipeline.servers.admin, [topic for topic in topics(PARTITIONS) if topic.name == BALLOTS])
    pipeline.cast_votes(range(9))
    assert_refused(pipeline, "filled from other ballots")
    assert len(pipeline.votes()) == 5


def test_a_ledger_that_is_ahead_of_the_ballots_is_refused(pipeline: Pipeline) -> None:
    pipeline.hold_election()
    pipeline.cast_votes(range(9))
    pipeline.record_all()
    pipeline.sql("UPDATE recorded SET next_offset = 1000 WHERE ballot_partition = 1")
    assert_refused(pipeline, r"has decided 1000 ballots of ballots_topic\[1\], which holds only 3")


def test_a_ledger_that_is_behind_its_outcomes_is_refused(pipeline: Pipeline) -> None:
    pipeline.hold_election()
    pipeline.cast_votes(range(9))
    pipeline.record_all()
    pipeline.tamper("DELETE FROM votes WHERE ballot_partition = 2 AND ballot_offset = 2")
    pipeline.sql("UPDATE recorded SET next_offset = 2 WHERE ballot_partition = 2")
    assert_refused(pipeline, r"up to ballot 3 of ballots_topic\[2\], but the ledger has decided only 2.*rebuild ledger")


def test_ballots_that_were_deleted_before_they_were_decided_are_missed(pipeline: Pipeline) -> None:
    pipeline.hold_election(voters=30)
    pipeline.cast_votes(range(9))
    pipeline.record_all()
    pipeline.cast_votes(range(9, 30))
    pipeline.servers.admin.delete_records([TopicPartition(BALLOTS, 0, 5)])[TopicPartition(BALLOTS, 0, 5)].result(WITHIN_S)
    assert_refused(pipeline, r"ballots_topic\[0\] begins at offset 5, but the ballots from 3 on have not been decided")


def test_somebody_elses_message_among_the_outcomes_is_refused(pipeline: Pipeline) -> None:
    pipeline.hold_election()
    pipeline.cast(b"{}", key=b"v1", partition=0, topic=VOTES)
    assert_refused(pipeline, r"votes_topic\[0\] holds a message at offset 0 that is not the outcome")


def test_without_an_election_nothing_is_read(pipeline: Pipeline) -> None:
    pipeline.cast_votes(range(3))
    assert_refused(pipeline, "No election is open.*nothing was read")
    add_election(pipeline.connection, candidates=())
    add_voters(pipeline.connection, range(3))
    assert_refused(pipeline, "has no candidates.*nothing was read")
    assert pipeline.decided() == 0
    assert outcomes_whatever_they_are(pipeline) == 0


def assert_refused(pipeline: Pipeline, why: str) -> None:
    before = outcomes_whatever_they_are(pipeline), pipeline.votes()
    with pytest.raises(LedgerError, match=why):
        record(pipeline.kafka, pipeline.database_url, 1000, _ends_soon())
    assert (outcomes_whatever_they_are(pipeline), pipeline.votes()) == before


def outcomes_whatever_they_are(pipeline: Pipeline) -> int:
    return len(pipeline.read(VOTES)) + len(pipeline.read(REJECTED))


def _ends_soon() -> threading.Event:
    """A refusal that does not come must not make the test wait for ever."""
    stop = threading.Event()
    timer = threading.Timer(WITHIN_S, stop.set)
    timer.daemon = True
    timer.start()
    return stop
