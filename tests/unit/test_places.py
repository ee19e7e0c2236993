"""The table of places is data: what can be wrong with data is checked here."""

import re

from livetally.register.places import counties


def test_the_map_is_recognisable() -> None:
    names = [county.name for county in counties()]
    assert 60 <= len(names) <= 90
    assert len(set(names)) == len(names)
    assert {"Greater London", "Kent", "Highland", "Powys", "County Down"} <= set(names)


def test_as_many_people_as_in_the_united_kingdom() -> None:
    assert 66_000 < sum(county.population_thousands for county in counties()) < 69_000


def test_every_county_has_towns_the_largest_first_or_nearly() -> None:
    for county in counties():
        assert 2 <= len(county.towns) <= 8, county.name
        assert len({town.name for town in county.towns}) == len(county.towns), county.name
        assert all(town.weight > 0 for town in county.towns), county.name
        assert max(town.weight for town in county.towns) <= 2 * county.towns[0].weight, county.name


def test_towns_have_no_more_inhabitants_than_their_county() -> None:
    for county in counties():
        assert sum(town.weight for town in county.towns) <= county.population_thousands, county.name


def test_postcodes_are_halves_of_postcodes() -> None:
    for county in counties():
        for town in county.towns:
            assert re.fullmatch(r"[A-Z]{1,2}[0-9]{1,2}[A-Z]?", town.outward), town


def test_a_town_of_the_same_name_is_another_town() -> None:
    """Newport is in Gwent and on the Isle of Wight; no town may be in two counties by mistake."""
    outwards: dict[str, list[str]] = {}
    for county in counties():
        for town in county.towns:
            outwards.setdefault(town.name, []).append(town.outward)
    assert {name for name, codes in outwards.items() if len(codes) > 1} == {"Bangor", "Newport"}
    assert all(len(set(codes)) == len(codes) for codes in outwards.values())
