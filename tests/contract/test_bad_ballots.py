"""Bad ballots of every kind and size on real services: each gets its verdict, none holds up or spoils the others."""

import pytest
from confluent_kafka import Producer

from bad_ballots import COUNTS, MALFORMED, ODD_TEXTS, BadBallot, bad_ballots
from livetally.adapters.roll import Roll
from livetally.core.wire import BALLOTS, MESSAGE_BYTES_MAX, REJECTED, VOTES, voter_message
from pipeline import CANDIDATES, ELECTION, WITHIN_S, Pipeline, Seen, ballot, recording, voter

GOOD_ONES = 10
CORPUS = bad_ballots(ELECTION, CANDIDATES[0], lambda number: f"v{GOOD_ONES + number}")


def in_order(pipeline: Pipeline, topic: str) -> list[Seen]:
    """Outcomes in the order of their ballots."""
    return sorted(pipeline.read(topic), key=lambda message: message.ballot)


def test_the_whole_corpus_in_one_batch_between_good_ballots(pipeline: Pipeline) -> None:
    pipeline.hold_election(GOOD_ONES + len(CORPUS))
    good = [BadBallot("good", f"v{number}".encode(), ballot(f"v{number}"), COUNTS) for number in range(GOOD_ONES)]
    cast = [*good[::2], *CORPUS, *good[1::2]]
    pipeline.send(BALLOTS, [(one.key, one.value, 0, {}) for one in cast])
    assert [(message.key, message.value) for message in pipeline.read(BALLOTS)] == [(one.key, one.value) for one in cast]
    with recording(pipeline, ballots_max=len(cast)):
        pipeline.await_decided()

    verdicts = {offset: (COUNTS, "") for (offset,) in pipeline.sql("SELECT ballot_offset FROM votes WHERE ballot_partition = 0")}
    verdicts |= {
        offset: (reason, detail) for offset, reason, detail in pipeline.sql("SELECT ballot_offset, reason, detail FROM rejections")
    }
    wrong = {one.name: (verdicts[offset], one.verdict) for offset, one in enumerate(cast) if verdicts[offset][0] != one.verdict}
    assert wrong == {}
    published = {message.ballot[1]: message for message in in_order(pipeline, REJECTED)}
    assert published.keys() == {offset for offset, one in enumerate(cast) if one.verdict != COUNTS}
    for offset, message in published.items():
        assert (message.key, message.value) == (cast[offset].key, cast[offset].value), cast[offset].name
        assert (message.headers["reason"].decode(), message.headers["detail"].decode()) == verdicts[offset], cast[offset].name
        assert (message.headers["detail"] != b"") == (cast[offset].verdict == MALFORMED), cast[offset].name
    assert {message.ballot[1] for message in pipeline.read(VOTES)} == {offset for offset, one in enumerate(cast) if one.verdict == COUNTS}


def test_people_with_odd_names_are_found_under_exactly_these(pipeline: Pipeline) -> None:
    """Tabs, backslashes, quotes, marks of every kind: what is registered as such is a voter like any other, and is nobody else."""
    pipeline.hold_election(0)
    odd = [voter(0)._replace(voter_id=change(f"v{number}")) for number, change in enumerate(ODD_TEXTS.values())]
    roll = Roll(pipeline.connection)
    roll.store_voters("odd", 0, 0, odd, [voter_message(one) for one in odd])
    pipeline.send(BALLOTS, [(one.voter_id.encode(), ballot(one.voter_id), 0, {}) for one in odd])
    pipeline.record_all()
    assert pipeline.sql("TABLE rejections") == []
    assert [voter_id for (voter_id,) in pipeline.sql("SELECT voter_id FROM votes ORDER BY ballot_offset")] == [one.voter_id for one in odd]
    assert [(vote.key, vote.fields["voter_id"]) for vote in pipeline.read(VOTES)] == [(one.voter_id.encode(), one.voter_id) for one in odd]


class Sender:
    """A stranger with a client of their own, who sends whatever their client lets them."""

    def __init__(self, pipeline: Pipeline, **config: object) -> None:
        self._producer = Producer(
            {"bootstrap.servers": pipeline.kafka, "log_level": 0, "message.max.bytes": 1_000_000_000, "linger.ms": 0, **config}
        )

    def send(self, key: bytes | None, value: bytes | None, headers: int = 0) -> str | None:
        """None if the broker took it, and else what it said."""
        said: list[str | None] = []
        named: list[tuple[str, str | bytes | None]] = [(f"header {number}", b"x" * 50) for number in range(headers)]
        self._producer.produce(
            BALLOTS, value, key, 0, headers=named, on_delivery=lambda error, _: said.append(error.str() if error else None)
        )
        self._producer.flush(WITHIN_S)
        (answer,) = said
        return answer


def largest(sender: Sender, key: bytes, headers: int) -> bytes:
    """The largest ballot with this key and so many headers that the broker takes, found by trying."""
    low, high = 0, MESSAGE_BYTES_MAX
    while high - low > 1:
        middle = (low + high) // 2
        if sender.send(key, b"{" * middle, headers) is None:
            low = middle
        else:
            high = middle
    return b"{" * low


@pytest.mark.parametrize("headers", [0, 1000])
@pytest.mark.parametrize("key_bytes", [0, 100_000])
def test_the_largest_ballots_that_the_broker_takes_are_rejected_like_any_other(pipeline: Pipeline, key_bytes: int, headers: int) -> None:
    pipeline.hold_election(2)
    pipeline.cast(ballot("v0"), partition=0)
    key = b"k" * key_bytes
    value = largest(Sender(pipeline), key, headers)
    assert len(value) + len(key) + 62 * headers + headers > MESSAGE_BYTES_MAX - 200
    pipeline.cast(ballot("v1"), partition=0)
    pipeline.record_all()
    ballots, rejected = pipeline.read(BALLOTS), in_order(pipeline, REJECTED)
    assert max(len(one.value or b"") for one in rejected) == len(value)
    assert [(one.key, one.value) for one in rejected] == [(one.key, one.value) for one in ballots[1:-1]]
    assert len(pipeline.votes()) == 2


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_ballot_that_would_grow_beyond_the_limit_when_unpacked_is_not_taken(pipeline: Pipeline, codec: str) -> None:
    """A few kB of gzip hold what fits on no other topic: the broker measures what it unpacks, so it never reaches *record*."""
    pipeline.hold_election(2)
    sender = Sender(pipeline, **{"compression.type": codec})
    assert sender.send(b"v0", ballot("v0")) is None, "compressed ballots are welcome"
    assert sender.send(b"v1", b"x" * (MESSAGE_BYTES_MAX - 1000)) is None
    for size in (MESSAGE_BYTES_MAX + 1000, 20 * MESSAGE_BYTES_MAX):
        assert sender.send(b"v1", b"x" * size) == "Broker: Message size too large"
    pipeline.cast(ballot("v1"), partition=0)
    pipeline.record_all()
    assert [len(one.value or b"") for one in pipeline.read(REJECTED)] == [MESSAGE_BYTES_MAX - 1000]
    assert len(pipeline.votes()) == 2
