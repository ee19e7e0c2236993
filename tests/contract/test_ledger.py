"""One batch, one transaction, one verdict for each ballot, however often and however cut it is delivered.

What the verdicts have to be stands in `rules.py`.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from electorate import add_election, add_voters, ballot, cast_of, casting, overrule, voter
from ledger_rows import Place, assert_chained, stored
from livetally.adapters import past
from livetally.adapters.ledger import Ledger
from livetally.adapters.postgres import Connection
from livetally.core.ballots import Ballot, Reason, Rejected, parse
from livetally.core.verdicts import Cast, Counted
from livetally.core.wire import voter_message
from rules import (
    START,
    CastAt,
    at,
    casts,
    deliveries,
    first_come,
    outcome_of,
    outcomes_of,
)
from small_world import empty

EXAMPLES = 60


@settings(max_examples=EXAMPLES)
@given(deliveries())
def test_however_cut_and_however_often_delivered_the_verdicts_are_those_of_the_rules(
    world: Connection, delivered: tuple[list[CastAt], list[list[Place]]]
) -> None:
    ballots, batches = delivered
    ledger, by_place, expected = empty(world), casts(ballots), first_come(ballots)
    for batch in batches:
        delivery = [by_place[place] for place in batch]
        assert outcomes_of(delivery, ledger.decide(delivery)) == {place: expected[place] for place in batch}
    assert stored(world) == expected
    assert_chained(world)
    accepted = sum(one == "accepted" for one in expected.values())
    assert past.counts(world) == (len(ballots), accepted, len(ballots) - accepted)


@pytest.mark.parametrize(
    ("ms", "content", "outcome"),
    [
        (-1, Ballot("hour", "v0", "c0"), "not_open"),
        (0, Ballot("hour", "v0", "c0"), "accepted"),
        (999, Ballot("hour", "v0", "c0"), "accepted"),
        (1000, Ballot("hour", "v0", "c0"), "not_open"),
        (299, Ballot("hour", "v3", "c0"), "unknown_voter"),
        (300, Ballot("hour", "v3", "c0"), "accepted"),
        (499, Ballot("hour", "v0", "late"), "unknown_candidate"),
        (500, Ballot("hour", "v0", "late"), "accepted"),
        (500, Ballot("hour", "v0", "d0"), "unknown_candidate"),
        (500, Ballot("draft", "v0", "c0"), "not_open"),
        (500, Ballot("nowhere", "v0", "c0"), "unknown_election"),
        (500, Ballot("hour", "nobody", "c0"), "unknown_voter"),
        (500, Ballot("hour", "nobody", "nobody"), "unknown_candidate"),
        (500, Rejected(Reason.MALFORMED, "not JSON in UTF-8"), "malformed"),
        (500, Ballot("hour", "v6", "c0"), "unknown_voter"),  # registered for a list alone
        (500, Ballot("region", "v0", "r0"), "accepted"),
        (500, Ballot("region", "v1", "r0"), "unknown_voter"),  # lives in another state
        (500, Ballot("region", "v6", "r0"), "unknown_voter"),  # lives there, and is registered for a list alone
        (299, Ballot("region", "v3", "r0"), "unknown_voter"),
        (300, Ballot("region", "v3", "r0"), "accepted"),
        (0, Ballot("club", "v6", "k0"), "accepted"),
        (500, Ballot("club", "v7", "k0"), "unknown_voter"),  # on another list
        (500, Ballot("club", "v0", "k0"), "unknown_voter"),  # on the general register, and not on the list
        (499, Ballot("club", "v1", "k0"), "unknown_voter"),
        (500, Ballot("club", "v1", "k0"), "accepted"),
        (299, Ballot("club", "v3", "k0"), "unknown_voter"),  # listed at 250, registered at 300
        (300, Ballot("club", "v3", "k0"), "accepted"),
    ],
)
def test_each_boundary_at_its_millisecond(world: Connection, ms: int, content: Ballot | Rejected, outcome: str) -> None:
    (verdict,) = empty(world).decide([casting(1, 7, content, at(ms))])
    assert outcome_of(verdict) == outcome
    assert first_come([(1, 7, ms, content)]) == {(1, 7): outcome}


def test_a_second_ballot_says_whether_the_choice_was_the_same(world: Connection) -> None:
    ballots = [casting(0, offset, Ballot("hour", "v0", choice), at(offset)) for offset, choice in enumerate(["c0", "c0", "c1", "nobody"])]
    ledger = empty(world)
    expected = ["accepted", "already_voted_same", "already_voted_other", "unknown_candidate"]
    assert [outcome_of(one) for one in ledger.decide(ballots)] == expected
    assert [outcome_of(one) for one in ledger.decide(ballots)] == expected
    assert world.execute("SELECT voter_id, candidate_id, vote, voting_time FROM votes").fetchall() == [
        ("v0", "c0", 1, START.replace(tzinfo=None))
    ]


def test_one_voter_has_one_vote_in_each_election(world: Connection) -> None:
    ballots = [casting(0, 0, Ballot("hour", "v0", "c0"), at(300)), casting(0, 1, Ballot("second", "v0", "s0"), at(300))]
    assert [outcome_of(one) for one in empty(world).decide(ballots)] == ["accepted", "accepted"]


def test_what_is_accepted_carries_what_its_message_is_made_of(world: Connection) -> None:
    (verdict,) = empty(world).decide([casting(2, 5, Ballot("hour", "v1", "c1"), at(1))])
    assert verdict == Counted(Ballot("hour", "v1", "c1"), voter_message(voter(1)))


def test_a_stored_verdict_stands_whatever_has_changed_since(connection: Connection) -> None:
    add_election(connection)
    add_voters(connection, [0])
    ledger, long_ago = Ledger(connection), datetime.now(UTC) - timedelta(hours=2)
    batch = [cast_of(0, 0, "v0"), cast_of(0, 1, "v7"), cast_of(0, 2, "v0", "new"), cast_of(0, 3, "v0", "c0", "new")]
    expected = ["accepted", "unknown_voter", "unknown_candidate", "unknown_election"]
    assert [outcome_of(one) for one in ledger.decide(batch)] == expected
    add_voters(connection, [7], long_ago)
    add_election(connection, "new", ["new"], long_ago)
    connection.execute("UPDATE candidates SET listed_at = %s, election_id = 'e' WHERE candidate_id = 'new'", (long_ago,))
    overrule(connection, "UPDATE elections SET opens_at = NULL WHERE election_id = 'e'")
    connection.execute("UPDATE voters SET registered_at = now() + interval '1 day' WHERE voter_id = 'v0'")
    assert [outcome_of(one) for one in ledger.decide(batch)] == expected
    assert [outcome_of(one) for one in ledger.decide(batch[1:3])] == expected[1:3]
    assert_chained(connection)


NASTY = [None, b"", b"\x00", b'{"election_id": "hour", "voter_id": "v\\u0000", "candidate_id": "c0"}', b"\xff\xfe", b"[" * 3000]


@settings(max_examples=EXAMPLES // 3)
@given(st.lists(st.one_of(st.sampled_from(NASTY), st.binary(max_size=80), st.builds(ballot, *(st.text(max_size=300),) * 3)), max_size=15))
@example([ballot("\\.", "\t\r\n", "\\N"), ballot("\x01\x7f\u2028\U0010ffff", "'; DROP TABLE votes; --", "%s{}")])
@example([ballot("\U0010ffff" * 255, "\U0010ffff" * 255, "\U0010ffff" * 255)])
def test_no_bytes_abort_a_batch(world: Connection, values: list[bytes | None]) -> None:
    good = casting(0, len(values), Ballot("hour", "v0", "c0"), at(1))
    bad = [casting(0, offset, parse(None, value), at(1)) for offset, value in enumerate(values)]
    verdicts = empty(world).decide([*bad, good])
    assert [outcome_of(one) == "accepted" for one in verdicts] == [False] * len(bad) + [True]
    for cast, verdict in zip(bad, verdicts, strict=False):
        if isinstance(cast.content, Rejected):
            assert verdict == cast.content


def test_a_large_batch_counts_each_voter_once(connection: Connection) -> None:
    people = 500
    add_election(connection)
    add_voters(connection, range(people))
    batch = [cast_of(number % 3, number // 3, f"v{number * 7 % people // 3 * 3 + number % 3}", f"c{number % 2}") for number in range(3000)]
    batch.sort(key=lambda one: (one.partition, one.offset))
    said = outcomes_of(batch, Ledger(connection).decide(batch))
    expected = first_of_each(batch)
    assert {place for place, outcome in said.items() if outcome == "accepted"} == expected
    assert len(expected) > people // 2


def first_of_each(batch: Sequence[Cast]) -> set[Place]:
    first: dict[str, Place] = {}
    for one in sorted(batch, key=lambda one: (one.partition, one.offset)):
        if isinstance(one.content, Ballot) and int(one.content.voter_id[1:]) < 500:
            first.setdefault(one.content.voter_id, (one.partition, one.offset))
    return set(first.values())


def test_the_ledger_cannot_hold_two_votes_of_one_voter(world: Connection) -> None:
    empty(world).decide([casting(0, 0, Ballot("hour", "v0", "c0"), at(1))])
    with pytest.raises(psycopg.errors.UniqueViolation):
        world.execute("INSERT INTO votes SELECT voter_id, 'c1', voting_time, vote, election_id, 1, 1 FROM votes")


def test_reasons_are_counted_by_name(world: Connection) -> None:
    """The names are part of messages, reports and documents."""
    ballots = [
        Rejected(Reason.MALFORMED, "x"),
        Ballot("nowhere", "v0", "c0"),
        Ballot("draft", "v0", "c0"),
        Ballot("hour", "v0", "nobody"),
        Ballot("hour", "nobody", "c0"),
        Ballot("hour", "v0", "c0"),
        Ballot("hour", "v0", "c0"),
        Ballot("hour", "v0", "c1"),
    ]
    empty(world).decide([casting(0, offset, content, at(1)) for offset, content in enumerate(ballots)])
    counted = Counter(stored(world).values())
    assert counted == Counter({"accepted": 1} | {reason.value: 1 for reason in Reason})
