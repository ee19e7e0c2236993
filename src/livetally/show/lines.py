"""Lines over time, drawn by the style sheet like the other charts: one shape for each line, so that a refresh replaces shapes and nothing blinks.

A shape is most of what such a chart sends at every refresh. So the edge around it, where a pale colour stands out and where lines cross one
sees which is on top, is its shadow and no second shape.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise
from math import ceil, hypot, log10

from livetally.show.charts import NOTHING
from livetally.show.contrast import edge
from livetally.show.words import number

POINTS_MAX = 180  # a line of more has more corners than its width has room for
LINES_MAX = 8  # more cannot be told apart; the table has all
TICKS = 4
STROKE_PX = 2.4
MITRE_MIN = 0.35  # a sharp turn gets a short tip, not one as long as the turn is sharp
# Shapes are given in percent, so they fit every width. How thick a slanted line looks depends on the shape of the
# whole; this one lies between a wide screen's and a narrow one's.
_WIDTH_PX, _HEIGHT_PX = 720.0, 260.0
LABEL_GAP = 0.075  # of the height: names at the lines' ends do not cover each other
MARKS = "●■▲◆★✚▼⬟"  # what tells lines apart without their colours

Point = tuple[float, float]  # both from 0 to 1, y upwards


@dataclass(frozen=True, slots=True)
class Line:
    """`label` is HTML. `values` has one number for each moment of the chart."""

    label: str
    values: Sequence[float]
    colour: str


def line_chart(ends: Sequence[datetime], lines: Sequence[Line], zone: tzinfo) -> str:
    """Decoration for those who see it: the sentence above it and the table behind it say the same in words."""
    shown = lines[:LINES_MAX]
    if not ends or not shown:
        return NOTHING
    top = _round_up(max((max(line.values, default=0) for line in shown), default=0))
    kept = thinned(len(ends), POINTS_MAX)
    drawn = [[(_x(place, len(ends)), line.values[place] / top) for place in kept] for line in shown]
    strokes = "".join(
        f'<div class="lt-casing" style="--lt-edge:{edge(line.colour)}">'
        f'<div class="lt-stroke" style="background:{line.colour};clip-path:polygon({_outline(points)})"></div></div>'
        for line, points in reversed(list(zip(shown, drawn, strict=True)))
    )
    grid = "".join(
        f'<div class="lt-gridline" style="bottom:{100 * step / TICKS:.1f}%"><span>{_short(top * step / TICKS)}</span></div>'
        for step in range(TICKS + 1)
    )
    heights = _apart([points[-1][1] for points in drawn])
    names = "".join(
        f'<span class="lt-line-name" style="bottom:{100 * height:.1f}%">{_mark(line, mark)} {line.label}</span>'
        for line, mark, height in zip(shown, MARKS, heights, strict=False)
    )
    dots = "".join(
        f'<span class="lt-line-end" style="bottom:{100 * points[-1][1]:.1f}%">{_mark(line, mark)}</span>'
        for line, mark, points in zip(shown, MARKS, drawn, strict=False)
    )
    clocks = "".join(f"<span>{text}</span>" for text in _clocks(ends, zone))
    return (
        f'<div class="lt-lines-chart" aria-hidden="true"><div class="lt-plot">{grid}{strokes}{dots}</div>'
        f'<div class="lt-line-names">{names}</div><div class="lt-clocks">{clocks}</div></div>'
    )


def thinned(count: int, most: int) -> list[int]:
    """Which of `count` points to draw: the first, the last, and others evenly between."""
    if count <= most:
        return list(range(count))
    return sorted({round(place * (count - 1) / (most - 1)) for place in range(most)})


def _mark(line: Line, mark: str) -> str:
    return f'<i class="lt-mark" style="color:{line.colour};--lt-edge:{edge(line.colour)}">{mark}</i>'


def _x(place: int, count: int) -> float:
    return place / (count - 1) if count > 1 else 1.0


def _outline(points: Sequence[Point]) -> str:
    """A line as a closed shape: along one side of it and back along the other."""
    if len(points) == 1:
        points = [(max(0.0, points[0][0] - 0.02), points[0][1]), points[0]]
    sides = _sides(points)
    there = [_corner(point, side, 1) for point, side in zip(points, sides, strict=True)]
    back = [_corner(point, side, -1) for point, side in zip(points, sides, strict=True)]
    return ",".join(there + back[::-1])


def _sides(points: Sequence[Point]) -> list[Point]:
    """For each point how far its two corners lie from it, in pixels: on the line that halves the angle between its two stretches."""
    across = [_across(before, after) for before, after in pairwise(points)]
    return [_mitre(first, second) for first, second in zip([across[0], *across], [*across, across[-1]], strict=True)]


def _across(before: Point, after: Point) -> Point:
    """A length of 1, at a right angle to a stretch. Pixels count downwards."""
    right, down = (after[0] - before[0]) * _WIDTH_PX, (before[1] - after[1]) * _HEIGHT_PX
    length = hypot(right, down) or 1.0
    return -down / length, right / length


def _mitre(first: Point, second: Point) -> Point:
    right, down = first[0] + second[0], first[1] + second[1]
    length = hypot(right, down) or 1.0
    right, down = right / length, down / length
    half = STROKE_PX / 2 / max(MITRE_MIN, right * first[0] + down * first[1])
    return right * half, down * half


def _corner(point: Point, side: Point, sign: int) -> str:
    return f"calc({100 * point[0]:.2f}% + {sign * side[0]:.1f}px) calc({100 * (1 - point[1]):.2f}% + {sign * side[1]:.1f}px)"


def _apart(heights: Sequence[float]) -> list[float]:
    """Where the names go: beside their line's end, pushed apart where they would cover each other, none above the top."""
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    placed = [heights[place] for place in order]
    for place in range(1, len(placed)):
        placed[place] = max(placed[place], placed[place - 1] + LABEL_GAP)
    ceiling = 1.0
    for place in range(len(placed) - 1, -1, -1):
        placed[place] = min(placed[place], ceiling)
        ceiling = placed[place] - LABEL_GAP
    return [height for _, height in sorted(zip(order, placed, strict=True))]


def _round_up(value: float) -> float:
    """The next number that quarters well."""
    if value <= TICKS:
        return float(TICKS)
    unit = 10.0 ** int(log10(value))
    return next(step * unit for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if step * unit >= value)


def _short(value: float) -> str:
    for size, letter in ((1_000_000, "M"), (10_000, "k")):
        if value >= size:
            return f"{value / (1000 if letter == 'k' else size):g}{letter}"
    return number(ceil(value))


def _clocks(ends: Sequence[datetime], zone: tzinfo) -> list[str]:
    """The first, the middle and the last moment; with the day where it is more than one."""
    chosen = [ends[0], ends[len(ends) // 2], ends[-1]] if len(ends) > 2 else list(ends)  # noqa: PLR2004 (first, middle, last)
    days = {one.astimezone(zone).date() for one in (ends[0], ends[-1])}
    return [f"{one.astimezone(zone):{'%H:%M' if len(days) == 1 else '%-d %b, %H:%M'}}" for one in chosen]
