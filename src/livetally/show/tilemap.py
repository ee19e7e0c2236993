"""The map of places: a tile for each county at its place, and one for each place that the map does not know, so that it adds up to the total."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from livetally.show.contrast import ink_on, painted
from livetally.show.grid import Square, code_of, squares
from livetally.show.result import Group
from livetally.show.words import number, plural, said

TILES_ELSEWHERE_MAX = 96  # as many again as the map has; more are one tile together, and each in the table below
LEVELS = 5  # shades that the eye tells apart side by side


@dataclass(frozen=True, slots=True)
class Paint:
    """How a tile looks and what it says. `sign` is the same as the colour in letters or digits; `says` is plain text for people."""

    sign: str
    says: str
    colour: str = ""  # #RRGGBB, or nothing if the class has it
    css_class: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """To one place: its address, and which one somebody is looking at already."""

    to: Callable[[str], str]
    chosen: str = ""


EMPTY = Paint("", "no votes yet", css_class="lt-tile-empty")


def tile_map(places: Sequence[Group], paint: Callable[[Group], Paint], about: str, way: Way | None = None) -> str:
    """`about` says what the colours mean, for those who do not see them. Every vote of `places` lies in exactly one tile.

    `way` makes each tile that has votes a link to its place.
    """
    known = squares()
    on_map = {place.name: place for place in places if place.name in known}
    elsewhere = [place for place in places if place.name not in known]
    parts = []
    if on_map or not elsewhere:
        drawn = "".join(
            _tile(square.code, square.name, on_map.get(square.name), paint, way, _position(square)) for square in known.values()
        )
        parts.append(f'<ol class="lt-map" data-testid="map" aria-label="{about}">{drawn}</ol>')
    if elsewhere:
        title = "Not on the map" if on_map else "Places"
        shown, rest = elsewhere[:TILES_ELSEWHERE_MAX], elsewhere[TILES_ELSEWHERE_MAX:]
        drawn = "".join(_tile(code_of(place.name), place.name, place, paint, way) for place in shown)
        if rest:
            drawn += _rest(rest)
        parts.append(
            f'<p class="lt-map-title">{title}: {plural(len(elsewhere), "place")}</p>'
            f'<ol class="lt-map lt-map-loose" data-testid="map-elsewhere" aria-label="{about}">{drawn}</ol>'
        )
    return f'<div class="lt-atlas">{"".join(parts)}</div>'


def level_of(value: float, lowest: float, highest: float) -> int:
    """0 for nothing, otherwise 1 to LEVELS in equal steps from the lowest to the highest."""
    if value <= 0 or highest <= 0:
        return 0
    if highest <= lowest:
        return LEVELS
    return min(LEVELS, max(1, 1 + int(LEVELS * (value - lowest) / (highest - lowest))))


def _tile(code: str, name: str, place: Group | None, paint: Callable[[Group], Paint], way: Way | None, position: str = "") -> str:
    drawn = paint(place) if place is not None and place.votes else EMPTY
    colours = f"{painted(drawn.colour)};color:{ink_on(drawn.colour)};" if drawn.colour else ""
    votes = place.votes if place else 0
    inner = (
        f'<span class="lt-tile-code" aria-hidden="true">{said(code)}</span><span class="lt-tile-sign" aria-hidden="true">{said(drawn.sign)}</span>'
        f'<span class="lt-hidden">{said(name)}: {said(drawn.says)}, {plural(votes, "vote")}</span>'
    )
    chosen = ""
    if way is not None and votes:
        chosen = " lt-tile-chosen" if name == way.chosen else ""
        current = ' aria-current="true"' if chosen else ""
        inner = (
            f'<a class="lt-tile-link" data-key="to {escape(name)}" href="{escape(way.to(name))}" target="_self" title="{escape(name)}"{current}>'
            f"{inner}</a>"
        )
    return f'<li class="lt-tile {drawn.css_class}{chosen}" data-votes="{votes}" data-key="{escape(name)}" style="{position}{colours}">{inner}</li>'


def _rest(places: Sequence[Group]) -> str:
    votes = sum(place.votes for place in places)
    return (
        f'<li class="lt-tile lt-tile-rest" data-votes="{votes}"><span class="lt-tile-code">+{number(len(places))} more</span>'
        f'<span class="lt-tile-sign">{plural(votes, "vote")}</span></li>'
    )


def _position(square: Square) -> str:
    return f"grid-area:{square.row}/{square.column};"
