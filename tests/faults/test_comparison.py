"""The suite's zeros mean something: what is missing, doubled or changed anywhere is found."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from random import Random

import pytest

from electorate import add_voters
from faults.ballots import mixture
from faults.comparison import Books
from faults.ground import add_elections
from faults.voting import Voting
from faults.witness import Since, Witness
from livetally.core.wire import BALLOTS, REJECTED, VOTES
from pipeline import Pipeline, recording
from servers import wait_for

PEOPLE = 150
BALLOTS_CAST = 250


class Election:
    """Ballots of every kind on a clean pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        add_elections(pipeline.connection)
        add_voters(pipeline.connection, range(PEOPLE))
        self.voting = Voting(pipeline.kafka)
        self.books = Books(pipeline.database_url, self.voting)
        self.witness = Witness(pipeline.kafka, self.voting)
        self.cast()

    def cast(self) -> None:
        ballots = mixture(Random(len(self.voting.cast)), [f"v{number}" for number in range(PEOPLE)], [])
        self.voting.begin(islice(ballots, BALLOTS_CAST))
        self.voting.burst(BALLOTS_CAST)

    def look(self, *, outcomes: bool = True) -> Since:
        def seen() -> bool:
            self.voting.go_on()
            self.witness.look()
            return self.books.cast_since == len(self.witness.since.ballots) and not (outcomes and self.witness.undecided)

        wait_for(seen, "everything is seen")
        return self.witness.turn_the_page()

    def record(self) -> None:
        def delivered() -> bool:
            self.voting.go_on()
            return self.voting.is_delivered

        with recording(self.pipeline):
            wait_for(delivered, "all are cast")
            self.pipeline.await_decided()

    def close(self) -> None:
        self.witness.close()


@pytest.fixture
def election(pipeline: Pipeline) -> Iterator[Election]:
    with closing(Election(pipeline)) as ours:
        yield ours


def test_what_is_right_is_equal(election: Election) -> None:
    for _ in range(2):
        election.record()
        assert election.books.compare(election.look()) == []
        election.cast()
    assert election.books.votes.total() > PEOPLE * 0.8
    assert election.books.rejections.total() > 50
    assert election.books.cells.total() == election.books.votes.total()


def test_what_is_not_decided_is_missing_everywhere(election: Election) -> None:
    found = election.books.compare(election.look(outcomes=False))
    votes, rejections = election.books.votes.total(), election.books.rejections.total()
    assert votes
    assert rejections
    for where, missing in (("ledger", votes), ("votes_topic", votes), ("rejections", rejections), ("rejected_ballots", rejections)):
        assert len([one for one in found if one.startswith(f"{where}: missing ")]) == missing
    assert found[-1].startswith("recorder's own counts: (0, 0, 0)")
    assert len(found) == 2 * (votes + rejections) + 1


def test_a_vote_too_many_in_the_ledger_is_found_though_it_is_old(election: Election) -> None:
    election.record()
    election.books.compare(election.look())
    assert election.books.compare_ledger() == []
    election.pipeline.sql(
        "INSERT INTO votes (election_id, voter_id, candidate_id, voting_time, ballot_partition, ballot_offset) VALUES ('e', 'x', 'c0', now(), 0, 0)"
    )
    (difference,) = election.books.compare_ledger()
    assert difference.startswith("ledger: too many ('e', 'x', 'c0'")


def test_outcomes_that_are_published_again_are_found(election: Election) -> None:
    election.record()
    since = election.look()
    election.pipeline.send(VOTES, [(one.key, one.value, one.partition, one.headers) for one in since.votes[:1]])
    election.pipeline.send(REJECTED, [(one.key, one.value, one.partition, one.headers) for one in since.rejected[:1]])
    assert election.books.compare(since) == []

    def seen() -> bool:
        election.witness.look()
        return len(election.witness.since.votes) + len(election.witness.since.rejected) == 2

    wait_for(seen, "both are seen")
    found = election.books.compare(election.witness.turn_the_page())
    assert [one.split(":")[0] for one in found] == ["votes_topic", "rejected_ballots", "votes_topic", "rejected_ballots"]
    assert all("too many" in one for one in found[:2])
    assert all("out of place" in one for one in found[2:])


def test_an_outcome_that_says_something_else_is_found(election: Election) -> None:
    election.record()
    since = election.look()
    vote, refused = since.votes[0], since.rejected[0]
    since.votes[0] = vote._replace(value=(vote.value or b"").replace(b'"candidate_id":"c', b'"candidate_id":"d'))
    since.rejected[0] = refused._replace(headers=refused.headers | {"reason": b"no reason"})
    found = election.books.compare(since)
    assert [one.split(" ")[:2] for one in found] == [
        ["votes_topic:", "missing"],
        ["votes_topic:", "too"],
        ["rejected_ballots:", "missing"],
        ["rejected_ballots:", "too"],
    ]


def test_a_ballot_that_nobody_cast_is_found(election: Election) -> None:
    election.record()
    since = election.look()
    election.pipeline.send(BALLOTS, [(None, b"{}", 0, {"number": b"0"})])
    assert election.books.compare(since) == []

    def seen() -> bool:
        election.witness.look()
        return bool(election.witness.since.numbers)

    wait_for(seen, "it is seen")
    found = election.books.compare(election.witness.turn_the_page())
    assert found[0] == "ballots_topic: too many 0"
