"""Colours for every pair of eyes: each stands out on both papers, and no two of them look alike to anybody."""

from itertools import combinations, product

import pytest

from livetally.core.parties import COLOURS, UNKNOWN_COLOUR
from livetally.show.charts import Bar, bars, pie
from livetally.show.contrast import ENOUGH, PAPERS, contrast, edge, edges_of
from livetally.show.lines import Line, line_chart
from livetally.show.page import SCRIPT
from livetally.show.result import Group
from livetally.show.tilemap import Paint, tile_map
from pages import NOW

DRAWN = (*COLOURS, UNKNOWN_COLOUR)
# In light without gamma, after Machado, Oliveira and Fernandes (2009), for people who have one kind of cones not at all.
EYES = {
    "all cones": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.9505, 1.0, 1.089)
APART = 12.0  # 2 is what a trained eye just sees side by side


def times(matrix: tuple[tuple[float, ...], ...], vector: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sum(part * value for part, value in zip(row, vector, strict=True)) for row in matrix)


def seen(colour: str, eyes: str) -> tuple[float, float, float]:
    """CIE Lab of a colour as these eyes see it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    light = tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    shown = tuple(min(1.0, max(0.0, part)) for part in times(EYES[eyes], light))
    x, y, z = (
        ratio ** (1 / 3) if ratio > 0.008856 else 7.787 * ratio + 16 / 116
        for ratio in (part / white for part, white in zip(times(TO_XYZ, shown), WHITE, strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("eyes", EYES)
def test_no_two_colours_look_alike(eyes: str) -> None:
    for first, second in combinations(DRAWN, 2):
        distance = sum((one - other) ** 2 for one, other in zip(seen(first, eyes), seen(second, eyes), strict=True)) ** 0.5
        assert distance >= APART, (first, second)


@pytest.mark.parametrize("colour", DRAWN)
def test_each_stands_out_on_both_papers(colour: str) -> None:
    for paper, edged in zip(PAPERS.values(), edges_of(colour), strict=True):
        assert all(contrast(edged, one) >= ENOUGH for one in paper)


def test_a_colour_that_stands_out_is_its_own_edge() -> None:
    assert edges_of("#D55E00") == ("#D55E00", "#D55E00")
    assert edge("var(--lt-faint)") == "var(--lt-outline)"


@pytest.mark.parametrize("colour", ["#F0E442", "#332288"])
def test_every_shape_has_its_edge(colour: str) -> None:
    """Yellow on white and indigo on black are in none of these without one."""
    row = Bar("Ada", 3, colour, sign="AL")
    painted = tile_map((Group("Kent", 5),), lambda _: Paint("A", "Ada", colour), "Leader")
    for drawn in (bars([row], 9), pie([row, row], 6), line_chart([NOW], [Line("Ada", [3], colour)], NOW.tzinfo), painted):  # type: ignore[arg-type]
        assert edge(colour) in drawn


def test_a_slice_says_who_it_is_without_its_colour() -> None:
    drawn = pie(
        [Bar("Ada Lin", 90, COLOURS[0], sign="AL"), Bar("Bo Ek", 6, COLOURS[1], sign="BE"), Bar("Cy", 2, COLOURS[2], sign="CY")], 98
    )
    on_disc, legend = drawn.split('<ul class="lt-legend">')
    assert [sign for sign in ("AL", "BE", "CY") if f"<bdi>{sign}</bdi>" in on_disc] == ["AL", "BE"]
    assert all(f"<bdi>{sign}</bdi>" in legend for sign in ("AL", "BE", "CY"))


def test_the_papers_are_those_of_the_style_sheet() -> None:

    style = SCRIPT.with_name("style.css").read_text("utf-8").lower()
    for name, (light, dark) in zip(("paper", "track"), zip(*PAPERS.values(), strict=True), strict=True):
        assert f"--lt-{name}: light-dark({light.lower()}, {dark.lower()})" in style
    assert all(contrast(one, paper) >= ENOUGH for one, paper in product(("#767b80",), PAPERS["light"]))
    assert all(contrast(one, paper) >= ENOUGH for one, paper in product(("#868d94",), PAPERS["dark"]))
