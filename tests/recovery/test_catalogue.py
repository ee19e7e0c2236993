"""Which rounds are played: everything there is, in an order that a seed says."""

from collections import Counter

from livetally.tally.points import Point
from recovery.catalogue import FAULTS, KILLS, chosen
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
