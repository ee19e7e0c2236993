"""Charts as HTML: real text that can be read, selected, enlarged and announced, in the page's own type and colours.

They are drawn by the style sheet, so a refresh replaces a few words and widths, and nothing flickers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import cos, pi, sin

from livetally.core.parties import colour_of
from livetally.core.tally import UNKNOWN
from livetally.show.result import Group, Result
from livetally.show.words import number, percent, plural, said

BARS_MAX = 12  # more do not fit a screen; the rest is one line, and all are in the table
SLICES_MAX = 8
LABEL_SHARE_MIN = 0.07  # a smaller slice has no room for its own label
NOTHING = '<p class="lt-nothing">Nothing yet</p>'
GAP_DEGREES = 0.8  # between slices, so that colour is not the only border


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart. `label` and `note` are HTML, `attributes` are for those who read the page by program."""

    label: str
    votes: int
    colour: str
    note: str = ""
    picture: str = ""
    attributes: str = ""


def candidate_colours(result: Result) -> dict[str, str]:
    """A colour for each candidate_id: its party's; in a poll without parties, one of its own."""
    parties = {one.candidate_id: one.party or UNKNOWN for one in result.candidates}
    if not result.has_parties:
        parties = {one.candidate_id: one.name for one in result.candidates}
    colours = colour_of(parties.values())
    return {candidate_id: colours[name] for candidate_id, name in parties.items()}


def party_colours(result: Result) -> dict[str, str]:
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
        f'<div class="lt-track"><div class="lt-fill" style="width:{100 * width:.2f}%;background:{row.colour}"></div></div></li>'
    )


def turnout_bars(groups: Sequence[Group], *, bars_max: int = BARS_MAX) -> str:
    """How many of each group's registered people have voted: full is everybody. Groups of whom nobody knows it have no bar."""
    if not groups:
        return NOTHING
    lines = []
    for group in groups[:bars_max]:
        known = group.turnout is not None
        share = percent(group.turnout) if group.turnout is not None else "–"
        of = f"{number(group.votes)} of {number(group.registered or 0)}" if known else plural(group.votes, "vote")
        width = min(1.0, group.turnout or 0.0)
        lines.append(
            f'<li class="lt-bar" data-votes="{group.votes}"><div class="lt-bar-text"><span class="lt-bar-label">{label_of(group.name)}</span>'
            f'<span class="lt-bar-note">{of}</span></div><div class="lt-bar-numbers"><span class="lt-votes">{share}</span></div>'
            f'<div class="lt-track"><div class="lt-fill" style="width:{100 * width:.2f}%;background:var(--lt-hue-3)"></div></div></li>'
        )
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
    stops = ",".join(
        f"{row.colour} {360 * start:.2f}deg {max(360 * start, 360 * end - gap):.2f}deg,var(--lt-paper) 0 {360 * end:.2f}deg"
        for row, start, end in zip(slices, starts, ends, strict=True)
    )
    radius = 50 if not centre else 41
    labels = "".join(
        _slice_label((start + end) / 2, end - start, radius * (0.62 if not centre else 1.0))
        for start, end in zip(starts, ends, strict=True)
        if end - start >= LABEL_SHARE_MIN
    )
    legend = "".join(
        f'<li data-votes="{row.votes}"><span class="lt-swatch" style="background:{row.colour}"></span>'
        f'<span class="lt-legend-label">{row.label}</span> <span class="lt-votes">{number(row.votes)}</span> '
        f'<span class="lt-share">{percent(row.votes / total)}</span></li>'
        for row in slices
    )
    hole = f'<div class="lt-hole">{centre}</div>' if centre else ""
    return (
        f'<div class="lt-pie"><div class="lt-disc" aria-hidden="true" style="background:conic-gradient({stops})">{hole}{labels}</div>'
        f'<ul class="lt-legend">{legend}</ul></div>'
    )


def _slice_label(middle: float, share: float, radius: float) -> str:
    x, y = 50 + radius * sin(2 * pi * middle), 50 - radius * cos(2 * pi * middle)
    return f'<span class="lt-slice-label" style="left:{x:.1f}%;top:{y:.1f}%">{share:.0%}</span>'


def _others(rows: Sequence[Bar]) -> Bar:
    return Bar(f"{plural(len(rows), 'other')}", sum(row.votes for row in rows), "var(--lt-faint)")


def label_of(name: str) -> str:
    """The name of a group as HTML."""
    return said(name) if name and name != UNKNOWN else '<i class="lt-unknown">unknown</i>'
