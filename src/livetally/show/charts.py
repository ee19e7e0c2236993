"""Charts as HTML: real text that can be read, selected, enlarged and announced, in the page's own type and colours.

They are drawn by the style sheet, so a refresh replaces a few words and widths, and nothing flickers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import cos, pi, sin

from livetally.core.parties import colour_of
from livetally.core.tally import UNKNOWN
from livetally.show.contrast import edge, painted
from livetally.show.result import Group, Result
from livetally.show.words import number, percent, plural, said

BARS_MAX = 12  # more do not fit a screen; the rest is one line, and all are in the table
SLICES_MAX = 8
LABEL_SHARE_MIN = 0.07  # a smaller slice has no room for its share
SIGN_SHARE_MIN = 0.025  # a still smaller one has no room for two letters beside it either
RADIUS_OUTSIDE = 57.0  # of a hundredth of the width, where a small slice's letters stand
NOTHING = '<p class="lt-nothing">Nothing yet</p>'
GAP_DEGREES = 0.8  # between slices, so that colour is not the only border
EDGE_DEGREES = 0.7  # on both sides of a slice; around it the style sheet draws one as wide


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart. `label` and `note` are HTML, `attributes` are for those who read the page by program.

    `sign`: a letter or two, plain text, that say the same as the colour where there is no room for the label.
    """

    label: str
    votes: int
    colour: str
    note: str = ""
    picture: str = ""
    attributes: str = ""
    sign: str = ""


def candidate_colours(result: Result) -> dict[str, str]:
    """A colour for each candidate_id: its party's; in a poll without parties, one of its own."""
    if result.has_parties:
        colours = party_colours(result)
        return {one.candidate_id: colours[one.party or UNKNOWN] for one in result.candidates}
    colours = colour_of(one.name for one in result.candidates)
    return {one.candidate_id: colours[one.name] for one in result.candidates}


def party_colours(result: Result) -> dict[str, str]:
    """Most votes first: where there are more parties than colours, those that are drawn have one each."""
    return colour_of([*(group.name for group in result.parties), *(one.party or UNKNOWN for one in result.candidates)])


def bars(rows: Sequence[Bar], total: int, *, bars_max: int = BARS_MAX) -> str:
    """A bar for each row, as long as its votes, each with its own number."""
    if not rows:
        return NOTHING
    shown, rest = rows[:bars_max], rows[bars_max:]
    longest = max((row.votes for row in shown), default=0) or 1
    lines = [_bar(row, row.votes / longest, row.votes / total if total else 0.0) for row in shown]
    if rest:
        votes = sum(row.votes for row in rest)
        lines.append(f'<li class="lt-rest">and {plural(len(rest), "other")} with {plural(votes, "vote")} together</li>')
    return f'<ol class="lt-bars">{"".join(lines)}</ol>'


def _bar(row: Bar, width: float, share: float) -> str:
    return (
        f'<li class="lt-bar{" lt-bar-pictured" if row.picture else ""}" data-votes="{row.votes}" {row.attributes}>{row.picture}'
        f'<div class="lt-bar-text"><span class="lt-bar-label">{row.label}</span>{row.note}</div>'
        f'<div class="lt-bar-numbers"><span class="lt-votes">{number(row.votes)}</span> <span class="lt-share">{percent(share)}</span></div>'
        f'<div class="lt-track"><div class="lt-fill" style="width:{100 * width:.2f}%;{painted(row.colour)}"></div></div></li>'
    )


def turnout_bars(groups: Sequence[Group], *, bars_max: int = BARS_MAX) -> str:
    """How many of each group's registered people have voted: full is everybody. Groups of whom nobody knows it have no bar."""
    if not groups:
        return NOTHING
    shown, rest = groups[:bars_max], groups[bars_max:]
    lines = []
    for group in shown:
        known = group.turnout is not None
        share = percent(group.turnout) if group.turnout is not None else "–"
        of = f"{number(group.votes)} of {number(group.registered or 0)}" if known else plural(group.votes, "vote")
        width = min(1.0, group.turnout or 0.0)
        lines.append(
            f'<li class="lt-bar" data-votes="{group.votes}"><div class="lt-bar-text"><span class="lt-bar-label">{label_of(group.name)}</span>'
            f'<span class="lt-bar-note">{of}</span></div><div class="lt-bar-numbers"><span class="lt-votes">{share}</span></div>'
            f'<div class="lt-track"><div class="lt-fill" style="width:{100 * width:.2f}%;background:var(--lt-hue-3)"></div></div></li>'
        )
    if rest:
        lines.append(f'<li class="lt-rest">and {plural(len(rest), "other")}, in the table below</li>')
    return f'<ol class="lt-bars">{"".join(lines)}</ol>'


def pie(rows: Iterable[Bar], total: int, centre: str = "") -> str:
    """Shares of a whole, largest first as given; with `centre` (HTML) it is a donut around it. Its legend has every number."""
    counted = [row for row in rows if row.votes]
    if not counted or not total:
        return NOTHING
    slices = counted if len(counted) <= SLICES_MAX else [*counted[: SLICES_MAX - 1], _others(counted[SLICES_MAX - 1 :])]
    ends = list(accumulate(row.votes / total for row in slices))
    starts = [0.0, *ends[:-1]]
    gap = GAP_DEGREES if len(slices) > 1 else 0.0
    arcs = [(row, 360 * start, max(360 * start, 360 * end - gap), 360 * end) for row, start, end in zip(slices, starts, ends, strict=True)]
    fills = ",".join(_arc(row.colour, edge(row.colour), *angles) for row, *angles in arcs)
    edges = ",".join(_arc(edge(row.colour), edge(row.colour), *angles) for row, *angles in arcs)
    radius = 50 if not centre else 41
    labels = "".join(
        _slice_label((start + end) / 2, end - start, radius * (0.62 if not centre else 1.0), row.sign)
        for row, start, end in zip(slices, starts, ends, strict=True)
    )
    legend = "".join(
        f'<li data-votes="{row.votes}"><span class="lt-swatch" style="{painted(row.colour)}"></span>'
        f'<span class="lt-legend-label">{row.label}{_legend_sign(row)}</span> <span class="lt-votes">{number(row.votes)}</span> '
        f'<span class="lt-share">{percent(row.votes / total)}</span></li>'
        for row in slices
    )
    hole = f'<div class="lt-rim"></div><div class="lt-hole">{centre}</div>' if centre else ""
    return (
        f'<div class="lt-pie"><div class="lt-disc" aria-hidden="true" style="--lt-fills:conic-gradient({fills});--lt-edges:conic-gradient({edges})">'
        f'<div class="lt-slices"></div>{hole}{labels}</div>'
        f'<ul class="lt-legend">{legend}</ul></div>'
    )


def _arc(fill: str, side: str, start: float, end: float, next_start: float) -> str:
    """A slice, an edge at both of its sides, and the gap behind it."""
    inner = min(EDGE_DEGREES, (end - start) / 2)
    return f"{side} {start:.2f}deg {start + inner:.2f}deg,{fill} 0 {end - inner:.2f}deg,{side} 0 {end:.2f}deg,var(--lt-paper) 0 {next_start:.2f}deg"


def _legend_sign(row: Bar) -> str:
    return f' <span class="lt-sign" aria-hidden="true">{said(row.sign)}</span>' if row.sign else ""


def _slice_label(middle: float, share: float, radius: float, sign: str) -> str:
    if share < (SIGN_SHARE_MIN if sign else LABEL_SHARE_MIN):
        return ""
    is_inside = share >= LABEL_SHARE_MIN
    shown = f"{said(sign)} {share:.0%}".removeprefix("<bdi></bdi> ") if is_inside else said(sign)
    radius, css_class = (radius, "lt-slice-label") if is_inside else (RADIUS_OUTSIDE, "lt-slice-label lt-slice-outside")
    x, y = 50 + radius * sin(2 * pi * middle), 50 - radius * cos(2 * pi * middle)
    return f'<span class="{css_class}" style="left:{x:.1f}%;top:{y:.1f}%">{shown}</span>'


def _others(rows: Sequence[Bar]) -> Bar:
    return Bar(f"{plural(len(rows), 'other')}", sum(row.votes for row in rows), "var(--lt-faint)")


def label_of(name: str) -> str:
    """The name of a group as HTML."""
    return said(name) if name and name != UNKNOWN else '<i class="lt-unknown">unknown</i>'
