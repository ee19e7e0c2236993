"""Which rounds are played: everything there is, in an order that a seed says."""

from collections import Counter

from livetally.tally.points import Point
from recovery.catalogue import ASLEEP, FAULTS, KILLS, MUST_HAVES, chosen
from recovery.harms import HARMS
from recovery.strikes import AT_START, OF_A_RECOUNT

SEED = 7


def test_it_is_killed_at_every_point() -> None:
    assert {f"killed at {point}" for point in Point} <= set(KILLS)
    assert set(Point) > AT_START | OF_A_RECOUNT


def test_without_a_number_every_fault_is_played_once() -> None:
    assert Counter(chosen(SEED, None, None)) == Counter(FAULTS.keys())


def test_a_few_rounds_are_kills_and_others_in_turn() -> None:
    assert [name in KILLS for name in chosen(SEED, 6, None)] == [True, False] * 3


def test_a_seed_says_the_order() -> None:
    assert chosen(SEED, 100, None) == chosen(SEED, 100, None)
    assert chosen(SEED, 100, None) != chosen(SEED + 1, 100, None)
    assert len(chosen(SEED, 100, None)) == 100


def test_one_fault_can_be_played_alone() -> None:
    assert chosen(SEED, 3, "Kafka away") == ["Kafka away"] * 3


def test_what_every_change_is_held_against_has_one_of_each_kind() -> None:
    """Before and behind a publication, asleep, counted by other groups, a service away."""
    assert set(MUST_HAVES) <= set(FAULTS)
    assert {f"killed at {Point.AFTER_STORE_COMMIT}", f"killed at {Point.AFTER_PUBLISH}"} <= set(MUST_HAVES)
    for kind in ({f"asleep at {point}" for point in ASLEEP}, HARMS.keys(), {"Kafka away briefly", "PostgreSQL away briefly"}):
        assert len(kind & set(MUST_HAVES)) == 1
