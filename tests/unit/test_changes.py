"""What has changed since a look: votes, shares, ranks, places; and the last minute."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetally.core.tally import UNKNOWN
from livetally.show.changes import look, of_party, since
from livetally.show.recent import Recent
from livetally.show.result import Group, Result, Standing, lead_of, ranked

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
totals = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 9), min_size=1)


def result(votes: dict[str, int], places: dict[str, int] | None = None, generation: int = 1) -> Result:
    standings = ranked(Standing(name, name, "", "", "", "", count) for name, count in votes.items())
    groups = tuple(Group(name, count) for name, count in (places or {}).items())
    return Result("e", sum(votes.values()), standings, lead_of(standings), places=groups, generation=generation)


@given(totals, totals)
def test_then_and_the_change_make_now(before: dict[str, int], now: dict[str, int]) -> None:
    changes = since(look(result(before), NOON), result(now), NOON + timedelta(seconds=5))
    assert {one.candidate_id: before.get(one.candidate_id, 0) + one.votes for one in changes.candidates} == now
    assert changes.votes == sum(now.values()) - sum(before.values())


def test_shares_and_ranks() -> None:
    changes = since(look(result({"a": 6, "b": 4}), NOON), result({"a": 6, "b": 9}), NOON)
    a, b = changes.of("a"), changes.of("b")
    assert a
    assert b
    assert (a.votes, a.rank_before, a.rank, a.climbed) == (0, 1, 2, -1)
    assert (b.votes, b.rank_before, b.rank, b.climbed) == (5, 2, 1, 1)
    assert a.share == pytest.approx(-0.2)
    assert b.share == pytest.approx(0.2)
    assert changes.of("nobody") is None


def test_equal_votes_have_one_rank() -> None:
    changes = since(look(result({"a": 6, "b": 4, "c": 4}), NOON), result({"a": 6, "b": 6, "c": 4}), NOON)
    assert [(one.candidate_id, one.rank_before, one.rank) for one in changes.candidates] == [("a", 1, 1), ("b", 2, 1), ("c", 2, 3)]


def test_places_that_brought_votes_most_first() -> None:
    before, now = result({"a": 3}, {"Kent": 2, "Devon": 1}), result({"a": 9}, {"Kent": 3, "Devon": 1, "Surrey": 5})
    assert since(look(before, NOON), now, NOON, before).places == (("Surrey", 5), ("Kent", 1))


def test_from_whom_votes_came_and_what_became_of_a_party() -> None:
    before = replace(result({"a": 3, "b": 1, "c": 0}), ages=(Group("18-24", 1), Group("65+", 3)), genders=(Group("female", 4),))
    now = replace(result({"a": 3, "b": 3, "c": 4}), ages=(Group("18-24", 6), Group("65+", 4)), genders=(Group("female", 10),))
    parties = {"a": "Tide", "b": "Tide", "c": ""}
    now = replace(now, candidates=tuple(replace(one, party=parties[one.candidate_id]) for one in now.candidates))
    changes = since(look(before, NOON), now, NOON, before)
    assert (changes.ages, changes.genders) == ((("18-24", 5), ("65+", 1)), (("female", 6),))
    tide, nobody = of_party(now, changes, "Tide"), of_party(now, changes, UNKNOWN)
    assert (tide.votes, nobody.votes) == (2, 4)
    assert tide.share == pytest.approx(6 / 10 - 1)
    assert nobody.share == pytest.approx(0.4)


def test_a_recount_is_no_change_of_votes() -> None:
    assert since(look(result({"a": 3}), NOON), result({"a": 1}, generation=2), NOON).is_recount


def test_the_last_minute_reaches_back_a_minute_and_not_further() -> None:
    recent = Recent()
    assert recent.note({"e": result({"a": 0})}, NOON) == {}, "before there are two moments, nothing can have changed"
    for second in range(1, 181):
        changes = recent.note({"e": result({"a": second})}, NOON + timedelta(seconds=second))["e"]
        assert changes.votes == (changes.until - changes.since).total_seconds()
    assert timedelta(seconds=60) <= changes.until - changes.since < timedelta(seconds=65)
    assert len(recent._kept["e"]) <= 14
