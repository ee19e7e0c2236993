"""Transactions that are left open: whoever takes a partition over ends them, and nobody ever reads what was in them."""

import threading
import time
from contextlib import closing

import pytest
from confluent_kafka import Producer

from livetally.adapters.outcomes import Outcomes
from livetally.core.wire import VOTES
from livetally.record.decide import Decided
from livetally.record.intake import Batch
from livetally.record.line import Line
from livetally.record.meter import Meter
from livetally.record.points import unwatched
from livetally.record.publish import Publisher, transactional_id
from livetally.record.record import LOOK_AFTER_S, Recorder
from pipeline import PARTITIONS, WITHIN_S, Pipeline, recording

FOR_EVER_MS = 900_000  # the broker would wait so long before it ended one by itself


def leave_open(pipeline: Pipeline, name: str, partition: int) -> Producer:
    """A transaction with a message, and the producer that neither commits nor aborts it."""
    producer = Producer(
        {"bootstrap.servers": pipeline.kafka, "transactional.id": name, "transaction.timeout.ms": FOR_EVER_MS, "log_level": 0}
    )
    producer.init_transactions(WITHIN_S)
    producer.begin_transaction()
    producer.produce(VOTES, b"never to be seen", partition=partition)
    assert producer.flush(WITHIN_S) == 0
    return producer


def test_what_a_recorder_left_open_is_ended_by_its_successor_and_not_waited_for(pipeline: Pipeline) -> None:
    pipeline.hold_election(voters=30)
    pipeline.cast_votes(range(30))
    left = [leave_open(pipeline, transactional_id(partition), partition) for partition in range(PARTITIONS)]
    with recording(pipeline):
        pipeline.await_decided()
    assert len(pipeline.read(VOTES)) == len(pipeline.votes()) == 30
    assert len(left) == PARTITIONS


def test_the_remedy_for_a_transaction_that_hangs_is_tried_until_it_has_worked_and_publishes_nothing(pipeline: Pipeline) -> None:
    pipeline.hold_election(voters=30)
    pipeline.cast_votes(range(30))
    pipeline.record_all()
    publisher = Publisher(pipeline.kafka, unwatched, Meter())
    publisher.hold([0])
    foreign = leave_open(pipeline, "somebody else", 0)
    tried: list[int] = []

    def remedy(partition: int) -> None:
        tried.append(partition)
        publisher.end_hanging(partition)  # cannot end what a stranger holds open
        if len(tried) == 2:
            foreign.abort_transaction(WITHIN_S)

    with closing(Outcomes(pipeline.kafka, remedy)) as outcomes:
        outcomes.next_ballot(0)
    assert tried == [0, 0]
    assert len(pipeline.read(VOTES)) == 30


def test_a_recorder_without_work_looks_once_whether_what_it_published_can_be_read(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[float] = []
    is_time_to_look = Recorder._is_time_to_look

    def watched(self: Recorder, line: Line[Batch, Decided]) -> bool:
        looks = is_time_to_look(self, line)
        looked.extend([time.monotonic()] * looks)
        return looks

    monkeypatch.setattr(Recorder, "_is_time_to_look", watched)
    pipeline.hold_election(voters=20)
    began, never = time.monotonic(), threading.Event()
    with recording(pipeline):
        for number in (1, 2):
            pipeline.cast_votes([number])
            pipeline.await_decided()
            while len(looked) < number:
                assert time.monotonic() < began + WITHIN_S, "it does not look"
                never.wait(0.05)
            never.wait(2 * LOOK_AFTER_S)  # time to look again, if it were to
            assert len(looked) == number
    assert len(pipeline.read(VOTES)) == 2
