"""An election is closed while most of its ballots have not been looked at yet: what was cast in time counts, nothing else."""

import time
from contextlib import closing
from datetime import UTC

from electorate import ELECTION, ballot
from ledger_rows import everything_in
from livetally.adapters.postgres import connect
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.core.wire import BALLOTS, REJECTED
from livetally.record.rebuild import rebuild_ledger
from outsider import Seen
from pipeline import PARTITIONS, Pipeline, recording

PEOPLE = 50_000
BACKLOG = 200_000
PORTION = 10_000


def test_a_backlog_of_200000_ballots_counts_as_far_as_it_was_cast_in_time(pipeline: Pipeline) -> None:
    pipeline.hold_election(voters=PEOPLE)
    closes_ms = cast_across_the_closing(pipeline)
    with recording(pipeline, ballots_max=20_000):  # long after the closing
        pipeline.await_decided()
    ballots = pipeline.read(BALLOTS)
    assert len(ballots) == BACKLOG
    in_time = [one for one in ballots if one.timestamp_ms < closes_ms]
    assert 0 < len(in_time) < BACKLOG
    assert {(one[0], (one[3], one[4])) for one in ledger(pipeline)} == first_of_each(in_time)
    late = {(one.partition, one.offset) for one in ballots if one.timestamp_ms >= closes_ms}
    assert {one.ballot for one in pipeline.read(REJECTED) if one.headers["reason"] == b"not_open"} == late

    before = everything_in(pipeline.connection)
    pipeline.sql("UPDATE elections SET status = 'certified'")  # a status decides nothing
    assert "It is what it was" in rebuild_ledger(pipeline.kafka, pipeline.database_url)
    assert everything_in(pipeline.connection) == before


def cast_across_the_closing(pipeline: Pipeline) -> int:
    """Half of the ballots before somebody closes the election, the others until well after; returns the closing in ms since 1970."""
    closes_ms = 0
    for first in range(0, BACKLOG, PORTION):
        if first == BACKLOG // 2:
            with closing(connect(pipeline.database_url, "an official", Rights.ORGANISE)) as connection:
                closes_at = Roll(connection).close_election(ELECTION)
            closes_ms = -(-round(closes_at.astimezone(UTC).timestamp() * 1_000_000) // 1000)
        if first == BACKLOG - 2 * PORTION:
            time.sleep(max(0.0, closes_ms / 1000 - time.time()))  # the last ones are late for sure
        pipeline.send(
            BALLOTS,
            [
                (f"v{number % PEOPLE}".encode(), ballot(f"v{number % PEOPLE}", f"c{number * 7 % 3}"), number % PEOPLE % PARTITIONS, {})
                for number in range(first, first + PORTION)
            ],
        )
    return closes_ms


def ledger(pipeline: Pipeline) -> list[tuple[object, ...]]:
    return pipeline.sql("SELECT voter_id, candidate_id, election_id, ballot_partition, ballot_offset FROM votes")


def first_of_each(ballots: list[Seen]) -> set[tuple[object, object]]:
    first: dict[str, tuple[int, int]] = {}
    for one in sorted(ballots):
        first.setdefault(one.fields["voter_id"], (one.partition, one.offset))
    return set(first.items())
