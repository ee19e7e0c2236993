"""What invented people are combined from: words of mimesis, towns, and ages as in an electorate."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from random import Random

from mimesis import Address, Gender, Locale, Person

from livetally.register.places import counties

WORDS_DRAWN = 5_000  # draws, not words: mimesis knows some 1,000 to 2,000 names of each kind

# Ages are as they were on this day, so that they depend on the seed alone. It is past, so nobody is under age today.
REFERENCE_DATE = date(2025, 1, 1)
VOTING_AGE = 18
REGISTERED_YEARS_MAX = 20

# From this age on: people per year of age in thousands, share of women. Rounded from what the United Kingdom looks like.
_PYRAMID = (
    (18, 790, 0.490),
    (25, 880, 0.500),
    (30, 930, 0.508),
    (40, 860, 0.510),
    (50, 915, 0.508),
    (60, 840, 0.510),
    (65, 700, 0.515),
    (70, 630, 0.522),
    (75, 560, 0.535),
    (80, 360, 0.560),
    (85, 220, 0.610),
    (90, 96, 0.670),
    (95, 23, 0.750),
    (100, 4, 0.830),
    (103, 0, 0.0),
)

# mimesis takes its street types from all over the world; these are at home in Britain.
_STREET_TYPES = ("Avenue", "Close", "Court", "Crescent", "Drive", "Gardens", "Grove", "Hill", "Lane", "Mews", "Park", "Place", "Road")
_STREET_TYPES_FREQUENT = ("Road", "Street", "Lane", "Avenue", "Close")

_PREFIX = re.compile(r"^(O'|Mc)(.)")
_POSTCODE_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"  # the others are not used there, because they are easily misread
# Numbers that Ofcom keeps for fiction, so that they ring nowhere.
_PHONE_LONDON, _PHONE_ELSEWHERE = "020 7946 0", "01632 960"


@dataclass(frozen=True, slots=True)
class Cohort:
    """People of one gender and one age."""

    gender: str
    weight: float
    birthdays: tuple[str, ...]
    registered_years_max: int


@dataclass(frozen=True, slots=True)
class Home:
    """One town."""

    weight: float
    city: str
    county: str
    outward: str
    phone: str


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    mail: str  # the same as part of an address


@dataclass(frozen=True, slots=True)
class Pools:
    """All that people are combined from."""

    women: tuple[Word, ...]
    men: tuple[Word, ...]
    surnames: tuple[Word, ...]
    streets: tuple[str, ...]
    houses: tuple[str, ...]
    inwards: tuple[str, ...]
    last_digits: tuple[str, ...]
    cohorts: tuple[Cohort, ...]
    cohort_weights: tuple[float, ...]
    homes: tuple[Home, ...]
    home_weights: tuple[float, ...]


def name_pools() -> tuple[list[str], list[str], list[str]]:
    """Given names that only women have, that only men have, and surnames, each once.

    For candidates, whose leaflet says "she" or "he": a reader should not stumble over a woman called Fred,
    of whom mimesis knows one.
    """
    pools = make_pools()
    women, men = ({word.text: None for word in words} for words in (pools.women, pools.men))
    return [name for name in women if name not in men], [name for name in men if name not in women], [word.text for word in pools.surnames]


@lru_cache(maxsize=1)  # the same for every seed, and some 70 ms to make: whoever asks for small portions should not pay each time
def make_pools() -> Pools:
    names = Person(Locale.EN_GB, seed=0)
    cohorts = tuple(_cohorts())
    homes = tuple(_homes())
    return Pools(
        women=_words(names.first_name(gender=Gender.FEMALE) for _ in range(WORDS_DRAWN)),
        men=_words(names.first_name(gender=Gender.MALE) for _ in range(WORDS_DRAWN)),
        surnames=_words(names.last_name() for _ in range(WORDS_DRAWN)),
        streets=tuple(_streets()),
        houses=tuple(str(house) for longest in range(20, 260, 20) for house in range(1, longest + 1)),  # every street has low numbers
        inwards=tuple(f"{digit}{a}{b}" for digit in range(10) for a in _POSTCODE_LETTERS for b in _POSTCODE_LETTERS),
        last_digits=tuple(f"{number:03d}" for number in range(1000)),
        cohorts=cohorts,
        cohort_weights=tuple(accumulate(cohort.weight for cohort in cohorts)),
        homes=homes,
        home_weights=tuple(accumulate(home.weight for home in homes)),
    )


def _words(drawn: Iterator[str]) -> tuple[Word, ...]:
    """Each name once, written as people of that name write it: mimesis has O'brien and Mccarthy."""
    names = dict.fromkeys(_PREFIX.sub(lambda match: match[1] + match[2].upper(), name) for name in drawn)
    return tuple(Word(name, "".join(filter(str.isalnum, name)).lower()) for name in names)


def _streets() -> Iterator[str]:
    random = Random("livetally streets")
    address = Address(Locale.EN_GB, seed=0)
    for name in dict.fromkeys(address.street_name() for _ in range(WORDS_DRAWN)):
        for kind in {random.choice(_STREET_TYPES_FREQUENT): None, random.choice(_STREET_TYPES): None}:
            yield f"{name} {kind}"


def _homes() -> Iterator[Home]:
    for county in counties():
        phone = _PHONE_LONDON if county.name == "Greater London" else _PHONE_ELSEWHERE
        for town in county.towns:
            weight = county.population_thousands * town.weight / sum(town.weight for town in county.towns)
            yield Home(weight, town.name, county.name, town.outward, phone)


def _cohorts() -> Iterator[Cohort]:
    for (lowest, thousands, women), (beyond, _, _) in pairwise(_PYRAMID):
        for age in range(lowest, beyond):
            birthdays = tuple(_birthdays(age))
            registered_years_max = min(REGISTERED_YEARS_MAX, age - VOTING_AGE)
            yield Cohort("female", thousands * women, birthdays, registered_years_max)
            yield Cohort("male", thousands * (1 - women), birthdays, registered_years_max)


def _birthdays(age: int) -> list[str]:
    """The days on which people were born who have this age on the reference date."""
    born_last = REFERENCE_DATE.replace(year=REFERENCE_DATE.year - age)
    born_first = REFERENCE_DATE.replace(year=REFERENCE_DATE.year - age - 1) + timedelta(days=1)
    return [(born_first + timedelta(days=day)).isoformat() for day in range((born_last - born_first).days + 1)]
