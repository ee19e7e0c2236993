"""One batch, one transaction, one verdict for each ballot, however often and however cut it is delivered.

What the verdicts have to be stands in `rules.py`.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from electorate import add_election, add_voters, ballot, candidate, cast_of, casting, voter
from ledger_rows import Outcomes, Place, assert_chained, everything_in, links, stored, tamper
from livetally.adapters import past
from livetally.adapters.custody import Custody
from livetally.adapters.ledger import Ledger
from livetally.adapters.postgres import RECORDERS_MAX, Connection, connect
from livetally.adapters.roll import Roll
from livetally.core.ballots import Ballot, Reason, Rejected, parse
from livetally.core.elections import Election
from livetally.core.errors import LedgerError
from livetally.core.verdicts import Cast, Counted, Verdict
from livetally.core.wire import voter_message
from rules import (
    DRAFT,
    FOREVER_MS,
    HOURS_MS,
    LISTED_MS,
    START,
    CastAt,
    at,
    ballots_cast,
    batches_of,
    casts,
    deliveries,
    first_come,
    outcome_of,
    outcomes_of,
)
from servers import Servers, clean_database
from waiting import WITHIN_S, wait_for

EXAMPLES = 60


@pytest.fixture(scope="module")
def world(servers: Servers) -> Iterator[Connection]:
    with clean_database(servers) as url, closing(connect(url, "tests", bounded=False, as_owner=True)) as connection:
        for election_id, (opens_ms, closes_ms) in HOURS_MS.items():
            candidates = [one for other, one in LISTED_MS if other == election_id]
            add_election(connection, election_id, candidates, at(opens_ms), at(closes_ms) if closes_ms < FOREVER_MS else None)
        Roll(connection).add_election(Election(DRAFT, "No hours yet", "simulated", "draft", 1, None, None))
        connection.execute("UPDATE elections SET status = 'certified' WHERE election_id = 'hour'")  # must not matter
        connection.execute("UPDATE candidates SET listed_at = %s WHERE candidate_id = 'late'", (at(500),))
        add_voters(connection, range(3), START - timedelta(days=1))
        add_voters(connection, [3], at(300))
        yield connection


def empty(connection: Connection) -> Ledger:
    """Without a trace of what was decided before."""
    Ledger(connection).replay([])
    return Ledger(connection)


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


@settings(max_examples=EXAMPLES // 3)
@given(ballots_cast(), st.data())
def test_the_heads_do_not_depend_on_how_the_ballots_are_cut(world: Connection, ballots: list[CastAt], data: st.DataObject) -> None:
    by_place = casts(ballots)
    arrival, found = list(by_place), []
    for batches in (data.draw(batches_of(arrival)), [sorted(arrival)], [[place] for place in arrival]):
        ledger = empty(world)
        for batch in batches:
            ledger.decide([by_place[place] for place in batch])
        assert_chained(world)
        found.append(past.heads(world))
        assert len(links(world)) == sum(len({partition for partition, _ in batch}) for batch in batches), (
            "a link for each batch and partition"
        )
    assert found[0] == found[1] == found[2]


@settings(max_examples=EXAMPLES // 3)
@given(deliveries())
def test_a_replay_gives_the_same_ledger(world: Connection, delivered: tuple[list[CastAt], list[list[Place]]]) -> None:
    ballots, batches = delivered
    ledger, by_place = empty(world), casts(ballots)
    for batch in batches:
        ledger.decide([by_place[place] for place in batch])
    before = everything_in(world)
    in_order = sorted(by_place)
    tamper(world, "UPDATE votes SET candidate_id = 'c1'")
    ledger.replay([[by_place[place]] for place in in_order[:3]] + [[by_place[place] for place in in_order[3:]]])
    assert everything_in(world) == before, "the heads too"
    assert_chained(world)


def test_a_replay_that_fails_has_not_happened(world: Connection) -> None:
    ledger = empty(world)
    ledger.decide([casting(0, 0, Ballot("hour", "v0", "c0"), at(1))])
    before = stored(world)

    def breaks() -> Iterator[list[Cast]]:
        yield [casting(0, 0, Ballot("hour", "v1", "c0"), at(1))]
        raise OSError("the broker went away")

    with pytest.raises(OSError, match="went away"):
        ledger.replay(breaks())
    assert stored(world) == before == {(0, 0): "accepted"}


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
    connection.execute("UPDATE elections SET opens_at = NULL WHERE election_id = 'e'")
    connection.execute("UPDATE voters SET registered_at = now() + interval '1 day' WHERE voter_id = 'v0'")
    assert [outcome_of(one) for one in ledger.decide(batch)] == expected
    assert [outcome_of(one) for one in ledger.decide(batch[1:3])] == expected[1:3]
    assert_chained(connection)


def test_a_batch_that_changes_nothing_adds_no_link(world: Connection) -> None:
    ledger, batch = empty(world), [casting(0, offset, Ballot("hour", "v0", "c0"), at(1)) for offset in range(3)]
    ledger.decide(batch)
    before = links(world)
    ledger.decide(batch)
    ledger.decide(batch[1:])
    assert links(world) == before
    ledger.decide([*batch[2:], casting(0, 3, Ballot("hour", "v1", "c0"), at(1)), casting(5, 0, Ballot("hour", "v2", "c0"), at(1))])
    assert [(one.partition, one.first_offset, one.next_offset, one.accepted, one.rejected) for one in links(world)] == [
        (0, 0, 3, 1, 2),
        (0, 3, 4, 1, 0),
        (5, 0, 1, 1, 0),
    ]
    assert_chained(world)


def test_offsets_that_hold_no_ballot_are_part_of_the_link(world: Connection) -> None:
    """Marks of transactions occupy offsets; whoever casts in transactions leaves such gaps."""
    ledger = empty(world)
    ledger.decide([casting(0, offset, Ballot("hour", "v0", "c0"), at(1)) for offset in (2, 5)], {0: 0})
    ledger.decide([casting(0, 9, Ballot("hour", "v1", "c0"), at(1))], {0: 6})
    assert [one[:5] for one in links(world)] == [(0, 0, 6, 1, 1), (0, 6, 10, 1, 0)]
    assert_chained(world)


def test_ballots_that_were_passed_over_are_missed(world: Connection) -> None:
    ledger = empty(world)
    ledger.decide([casting(0, offset, Ballot("hour", "v0", "c0"), at(1)) for offset in range(3)], {0: 0})
    before = everything_in(world), links(world)
    further = [casting(0, 5, Ballot("hour", "v1", "c0"), at(1)), casting(1, 0, Ballot("hour", "v2", "c0"), at(1))]
    with pytest.raises(LedgerError, match=r"The ballots 3 to 4 of partition 0 were passed over\. Nothing was stored"):
        ledger.decide(further, {0: 5, 1: 0})
    with pytest.raises(LedgerError, match=r"The ballots 0 to 6 of partition 4 were passed over"):
        ledger.decide([casting(4, 7, Ballot("hour", "v1", "c0"), at(1))], {4: 7})
    assert (everything_in(world), links(world)) == before
    assert [outcome_of(one) for one in ledger.decide(further, {0: 3, 1: 0})] == ["accepted", "accepted"]
    assert_chained(world)


@pytest.mark.parametrize(
    ("removed", "missing"),
    [
        ("DELETE FROM votes WHERE voter_id = 'v1'", 1),
        ("DELETE FROM rejections", 2),
        ("UPDATE votes SET ballot_offset = 77 WHERE voter_id = 'v0'", 0),
    ],
)
def test_a_ballot_whose_verdict_was_removed_is_named_when_it_comes_again(world: Connection, removed: str, missing: int) -> None:
    ledger = empty(world)
    batch = [casting(3, offset, Ballot("hour", voter_id, "c0"), at(1)) for offset, voter_id in enumerate(["v0", "v1", "nobody"])]
    ledger.decide(batch)
    tamper(world, removed)
    before = everything_in(world)
    with pytest.raises(LedgerError, match=rf"Ballot {missing} of partition 3 was decided, .* a row was removed.*rebuild ledger"):
        ledger.decide([*batch, casting(3, 3, Ballot("hour", "v2", "c0"), at(1))])
    assert everything_in(world) == before
    ledger.replay([batch])
    assert [outcome_of(one) for one in ledger.decide(batch)] == ["accepted", "accepted", "unknown_voter"]
    assert_chained(world)


def test_two_recorders_that_decide_the_same_and_overlapping_batches_never_disagree(database_url: str, connection: Connection) -> None:
    people = 60
    add_election(connection)
    add_voters(connection, range(people))
    # Both partitions hold everybody, in opposite orders: the worst that two recorders can do to each other.
    forth = [cast_of(0, number, f"v{number}", "c0") for number in range(people)]
    back = [cast_of(1, number, f"v{people - 1 - number}", "c1") for number in range(people)]
    nobody = [cast_of(2, number, f"nobody {number}") for number in range(people)]
    everything = [*forth, *back, *nobody]

    def decide(size: int, first: int) -> Outcomes:
        with closing(connect(database_url, "tests")) as own:
            ledger, found = Ledger(own), []
            barrier.wait()
            for start in range(first, len(everything), size):
                found += ledger.decide(everything[start : start + size])
            return outcomes_of(everything[first:], found)

    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(decide, size, first) for size, first in ((180, 0), (180, 0), (60, 60), (45, 0))]
        said = [task.result() for task in tasks]
    ledger = stored(connection)
    assert len(ledger) == 3 * people
    for outcomes in said:
        assert outcomes == {place: ledger[place] for place in outcomes}
    assert connection.execute("SELECT count(*), count(DISTINCT voter_id) FROM votes").fetchall() == [(people, people)]
    assert_chained(connection)


def deciding(database_url: str, batch: Sequence[Cast]) -> tuple[threading.Thread, list[Verdict]]:
    found: list[Verdict] = []

    def work() -> None:
        with closing(connect(database_url, "a recorder")) as own:
            found.extend(Ledger(own).decide(batch))

    thread = threading.Thread(target=work)
    thread.start()
    return thread, found


def is_waiting(connection: Connection, who: str = "a recorder") -> bool:
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock' AND wait_event = 'advisory'",
        (f"livetally {who}",),
    ).fetchone()
    return row == (1,)


def test_a_registration_that_is_not_committed_yet_is_waited_for(database_url: str, connection: Connection) -> None:
    add_election(connection)
    with closing(connect(database_url, "tests")) as registrar:
        with Roll(registrar).changing():
            add_voters(registrar, [0])
            thread, found = deciding(database_url, [cast_of(0, 0, "v0"), cast_of(0, 1, "v1")])
            wait_for(lambda: is_waiting(connection), "the ledger waits for the registration")
            assert thread.is_alive()
        thread.join()
    assert [outcome_of(one) for one in found] == ["accepted", "unknown_voter"]


def test_while_it_waits_for_a_registration_a_later_ballot_does_not_overtake(database_url: str, connection: Connection) -> None:
    """The voter's first ballot is for somebody whose listing is not committed yet, the second for somebody known."""
    add_election(connection)
    add_voters(connection, [0])
    with closing(connect(database_url, "tests")) as registrar:
        with Roll(registrar).changing():
            Roll(registrar).add_candidates([candidate("listed")])
            registrar.execute("UPDATE candidates SET listed_at = listed_at - interval '1 hour' WHERE candidate_id = 'listed'")
            thread, found = deciding(database_url, [cast_of(0, 0, "v0", "listed"), cast_of(0, 1, "v0", "c0")])
            wait_for(lambda: is_waiting(connection), "the ledger waits for the registration")
        thread.join()
    assert [outcome_of(one) for one in found] == ["accepted", "already_voted_other"]
    assert_chained(connection)


def test_closing_an_election_waits_for_the_batches_that_are_being_decided(database_url: str, connection: Connection) -> None:
    """By the old hours. So nobody is told a moment of closing before which a ballot was judged otherwise."""
    add_election(connection)
    add_voters(connection, [0, 1])
    closing_times: list[datetime] = []

    def close() -> None:
        with closing(connect(database_url, "a closer")) as own:
            closing_times.append(Roll(own).close_election("e"))

    closer = threading.Thread(target=close)

    def in_the_middle() -> None:
        closer.start()
        wait_for(lambda: is_waiting(connection, "a closer"), "closing waits for the batch")

    with closing(connect(database_url, "a recorder")) as own:
        (verdict,) = Ledger(own).decide([cast_of(0, 0, "v0")], before_commit=in_the_middle)
        assert outcome_of(verdict) == "accepted"
        closer.join(WITHIN_S)
        assert len(closing_times) == 1
        late = casting(0, 1, Ballot("e", "v1", "c0"), closing_times[0] + timedelta(milliseconds=1))
        assert [outcome_of(one) for one in Ledger(own).decide([late])] == ["not_open"], "the next batch reads the new hours"


def test_a_batch_waits_for_an_election_that_is_being_closed(database_url: str, connection: Connection) -> None:
    add_election(connection)
    add_voters(connection, [0, 1])
    with closing(connect(database_url, "a closer")) as own:
        with own.transaction():
            closes_at = Roll(own).close_election("e")
            step = timedelta(milliseconds=1)
            batch = [casting(0, 0, Ballot("e", "v0", "c0"), closes_at - step), casting(0, 1, Ballot("e", "v1", "c0"), closes_at + step)]
            thread, found = deciding(database_url, batch)
            wait_for(lambda: is_waiting(connection), "the batch waits until the election is closed")
        thread.join(WITHIN_S)
    assert [outcome_of(one) for one in found] == ["accepted", "not_open"]


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


def test_a_ledger_belongs_to_the_ballots_that_filled_it(connection: Connection) -> None:
    custody = Custody(connection)
    ours = custody.claim("cluster", "topic")
    assert custody.claim("cluster", "topic") == ours
    for cluster_id, topic_id in (("cluster", "another"), ("another", "topic")):
        with pytest.raises(LedgerError, match="filled from other ballots"):
            custody.claim(cluster_id, topic_id)
    assert custody.claim("cluster", "topic") == ours


def test_several_who_claim_a_new_ledger_at_once_get_one(database_url: str) -> None:
    barrier = threading.Barrier(4)

    def claim(_number: int) -> str:
        with closing(connect(database_url, "tests")) as own:
            custody = Custody(own)
            barrier.wait()
            return custody.claim("cluster", "topic")

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(claim, range(4)))) == 1


def test_slots_are_distinct_and_free_again_when_their_recorder_has_gone(database_url: str) -> None:
    connections = [connect(database_url, "tests") for _ in range(3)]
    try:
        held = [Custody(one) for one in connections]
        assert [custody.take_slot() for custody in held] == [0, 1, 2]
        with closing(connect(database_url, "tests")) as other, pytest.raises(LedgerError, match="A recorder is running"):
            Custody(other).take_all_slots()
        connections[1].close()
        with closing(connect(database_url, "tests")) as other:
            wait_for(lambda: slots_held(other) == 2, "the slot is free")
            assert Custody(other).take_slot() == 1
    finally:
        for one in connections:
            one.close()


def test_a_rebuild_holds_every_slot(database_url: str, connection: Connection) -> None:
    Custody(connection).take_all_slots()
    with closing(connect(database_url, "tests")) as other, pytest.raises(LedgerError, match=f"{RECORDERS_MAX} recorders"):
        Custody(other).take_slot()


def slots_held(connection: Connection) -> int:
    rows = connection.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ).fetchall()
    return int(rows[0][0])


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
