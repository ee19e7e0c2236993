"""Which rounds are played: everything there is, in an order that a seed says."""

from collections import Counter

from faults.catalogue import FAULTS, Round, chosen
from livetally.record.points import Point

SEED = 7


def names(rounds: list[Round]) -> list[tuple[str, ...]]:
    return [one.faults for one in rounds]


def test_every_point_is_a_fault() -> None:
    assert {f"killed at {point}" for point in Point} <= set(FAULTS)


def test_the_short_suite_plays_every_fault_once() -> None:
    assert Counter(name for one in chosen(SEED, None, None) for name in one.faults) == Counter(FAULTS)


def test_as_many_rounds_as_there_are_faults_play_every_fault() -> None:
    assert Counter(names(chosen(SEED, len(FAULTS), None))) == Counter((name,) for name in FAULTS)


def test_a_seed_says_the_order() -> None:
    assert names(chosen(SEED, 100, None)) == names(chosen(SEED, 100, None))
    assert names(chosen(SEED, 100, None)) != names(chosen(SEED + 1, 100, None))
    assert len(chosen(SEED, 100, None)) == 100


def test_one_fault_can_be_played_alone() -> None:
    assert names(chosen(SEED, 3, "broker killed")) == [("broker killed",)] * 3


def test_there_is_a_recorder_for_each_fault_of_a_round() -> None:
    assert all(one.recorders >= len(one.faults) for one in chosen(SEED, 200, None))
