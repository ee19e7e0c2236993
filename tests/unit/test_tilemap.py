"""The map: every county has a square, every vote lies in exactly one tile, and no tile needs its colour to be read."""

import re
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from livetally.core.parties import COLOURS, UNKNOWN_COLOUR
from livetally.register.places import counties
from livetally.show import paints
from livetally.show.contrast import contrast, ink_on
from livetally.show.grid import squares
from livetally.show.past import Ahead
from livetally.show.result import Changes, Group, by_votes
from livetally.show.tilemap import LEVELS, TILES_ELSEWHERE_MAX, level_of, tile_map
from pages import NOW, result, text

COUNTIES = [county.name for county in counties()]


def tiles(drawn: str) -> list[int]:
    return [int(votes) for votes in re.findall(r'<li class="lt-tile[^"]*" data-votes="(\d+)"', drawn)]


def test_every_county_has_a_square_of_its_own() -> None:
    known = squares()
    assert set(known) == set(COUNTIES)
    assert len({(one.row, one.column) for one in known.values()}) == len(known)
    assert len({one.code for one in known.values()}) == len(known)


def test_neighbours_lie_where_people_expect_them() -> None:
    known = squares()
    assert known["Shetland"].row < known["Fife"].row < known["Cumbria"].row < known["Greater London"].row < known["Cornwall"].row + 1
    assert known["County Down"].column < known["Gwynedd"].column < known["Norfolk"].column
    assert known["Cornwall"].column < known["Devon"].column < known["Kent"].column


names = st.one_of(st.sampled_from(COUNTIES), st.text(max_size=12))


@given(st.dictionaries(names, st.integers(0, 10_000), max_size=300))
def test_the_map_adds_up_to_the_total(votes: dict[str, int]) -> None:
    places = by_votes(Group(name, count, count + 1) for name, count in votes.items())
    assert sum(tiles(tile_map(places, paints.by_turnout(places), "Turnout"))) == sum(votes.values())


def test_places_that_the_map_does_not_know_get_tiles_too() -> None:
    places = (Group("Kent", 5), Group("Atlantis", 3), Group("", 2), Group("unknown", 1))
    drawn = tile_map(places, paints.by_recent(None), "Votes")
    assert "Not on the map: 3 places" in text(drawn)
    assert sorted(tiles(drawn), reverse=True)[:4] == [5, 3, 2, 1]


def test_without_any_county_there_is_no_empty_country() -> None:
    drawn = tile_map((Group("Room 1", 5), Group("Room 2", 3)), paints.by_recent(None), "Votes")
    assert tiles(drawn) == [5, 3]


def test_five_thousand_places_are_few_tiles() -> None:
    drawn = tile_map([Group(f"Village {number}", 2) for number in range(5000)], paints.by_recent(None), "Votes")
    assert len(tiles(drawn)) == TILES_ELSEWHERE_MAX + 1
    assert sum(tiles(drawn)) == 10_000


def test_a_tile_says_what_its_colour_means() -> None:
    shown = result({"Ada Lin": 7, "Bo": 3})
    ahead = {"Kent": Ahead(("c0",), 5, 4), "Fife": Ahead(("c0", "c1"), 2, 0), "Devon": Ahead()}
    places = (Group("Kent", 6), Group("Fife", 4), Group("Devon", 0), Group("Rutland", 1))
    drawn = tile_map(places, paints.by_leader(shown.candidates, {"c0": "#0072B2", "c1": "#D55E00"}, ahead), "Who is ahead")
    said = text(drawn)
    assert "Kent: Ada Lin is 4 votes ahead, 6 votes" in said
    assert "Fife: a tie between Ada Lin and Bo, 4 votes" in said
    assert "Devon: no votes yet" in said
    assert "Rutland: who is ahead is not known yet" in said
    assert "KENAL" in said


def test_candidates_with_the_same_initials_have_marks_of_their_own() -> None:
    shown = result({f"Ada Lin {number}": number for number in range(1, 30)} | {"": 1, "!": 1})
    given_marks = paints.marks(shown.candidates)
    assert len(set(given_marks.values())) == len(shown.candidates)
    assert all(1 <= len(mark) <= 3 for mark in given_marks.values())


def test_where_votes_come_from() -> None:
    lately = Changes(NOW - timedelta(seconds=60), NOW, 9, places=(("Kent", 8), ("Fife", 1)))
    said = text(tile_map((Group("Kent", 50), Group("Fife", 40)), paints.by_recent(lately), "Votes"))
    assert "Kent: 8 votes in the last minute" in said
    assert "Fife: 1 vote in the last minute" in said


def test_levels() -> None:
    assert [level_of(value, 0, 10) for value in (0, 0.1, 1.9, 2.1, 9.9, 10)] == [0, 1, 1, 2, 5, LEVELS]
    assert level_of(3, 3, 3) == LEVELS
    assert level_of(0.3, 0.3, 0.5) == 1


def test_letters_can_be_read_on_every_colour() -> None:
    for colour in (*COLOURS, UNKNOWN_COLOUR):
        assert contrast(colour, ink_on(colour)) >= 4.5, colour
