"""Laws of invented people: each is a function of seed and number, none is under age, and together they look like an electorate."""

import re
import tracemalloc
import uuid
from collections import Counter
from collections.abc import Iterable, Sized
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetally.core.elections import Voter
from livetally.core.wire import voter_message
from livetally.register.people import CHUNK_PEOPLE, people
from livetally.register.places import counties
from livetally.register.pools import REFERENCE_DATE, make_pools, name_pools

MANY = 200_000
MESSAGE_BYTES_MAX = 600


@dataclass
class Electorate:
    """What is asked about many people, gathered in one pass."""

    ids: set[str] = field(default_factory=set)
    registration_numbers: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    towns: Counter[tuple[str, str]] = field(default_factory=Counter)
    ages: Counter[tuple[str, int]] = field(default_factory=Counter)

    def share(self, of: Iterable[tuple[str, int]]) -> float:
        return sum(self.ages[group] for group in of) / self.ages.total()


@pytest.fixture(scope="module")
def electorate() -> Electorate:
    seen = Electorate()
    births: Counter[tuple[str, str]] = Counter()
    for voter in people(2026, 0, MANY):
        seen.ids.add(voter.voter_id)
        seen.registration_numbers.add(voter.registration_number)
        seen.emails.add(voter.email)
        seen.towns[voter.address_city, voter.address_state] += 1
        births[voter.gender, voter.date_of_birth] += 1
    for (gender, born), count in births.items():
        seen.ages[gender, age_on(REFERENCE_DATE, date.fromisoformat(born))] += count
    return seen


def age_on(day: date, born: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(-5, 2**40), first=st.integers(0, 3 * CHUNK_PEOPLE), count=st.integers(0, CHUNK_PEOPLE + 300))
def test_a_person_depends_on_seed_and_number_alone(seed: int, first: int, count: int) -> None:
    assert list(people(seed, first, count)) == list(islice(people(seed, 0, first + count), first, None))


@pytest.mark.parametrize("first", [0, 1, CHUNK_PEOPLE - 1, CHUNK_PEOPLE, 2 * CHUNK_PEOPLE + 1])
@pytest.mark.parametrize("count", [0, 1, CHUNK_PEOPLE, CHUNK_PEOPLE + 1])
def test_as_many_people_as_asked_for(first: int, count: int) -> None:
    assert sum(1 for _ in people(1, first, count)) == count


def test_seeds_give_other_people() -> None:
    assert {voter.voter_id for voter in people(1, 0, 1000)}.isdisjoint(voter.voter_id for voter in people(2, 0, 1000))


def test_the_same_people_in_every_release() -> None:
    """Whoever upgrades in the middle of an election must not find other people behind the same numbers."""
    assert [(voter.voter_id, voter.address_city) for voter in people(1, CHUNK_PEOPLE + 7, 1)] == [
        ("fce1a6d9-b2e6-4c85-b9ca-b2898dfc305c", "Harrogate"),
    ]


@pytest.mark.parametrize("kind", ["ids", "registration_numbers", "emails"])
def test_nobody_is_somebody_else(electorate: Electorate, kind: str) -> None:
    values: Sized = getattr(electorate, kind)
    assert len(values) == MANY


def test_everybody_may_vote_and_nobody_is_older_than_people_get(electorate: Electorate) -> None:
    ages = [age for _, age in electorate.ages]
    assert min(ages) == 18
    assert 95 <= max(ages) <= 105


def test_reference_date_is_past() -> None:
    assert date.today() > REFERENCE_DATE  # noqa: DTZ011 - any time zone will do


def test_ages_and_genders_are_those_of_an_electorate(electorate: Electorate) -> None:
    def share(gender: str, ages: range) -> float:
        return electorate.share((gender, age) for age in ages)

    assert 0.505 < share("female", range(130)) < 0.525
    assert share("female", range(130)) + share("male", range(130)) == pytest.approx(1)
    assert 0.08 < share("female", range(18, 25)) + share("male", range(18, 25)) < 0.13
    assert 0.20 < share("female", range(65, 130)) + share("male", range(65, 130)) < 0.28
    assert share("female", range(85, 130)) > 1.4 * share("male", range(85, 130))


def test_everybody_lives_in_a_town_of_their_county(electorate: Electorate) -> None:
    assert electorate.towns.keys() <= {(town.name, county.name) for county in counties() for town in county.towns}


def test_counties_have_their_share_of_people(electorate: Electorate) -> None:
    inhabitants = sum(county.population_thousands for county in counties())
    registered: Counter[str] = Counter()
    for (_, county_name), count in electorate.towns.items():
        registered[county_name] += count
    for county in counties():
        expected = MANY * county.population_thousands / inhabitants
        assert abs(registered[county.name] - expected) < 6 * expected**0.5 + 5, county.name


def test_announcements_are_short() -> None:
    sizes = [len(voter_message(voter)) for voter in people(7, 900_000, 5_000)]
    assert max(sizes) <= MESSAGE_BYTES_MAX
    assert 400 <= sum(sizes) / len(sizes) <= 500


def test_fields_have_the_form_that_the_reference_knows() -> None:
    pools = make_pools()
    women, men, surnames = ({word.text for word in words} for words in (pools.women, pools.men, pools.surnames))
    for voter in people(3, 0, 3000):
        assert uuid.UUID(voter.voter_id).version == 4
        assert uuid.UUID(voter.voter_id).variant == uuid.RFC_4122
        assert str(uuid.UUID(voter.voter_id)) == voter.voter_id
        given_name, surname = voter.voter_name.split(" ")
        assert given_name in {"female": women, "male": men}[voter.gender]
        assert surname in surnames
        assert (voter.nationality, voter.address_country, voter.picture) == ("GB", "United Kingdom", "")
        assert re.fullmatch(r"[A-Z]{1,2}[0-9]{1,2}[A-Z]? [0-9][A-Z]{2}", voter.address_postcode)
        assert re.fullmatch(r"[a-z.]+[0-9]+@example\.(com|org|net)", voter.email)
        assert re.fullmatch(r"01632 960[0-9]{3}|020 7946 0[0-9]{3}", voter.phone_number)
        assert re.fullmatch(r"07700 900[0-9]{3}", voter.cell_number)
        assert re.fullmatch(r"[0-9]+ [A-Z].+ [A-Z][a-z]+", voter.address_street)
        assert 0 <= voter.registered_age <= min(20, age_on(REFERENCE_DATE, date.fromisoformat(voter.date_of_birth)) - 18)
        assert no_control_characters(voter)


def test_names_are_written_as_their_bearers_write_them() -> None:
    women, men, surnames = name_pools()
    assert not set(women) & set(men)
    assert {"O'Brien", "McCarthy"} <= set(surnames)
    assert not [name for name in surnames if re.match(r"O'[a-z]|Mc[a-z]", name)]


def no_control_characters(voter: Voter) -> bool:
    return all(str(getattr(voter, name)).isprintable() for name in Voter.__annotations__)


def test_memory_does_not_grow_with_the_number_of_people() -> None:
    next(people(1, 0, 1))  # the pools are made once, whoever comes first

    def peak_bytes(count: int) -> int:
        tracemalloc.start()
        for _ in people(1, 0, count):
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    assert peak_bytes(4 * CHUNK_PEOPLE) < 1.1 * peak_bytes(1 * CHUNK_PEOPLE)
