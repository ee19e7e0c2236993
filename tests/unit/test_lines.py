"""Lines over time: every point inside the drawing, names that do not cover each other, and never more than a screen can show."""

import re
from datetime import UTC, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from livetally.show.charts import NOTHING
from livetally.show.lines import LABEL_GAP, LINES_MAX, POINTS_MAX, Line, _apart, _round_up, line_chart, thinned
from pages import NOW, text


@given(st.lists(st.lists(st.integers(0, 10**9), min_size=40, max_size=40), min_size=1, max_size=12))
def test_everything_lies_inside(values: list[list[int]]) -> None:
    ends = [NOW + timedelta(minutes=number) for number in range(40)]
    drawn = line_chart(ends, [Line(f"{number}", line, "#000000") for number, line in enumerate(values)], UTC)
    corners = [float(part) for part in re.findall(r"calc\((-?[\d.]+)%", drawn)]
    assert corners
    assert all(0 <= corner <= 100 for corner in corners)
    assert drawn.count("lt-stroke") == min(len(values), LINES_MAX)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=LINES_MAX))
def test_names_do_not_cover_each_other(heights: list[float]) -> None:
    placed = sorted(_apart(heights))
    assert placed[-1] <= 1
    assert all(after - before >= LABEL_GAP - 1e-9 for before, after in pairwise(placed))


def test_one_point_and_none() -> None:
    assert line_chart([], [], UTC) == NOTHING
    assert "lt-stroke" in line_chart([NOW], [Line("Ada", [3], "#000000")], UTC)


def test_a_long_election_is_thinned_and_keeps_its_ends() -> None:
    kept = thinned(10_000, POINTS_MAX)
    assert (kept[0], kept[-1], len(kept)) == (0, 9_999, POINTS_MAX)
    assert thinned(3, POINTS_MAX) == [0, 1, 2]


@given(st.floats(1, 1e12))
def test_the_top_is_above_every_value_and_not_far(value: float) -> None:
    assert value <= _round_up(value) <= max(4, 2 * value)


def test_clocks_have_a_day_when_there_are_two() -> None:
    line = [Line("Ada", [1, 2, 3], "#000000")]
    assert "21:00" in text(line_chart([NOW + timedelta(minutes=number) for number in range(3)], line, UTC))
    assert "5 May" in text(line_chart([NOW + timedelta(hours=12 * number) for number in range(3)], line, UTC))
