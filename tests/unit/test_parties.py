"""A party keeps its colour, wherever it is drawn and in whatever company."""

import math
import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from livetally.core.parties import COLOURS, INVENTED_PARTIES, REFERENCE_PARTIES, UNKNOWN_COLOUR, colour_of

KNOWN = REFERENCE_PARTIES + INVENTED_PARTIES
names = st.lists(st.sampled_from(KNOWN) | st.text(max_size=8), max_size=40)


@given(names)
def test_each_party_has_one_colour(parties: list[str]) -> None:
    colours = colour_of(parties)
    assert colours.keys() == set(parties)
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in colours.values())


@given(names)
def test_the_order_does_not_matter(parties: list[str]) -> None:
    assert colour_of(parties) == colour_of(reversed(parties))


@given(names)
def test_known_parties_keep_theirs_in_any_company(parties: list[str]) -> None:
    always = colour_of(KNOWN)
    assert {party: colour for party, colour in colour_of(parties).items() if party in always} == {
        party: always[party] for party in set(parties) if party in always
    }


@given(st.sets(st.sampled_from(KNOWN) | st.text(max_size=8), max_size=len(COLOURS)))
def test_no_two_share_a_colour_while_there_are_enough(parties: set[str]) -> None:
    assert len(set(colour_of(parties).values())) == len(parties)


def test_unknown_is_grey() -> None:
    assert colour_of(["unknown", "Management Party"])["unknown"] == UNKNOWN_COLOUR


def test_many_parties_take_turns() -> None:
    colours = list(colour_of(f"Party {number:03d}" for number in range(100)).values())
    assert all(first != second for first, second in pairwise(colours))


def test_the_reference_parties_stand_out_on_white() -> None:
    for party, colour in colour_of(REFERENCE_PARTIES).items():
        assert contrast_with_white(colour) >= 3, party


def contrast_with_white(colour: str) -> float:
    """By the WCAG's formula."""
    red, green, blue = (math.pow((int(colour[at : at + 2], 16) / 255 + 0.055) / 1.055, 2.4) for at in (1, 3, 5))
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
