"""The judge of the fault suite is judged here: by cases that can be checked in the head."""

from faults.ballots import Cast, hopeless, vote
from faults.oracle import Lying, Oracle, Place

ELSEWHERE = {"v1": Place(1, 0)}


def lying(*casts: Cast) -> list[Lying]:
    """Each behind the last one of its partition."""
    ends: dict[int, int] = {}
    found = []
    for cast in casts:
        place = Place(cast.partition, ends.get(cast.partition, 0))
        ends[cast.partition] = place.offset + 1
        found.append(Lying(place, 0, cast))
    return found


def reasons(oracle: Oracle, ballots: list[Lying], ledger: dict[str, Place] | None = None) -> list[str | None]:
    return [verdict.reason for verdict in oracle.judge(ballots, ledger or {})]


def test_the_first_ballot_of_a_voter_counts() -> None:
    ballots = lying(vote("v1", "c0"), vote("v1", "c0"), vote("v1", "c1"), vote("v2", "c1"))
    assert reasons(Oracle(), ballots) == [None, "already_voted_same", "already_voted_other", None]


def test_who_voted_in_an_earlier_round_has_voted() -> None:
    oracle = Oracle()
    assert reasons(oracle, lying(vote("v1", "c0"))) == [None]
    later = [Lying(Place(0, 7), 0, vote("v1", "c0", 0)), Lying(Place(0, 8), 0, vote("v1", "c2", 0))]
    assert reasons(oracle, later) == ["already_voted_same", "already_voted_other"]


def test_a_ballot_that_cannot_count_takes_nobodys_vote() -> None:
    ballots = lying(hopeless("v1", "nobody", "e", "unknown_candidate"), vote("v1", "c0"))
    assert reasons(Oracle(), ballots) == ["unknown_candidate", None]


def test_of_first_ballots_in_several_partitions_the_one_counts_that_the_ledger_took() -> None:
    ballots = lying(vote("v1", "c0", 0), vote("v1", "c1", 1), vote("v1", "c1", 1), vote("v1", "c0", 2))
    assert reasons(Oracle(), ballots, ELSEWHERE) == ["already_voted_other", None, "already_voted_same", "already_voted_other"]


def test_the_ledger_is_not_believed_when_it_took_a_later_ballot() -> None:
    ballots = lying(vote("v1", "c0", 1), vote("v1", "c1", 1))
    assert reasons(Oracle(), ballots, {"v1": Place(1, 1)}) == [None, "already_voted_other"]
