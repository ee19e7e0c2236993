"""Transactions that nobody ends: of the same name as the recorder's own, and of a recorder that is no more."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer

from livetally.core.wire import VOTES
from livetally.record import record as stage
from pipeline import PARTITIONS, WITHIN_S, Pipeline, recording

FOR_EVER_MS = 900_000  # the broker would wait so long before it ended one by itself


@contextmanager
def left_open(pipeline: Pipeline, name: str) -> Iterator[None]:
    """A transaction on every partition of the votes, and a producer that neither commits nor aborts it."""
    producer = Producer(
        {"bootstrap.servers": pipeline.kafka, "transactional.id": name, "transaction.timeout.ms": FOR_EVER_MS, "log_level": 0}
    )
    producer.init_transactions(WITHIN_S)
    producer.begin_transaction()
    for partition in range(PARTITIONS):
        producer.produce(VOTES, b"never to be seen", partition=partition)
    assert producer.flush(WITHIN_S) == 0
    yield


@pytest.mark.parametrize("slot", [0, 1])
def test_a_transaction_that_nobody_ends_does_not_hold_up_the_count(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, slot: int) -> None:
    monkeypatch.setattr(stage, "OTHERS_HANGING_S", 2 * stage.OWN_HANGING_S)
    pipeline.hold_election(voters=30)
    pipeline.cast_votes(range(30))
    with left_open(pipeline, f"livetally-record-{slot}"):
        with recording(pipeline):
            pipeline.await_decided()
        assert len(pipeline.read(VOTES)) == len(pipeline.votes()) == 30
