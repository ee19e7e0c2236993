"""A party keeps its colour, wherever it is drawn and in whatever company."""

import re

from hypothesis import given
from hypothesis import strategies as st

from livetally.core.parties import COLOURS, INVENTED_PARTIES, REFERENCE_PARTIES, UNKNOWN_COLOUR, colour_of
from livetally.show.contrast import contrast

KNOWN = REFERENCE_PARTIES + INVENTED_PARTIES
names = st.lists(st.sampled_from(KNOWN) | st.text(max_size=8), max_size=40)


@given(names)
def test_each_party_has_one_colour(parties: list[str]) -> None:
    colours = colour_of(parties)
    assert colours.keys() == set(parties)
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in colours.values())


@given(st.lists(st.sampled_from(KNOWN) | st.text(max_size=8), max_size=len(COLOURS), unique=True))
def test_the_order_does_not_matter_while_there_are_enough(parties: list[str]) -> None:
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


def test_of_more_parties_than_colours_the_first_have_one_each_and_the_others_are_grey() -> None:
    parties = [f"Party {number:03d}" for number in range(100)]
    colours = colour_of(parties)
    assert {colours[party] for party in parties[: len(COLOURS)]} == set(COLOURS)
    assert {colours[party] for party in parties[len(COLOURS) :]} == {UNKNOWN_COLOUR}


def test_who_changes_ranks_keeps_its_colour_and_who_comes_in_takes_that_of_who_goes() -> None:
    parties = [f"Party {number:03d}" for number in range(20)]
    before = colour_of(parties)
    assert colour_of([parties[1], parties[0], *parties[2:]]) == before
    parties[11], parties[12] = parties[12], parties[11]
    after = colour_of(parties)
    assert {party for party in parties if after[party] != before[party]} == {"Party 011", "Party 012"}
    assert after["Party 012"] == before["Party 011"]


def test_the_reference_parties_stand_out_on_white() -> None:
    for party, colour in colour_of(REFERENCE_PARTIES).items():
        assert contrast(colour, "#FFFFFF") >= 3, party
