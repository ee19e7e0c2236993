"""Every batch that changes the ledger adds its links; replayed, the ledger is the same; what is missing is missed."""

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from electorate import casting
from ledger_rows import Place, assert_chained, everything_in, links, stored, tamper
from livetally.adapters import past
from livetally.adapters.ledger import Ledger
from livetally.adapters.postgres import Connection
from livetally.core.ballots import Ballot
from livetally.core.errors import LedgerError
from livetally.core.verdicts import Cast
from livetally.record.rebuild import _as_decided
from rules import (
    CastAt,
    at,
    ballots_anywhere,
    ballots_cast,
    batches_of,
    casts,
    deliveries,
    outcome_of,
)
from small_world import empty

EXAMPLES = 20


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


def replay_by_its_links(connection: Connection, by_place: Mapping[Place, Cast]) -> None:
    """As `rebuild ledger` does it."""
    partitions = sorted({partition for partition, _ in by_place})
    ballots = {partition: iter([by_place[place] for place in sorted(by_place) if place[0] == partition]) for partition in partitions}
    Ledger(connection).replay([list(_as_decided(ballots, list(past.order_of_links(connection))))])


@pytest.mark.parametrize("times", [1, 3])
@settings(max_examples=EXAMPLES * 2, phases=[Phase.generate], report_multiple_bugs=False)  # to shrink over a database takes minutes
@given(ballots_anywhere(), st.data())
def test_a_replay_in_the_order_of_the_links_keeps_the_verdicts_of_those_who_cast_into_two_partitions(
    world: Connection, times: int, ballots: list[CastAt], data: st.DataObject
) -> None:
    ledger, by_place = empty(world), casts(ballots)
    for batch in data.draw(batches_of(list(by_place))):
        ledger.decide([by_place[place] for place in batch])
    before = everything_in(world)
    for _ in range(times):
        replay_by_its_links(world, by_place)
        assert everything_in(world) == before


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
