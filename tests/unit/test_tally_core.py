"""The plain Python tally: the definition that Spark is held against."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetally.core.tally import AGE_GROUPS, TEXT_BYTES_MAX, UNKNOWN, VIEWS, Cell, age_group, cell_of, roll_up, second_of


@pytest.mark.parametrize(
    ("born", "voted", "group"),
    [
        ("2008-05-07", "2026-05-07 08:00:00.000", "18-24"),
        ("2008-05-08", "2026-05-07 08:00:00.000", "under 18"),
        ("2004-02-29", "2022-02-28 23:59:59.999", "under 18"),
        ("2004-02-29", "2022-03-01 00:00:00.000", "18-24"),
        ("1961-05-07T10:11:12.000Z", "2026-05-07", "65+"),
        ("1961-05-08", "2026-05-07", "55-64"),
        ("1850-01-01", "2026-05-07", UNKNOWN),
        ("2030-01-01", "2026-05-07", UNKNOWN),
        ("1990-02-30", "2026-05-07", UNKNOWN),
        ("١٩٩٠-٠١-٠١", "2026-05-07", UNKNOWN),
        ("", "2026-05-07", UNKNOWN),
        (None, "2026-05-07", UNKNOWN),
        (19900101, "2026-05-07", UNKNOWN),
        ("1990-01-01", "yesterday", UNKNOWN),
    ],
)
def test_age_groups(born: object, voted: object, group: str) -> None:
    assert age_group(born, voted) == group


def test_a_vote_that_says_nothing_is_counted_as_unknown() -> None:
    assert cell_of({}) == Cell(*(UNKNOWN,) * 6)
    assert cell_of({"address": "no object", "gender": 3, "candidate_id": ""}) == Cell(*(UNKNOWN,) * 6)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("x" * TEXT_BYTES_MAX, True),
        ("x" * TEXT_BYTES_MAX + "x", False),
        ("女" * (TEXT_BYTES_MAX // 3), True),
        ("女" * (TEXT_BYTES_MAX // 3 + 1), False),
        ("\0" * (TEXT_BYTES_MAX // 3 + 1), False),
    ],
)
def test_a_name_that_no_key_would_hold_is_unknown(name: str, *, known: bool) -> None:
    cell = cell_of({"election_id": name, "candidate_id": name, "gender": name, "address": {"state": name, "city": name}})
    assert cell == Cell(*(name if known else UNKNOWN,) * 5, UNKNOWN)


@pytest.mark.parametrize(
    ("said", "second"),
    [
        ("1970-01-01 00:00:59.999", 59),
        ("8999-12-31 23:59:59.999", 221_845_391_999),
        ("9000-01-01 00:00:00.000", None),
        ("9999-12-31 23:59:59.999", None),
        ("1969-12-31 23:59:59.999", None),
    ],
)
def test_every_time_of_voting_is_in_a_minute_that_ends(said: str, second: int | None) -> None:
    assert second_of(said) == second


cells = st.dictionaries(
    st.builds(Cell, *(st.sampled_from(["a", "b", UNKNOWN]) for _ in range(5)), st.sampled_from([name for _, name in AGE_GROUPS])),
    st.integers(min_value=1, max_value=1000),
    max_size=30,
)


@given(cells)
def test_every_view_adds_up_to_all_votes(counted: dict[Cell, int]) -> None:
    totals = roll_up(counted, {"a": "party of a"})
    for view in VIEWS:
        assert sum(votes for (name, _, _), votes in totals.items() if name == view.name) == sum(counted.values())


def test_each_view_has_a_topic_of_its_own_and_keys_that_cannot_be_confused() -> None:
    assert len({view.topic for view in VIEWS}) == len(VIEWS)
    assert VIEWS[0].key('e"1', ["c,2"]) != VIEWS[0].key("e", ['"1', "c,2"])
