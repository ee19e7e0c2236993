"""What the tiles of the map are coloured by: who is ahead, how many have voted, where votes come from just now; and what the colours mean."""

from collections.abc import Callable, Mapping, Sequence

from livetally.show.contrast import ink_on, painted
from livetally.show.past import Ahead
from livetally.show.result import Changes, Group, Standing
from livetally.show.sentences import span
from livetally.show.tilemap import EMPTY, LEVELS, Paint, level_of
from livetally.show.words import number, plural, said

LEGEND_MAX = 8
TIE_SIGN, FEW_SIGN = "=", "…"


def marks(candidates: Sequence[Standing]) -> dict[str, str]:
    """What a tile shows of each candidate beside its colour."""
    return letters({one.candidate_id: one.name for one in candidates})


def letters(names: Mapping[str, str]) -> dict[str, str]:
    """One or two letters for each name, no two the same; by the names' keys."""
    given: dict[str, str] = {}
    taken: set[str] = set()
    for key, name in sorted(names.items(), key=lambda each: (each[1], each[0])):
        words = [word for word in name.split() if word[0].isalnum()]
        initials = "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"
        mark, number_ = initials, 2
        while mark in taken:
            mark, number_ = f"{initials[0]}{number_}", number_ + 1
        taken.add(mark)
        given[key] = mark
    return given


def by_leader(candidates: Sequence[Standing], colours: Mapping[str, str], ahead: Mapping[str, Ahead]) -> Callable[[Group], Paint]:
    names, signs = {one.candidate_id: one.name for one in candidates}, marks(candidates)

    def paint(place: Group) -> Paint:
        here = ahead.get(place.name)
        if here is None:
            return Paint("", "who is ahead is not known yet", css_class="lt-tile-unknown")
        if here.is_too_few:
            return Paint(FEW_SIGN, "too few votes to say who is ahead", css_class="lt-tile-few")
        if not here.candidate_ids:
            return EMPTY
        if len(here.candidate_ids) > 1:
            return Paint(
                TIE_SIGN, f"a tie between {' and '.join(names.get(one, one) for one in here.candidate_ids)}", css_class="lt-tile-tie"
            )
        first = here.candidate_ids[0]
        says = f"{names.get(first, first)} is {plural(here.margin, 'vote')} ahead"
        return Paint(signs.get(first, "?"), says, colour=colours.get(first, ""), css_class="" if first in colours else "lt-tile-unknown")

    return paint


def by_turnout(places: Sequence[Group]) -> Callable[[Group], Paint]:
    lowest, highest = turnout_range(places)

    def paint(place: Group) -> Paint:
        if place.turnout is None:
            return Paint("–", "nobody knows how many are registered", css_class="lt-tile-unknown")
        shown = f"{100 * place.turnout:.0f}"
        return Paint(shown, f"turnout {100 * place.turnout:.1f} %", css_class=f"lt-level-{level_of(place.turnout, lowest, highest)}")

    return paint


def by_recent(changes: Changes | None) -> Callable[[Group], Paint]:
    came = dict(changes.places) if changes else {}
    highest = max(came.values(), default=0)

    def paint(place: Group) -> Paint:
        if changes is None:
            return Paint("–", "nobody knows how many votes came just now", css_class="lt-tile-unknown")
        votes = came.get(place.name, 0)
        return Paint(_short(votes), f"{plural(votes, 'vote')} in {span(changes)}", css_class=f"lt-level-{level_of(votes, 0, highest)}")

    return paint


def leaders_legend(candidates: Sequence[Standing], colours: Mapping[str, str], ahead: Mapping[str, Ahead]) -> str:
    """Who is ahead in how many places, with the letters that the tiles show."""
    signs = marks(candidates)
    won = {one.candidate_id: 0 for one in candidates}
    for here in ahead.values():
        if len(here.candidate_ids) == 1 and here.candidate_ids[0] in won:
            won[here.candidate_ids[0]] += 1
    tied = sum(len(here.candidate_ids) > 1 for here in ahead.values())
    order = sorted(candidates, key=lambda one: -won[one.candidate_id])
    lines = [
        _line(signs[one.candidate_id], said(one.name), plural(won[one.candidate_id], "place"), colours[one.candidate_id])
        for one in order[:LEGEND_MAX]
    ]
    if rest := order[LEGEND_MAX:]:
        lines.append(_line("", plural(len(rest), "other"), plural(sum(won[one.candidate_id] for one in rest), "place")))
    # Also of none: a line that comes and goes moves what is below it.
    lines.append(_line(TIE_SIGN, "Tie", plural(tied, "place"), css_class="lt-tile-tie"))
    if few := sum(here.is_too_few for here in ahead.values()):
        lines.append(_line(FEW_SIGN, "Too few votes to say", plural(few, "place"), css_class="lt-tile-few"))
    return f'<ul class="lt-map-legend" data-testid="map-legend">{"".join(lines)}</ul>'


def turnout_range(places: Sequence[Group]) -> tuple[float, float]:
    known = [place.turnout for place in places if place.turnout]
    return min(known, default=0.0), max(known, default=0.0)


def levels_legend(lowest: float, highest: float, unit: Callable[[float], str]) -> str:
    """Up to which value each shade goes."""
    if highest <= 0:
        return ""
    levels = range(1, LEVELS + 1) if highest > lowest else [LEVELS]
    lines = "".join(
        f'<li><span class="lt-tile lt-level-{level}" aria-hidden="true"></span>to {unit(lowest + (highest - lowest) * level / LEVELS)}</li>'
        for level in levels
    )
    return f'<ul class="lt-map-legend lt-map-levels" data-testid="map-legend">{lines}</ul>'


def _line(sign: str, name: str, places: str, colour: str = "", css_class: str = "lt-tile-unknown") -> str:
    look = f'style="{painted(colour)};color:{ink_on(colour)}"' if colour else ""
    return (
        f'<li><span class="lt-tile {"" if colour else css_class}" {look} aria-hidden="true"><span class="lt-tile-sign">{said(sign)}</span></span>'
        f'<span class="lt-legend-label">{name}</span> <b>{places}</b></li>'
    )


def _short(votes: int) -> str:
    return f"{votes / 1000:.0f}k" if votes >= 10_000 else number(votes)  # noqa: PLR2004 (five characters fit no tile)
