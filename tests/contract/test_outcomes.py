"""Where *record* goes on: behind the last committed outcome, whatever else lies at the end of the output."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Producer

from livetally.adapters.kafka import SESSION_TIMEOUT_MS, TRANSACTION_TIMEOUT_MS
from livetally.adapters.outcomes import FIRST_LOOK_OFFSETS, Outcomes
from livetally.core.errors import LedgerError
from livetally.core.wire import REJECTED, VOTES, Headers, outcome_headers
from pipeline import WITHIN_S, Pipeline, bounds_of, plain_consumer

MANY = FIRST_LOOK_OFFSETS * 3


@pytest.fixture
def outcomes(pipeline: Pipeline) -> Iterator[Outcomes]:
    with closing(Outcomes(pipeline.kafka)) as ours:
        yield ours


class Writer:
    """Somebody who publishes outcomes in transactions."""

    def __init__(self, pipeline: Pipeline, name: str, timeout_ms: int = 10_000) -> None:
        self._producer = Producer(
            {"bootstrap.servers": pipeline.kafka, "transactional.id": name, "transaction.timeout.ms": timeout_ms, "log_level": 0}
        )
        self._producer.init_transactions(WITHIN_S)

    def write(self, topic: str, partition: int, *ballots: int, headers: Headers | None = None) -> None:
        """Begin a transaction that holds the outcomes of these ballots, and leave it open."""
        self._producer.begin_transaction()
        for offset in ballots:
            self._producer.produce(
                topic, b"outcome", b"k", partition, headers=outcome_headers(partition, offset) if headers is None else headers
            )
        assert self._producer.flush(WITHIN_S) == 0

    def commit(self) -> None:
        self._producer.commit_transaction()

    def abort(self) -> None:
        self._producer.abort_transaction()


@pytest.fixture
def writer(pipeline: Pipeline) -> Writer:
    return Writer(pipeline, "somebody")


def test_nothing_published_means_from_the_beginning(outcomes: Outcomes) -> None:
    assert [outcomes.next_ballot(partition) for partition in range(3)] == [0, 0, 0]


def test_behind_the_last_of_both_topics_in_its_own_partition(outcomes: Outcomes, writer: Writer) -> None:
    writer.write(VOTES, 0, 0, 1, 4)
    writer.commit()
    assert [outcomes.next_ballot(partition) for partition in range(3)] == [5, 0, 0]
    writer.write(REJECTED, 0, 2, 3, 5)
    writer.commit()
    writer.write(REJECTED, 2, 41)
    writer.commit()
    assert [outcomes.next_ballot(partition) for partition in range(3)] == [6, 0, 42]


def test_what_was_aborted_has_not_been_published(outcomes: Outcomes, writer: Writer) -> None:
    writer.write(VOTES, 1, 0)
    writer.commit()
    writer.write(VOTES, 1, *range(1, MANY))
    writer.abort()
    assert outcomes.next_ballot(1) == 1


def test_only_aborted_messages(outcomes: Outcomes, writer: Writer) -> None:
    writer.write(REJECTED, 1, *range(MANY))
    writer.abort()
    assert outcomes.next_ballot(1) == 0


def test_a_long_tail_of_marks_only(outcomes: Outcomes, writer: Writer, pipeline: Pipeline) -> None:
    writer.write(VOTES, 2, 7)
    writer.commit()
    for _ in range(FIRST_LOOK_OFFSETS):
        writer.write(VOTES, 2, 8)
        writer.abort()
    with closing(plain_consumer(pipeline.kafka)) as consumer:
        assert bounds_of(consumer, VOTES, 2)[1] > 2 * FIRST_LOOK_OFFSETS
    assert outcomes.next_ballot(2) == 8


def test_the_last_one_before_an_offset(outcomes: Outcomes, writer: Writer) -> None:
    writer.write(VOTES, 0, 3, 5)  # at the offsets 0 and 1, with the mark at 2
    writer.commit()
    writer.write(VOTES, 0, 9)  # at 3
    writer.commit()
    assert [outcomes.last_ballot(VOTES, 0, before=end) for end in range(6)] == [-1, 3, 5, 5, 9, 9]


def test_an_open_transaction_is_waited_for_until_it_is_committed(outcomes: Outcomes, writer: Writer) -> None:
    writer.write(VOTES, 0, 0)
    found: list[int] = []
    looking = threading.Thread(target=lambda: found.append(outcomes.next_ballot(0)))
    looking.start()
    looking.join(1.0)
    assert looking.is_alive(), "it has answered although nobody knows yet"
    writer.commit()
    looking.join(WITHIN_S)
    assert found == [1]


def test_a_transaction_whose_owner_is_dead_is_waited_for_until_the_broker_aborts_it(outcomes: Outcomes, pipeline: Pipeline) -> None:
    Writer(pipeline, "dead", timeout_ms=1500).write(VOTES, 0, 0)
    began = time.monotonic()
    assert outcomes.next_ballot(0) == 0
    assert 0.5 < time.monotonic() - began < (SESSION_TIMEOUT_MS + TRANSACTION_TIMEOUT_MS) / 1000


def test_a_recorder_that_never_pauses_does_not_keep_a_looker_waiting(outcomes: Outcomes, pipeline: Pipeline) -> None:
    """The end moves on all the time, with a transaction open at nearly every moment."""
    stop = threading.Event()
    one, other = Writer(pipeline, "one"), Writer(pipeline, "other")
    written = 0
    one.write(VOTES, 0, 0)

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            other.write(VOTES, 0, written + 1)
            one.commit()
            one.write(VOTES, 0, written + 2)
            other.commit()
            written += 2
        one.commit()

    writing = threading.Thread(target=write)
    writing.start()
    try:
        began = time.monotonic()
        found = outcomes.next_ballot(0)
        assert time.monotonic() - began < 10
    finally:
        stop.set()
        writing.join(WITHIN_S)
    assert 0 <= found <= written + 1
    assert outcomes.next_ballot(0) == written + 1


@pytest.mark.parametrize("headers", [[], outcome_headers(1, 0)], ids=["no headers", "another partition's ballot"])
def test_a_message_that_record_did_not_write_is_refused_and_named(outcomes: Outcomes, pipeline: Pipeline, headers: Headers) -> None:
    pipeline.send(VOTES, [(b"v0", b"{}", 0, {name: value for name, value in headers if isinstance(value, bytes)})])
    with pytest.raises(LedgerError, match=r"votes_topic\[0\] holds a message at offset 0 that is not the outcome"):
        outcomes.next_ballot(0)


def test_an_end_that_was_read_before_a_remedy_is_read_again(pipeline: Pipeline, writer: Writer) -> None:
    """The other recorder published votes until the remedy fenced it, after their end had been read here."""
    hanging = Writer(pipeline, "hanging")
    hanging.write(REJECTED, 0, 0)

    def remedy(partition: int) -> None:
        writer.write(VOTES, partition, 1, 2, 3)
        writer.commit()
        hanging.abort()

    with closing(Outcomes(pipeline.kafka, remedy)) as ours:
        assert ours.next_ballot(0) == 4
