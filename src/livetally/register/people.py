"""Invented people: any number of them, each a function of the seed and their own number, nothing else.

Names and streets come from mimesis. Asking it for every field of every person would take most of the
time of registering, so it is asked for pools of words once, and a seeded generator combines them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate, islice, pairwise
from random import Random

from mimesis import Address, Gender, Locale
from mimesis import Person as Names

from livetally.core.elections import Voter
from livetally.register.places import counties

# People are made in chunks, each from a generator of its own: person 900,000 costs no 900,000 people before,
# and memory does not grow. The size is part of who somebody is; never change it.
CHUNK_PEOPLE = 2048

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

_POSTCODE_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"  # the others are not used there, because they are easily misread
_MAIL_DOMAINS = ("example.com", "example.org", "example.net")  # reserved: mail to them reaches nobody
# Numbers that Ofcom keeps for fiction, so that they ring nowhere.
_PHONE_LONDON, _PHONE_ELSEWHERE, _PHONE_MOBILE = "020 7946 0", "01632 960", "07700 900"

# What the octets of a UUID that hold version and variant become (RFC 9562).
_VERSION_4 = bytes(0x40 | octet & 0x0F for octet in range(256))
_VARIANT_1 = bytes(0x80 | octet & 0x3F for octet in range(256))

# Nobody took a photograph of somebody who was made up, and the field travels with every vote.
_NO_PICTURE = ""


@dataclass(frozen=True, slots=True)
class _Cohort:
    """People of one gender and one age."""

    gender: str
    weight: float
    birthdays: tuple[str, ...]
    registered_years_max: int


@dataclass(frozen=True, slots=True)
class _Home:
    """One town."""

    weight: float
    city: str
    county: str
    outward: str
    phone: str


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    mail: str  # the same as part of an address


@dataclass(frozen=True, slots=True)
class _Pools:
    """All that people are combined from."""

    women: tuple[_Word, ...]
    men: tuple[_Word, ...]
    surnames: tuple[_Word, ...]
    streets: tuple[str, ...]
    houses: tuple[str, ...]
    inwards: tuple[str, ...]
    last_digits: tuple[str, ...]
    cohorts: tuple[_Cohort, ...]
    cohort_weights: tuple[float, ...]
    homes: tuple[_Home, ...]
    home_weights: tuple[float, ...]


def people(seed: int, first: int, count: int) -> Iterator[Voter]:
    """The people with the numbers first to first + count - 1, in this order.

    Who person i is depends on `seed` and i, not on what else is asked for: growing an electorate keeps
    everybody in it, and whoever resumes meets the same people. Ids are unique over all seeds,
    registration numbers within one.
    """
    pools = _pools()
    end = first + count
    for chunk in range(first // CHUNK_PEOPLE, -(-end // CHUNK_PEOPLE)):
        start = chunk * CHUNK_PEOPLE
        yield from _chunk(pools, seed, chunk, max(first - start, 0), min(end - start, CHUNK_PEOPLE))


def name_pools() -> tuple[list[str], list[str], list[str]]:
    """Given names of women, of men, and surnames, each name once: candidates are called like everybody else."""
    pools = _pools()
    women, men, surnames = ([word.text for word in words] for words in (pools.women, pools.men, pools.surnames))
    return women, men, surnames


def _chunk(pools: _Pools, seed: int, chunk: int, begin: int, end: int) -> list[Voter]:
    """The people begin to end - 1 of one chunk, made column by column: that is several times as fast as person by person."""
    random = Random(f"livetally people {seed} {chunk}")
    size = CHUNK_PEOPLE
    columns = zip(
        range(chunk * size, (chunk + 1) * size),
        _uuids(random, size),
        random.choices(pools.cohorts, cum_weights=pools.cohort_weights, k=size),
        random.choices(pools.homes, cum_weights=pools.home_weights, k=size),
        random.choices(pools.women, k=size),
        random.choices(pools.men, k=size),
        random.choices(pools.surnames, k=size),
        random.choices(pools.streets, k=size),
        random.choices(pools.houses, k=size),
        random.choices(pools.inwards, k=size),
        random.choices(pools.last_digits, k=size),
        random.choices(pools.last_digits, k=size),
        random.choices(_MAIL_DOMAINS, k=size),
        [random.random() for _ in range(size)],
        [random.random() for _ in range(size)],
        strict=True,
    )
    tag = _tag(seed)
    return [
        Voter(
            voter_id,
            f"{(given := woman if cohort.gender == 'female' else man).text} {surname.text}",
            cohort.birthdays[int(day * len(cohort.birthdays))],
            cohort.gender,
            "GB",
            f"{tag}-{number}",
            f"{house} {street}",
            home.city,
            home.county,
            "United Kingdom",
            f"{home.outward} {inward}",
            f"{given.mail}.{surname.mail}{number}@{domain}",
            home.phone + phone,
            _PHONE_MOBILE + cell,
            _NO_PICTURE,
            int(years * (cohort.registered_years_max + 1)),
        )
        for (
            number,
            voter_id,
            cohort,
            home,
            woman,
            man,
            surname,
            street,
            house,
            inward,
            phone,
            cell,
            domain,
            day,
            years,
        ) in islice(columns, begin, end)
    ]


def _tag(seed: int) -> str:
    """What the registration numbers of one seed have in common."""
    return f"{Random(f'livetally registration {seed}').getrandbits(20):05X}"


def _uuids(random: Random, count: int) -> list[str]:
    """Random UUIDs of version 4, in the generator's order."""
    octets = bytearray(random.randbytes(16 * count))
    octets[6::16] = octets[6::16].translate(_VERSION_4)
    octets[8::16] = octets[8::16].translate(_VARIANT_1)
    digits = octets.hex()
    return [
        f"{digits[at : at + 8]}-{digits[at + 8 : at + 12]}-{digits[at + 12 : at + 16]}-{digits[at + 16 : at + 20]}-{digits[at + 20 : at + 32]}"
        for at in range(0, 32 * count, 32)
    ]


@lru_cache(maxsize=1)  # the same for every seed, and 30 ms to make: whoever asks for small portions should not pay each time
def _pools() -> _Pools:
    names = Names(Locale.EN_GB, seed=0)
    cohorts = tuple(_cohorts())
    homes = tuple(_homes())
    return _Pools(
        women=_words(names.first_name(gender=Gender.FEMALE) for _ in range(5_000)),
        men=_words(names.first_name(gender=Gender.MALE) for _ in range(5_000)),
        surnames=_words(names.last_name() for _ in range(5_000)),
        streets=tuple(_streets()),
        houses=tuple(str(house) for longest in range(20, 260, 20) for house in range(1, longest + 1)),  # every street has low numbers
        inwards=tuple(f"{digit}{a}{b}" for digit in range(10) for a in _POSTCODE_LETTERS for b in _POSTCODE_LETTERS),
        last_digits=tuple(f"{number:03d}" for number in range(1000)),
        cohorts=cohorts,
        cohort_weights=tuple(accumulate(cohort.weight for cohort in cohorts)),
        homes=homes,
        home_weights=tuple(accumulate(home.weight for home in homes)),
    )


def _words(drawn: Iterator[str]) -> tuple[_Word, ...]:
    """Each name once. mimesis writes O'brien; people of that name do not."""
    names = dict.fromkeys(name[:2] + name[2:].capitalize() if name.startswith("O'") else name for name in drawn)
    return tuple(_Word(name, "".join(filter(str.isalnum, name)).lower()) for name in names)


def _streets() -> Iterator[str]:
    random = Random("livetally streets")
    address = Address(Locale.EN_GB, seed=0)
    for name in dict.fromkeys(address.street_name() for _ in range(5_000)):
        for kind in {random.choice(_STREET_TYPES_FREQUENT): None, random.choice(_STREET_TYPES): None}:
            yield f"{name} {kind}"


def _homes() -> Iterator[_Home]:
    for county in counties():
        phone = _PHONE_LONDON if county.name == "Greater London" else _PHONE_ELSEWHERE
        for town in county.towns:
            weight = county.population_thousands * town.weight / sum(town.weight for town in county.towns)
            yield _Home(weight, town.name, county.name, town.outward, phone)


def _cohorts() -> Iterator[_Cohort]:
    for (lowest, thousands, women), (beyond, _, _) in pairwise(_PYRAMID):
        for age in range(lowest, beyond):
            birthdays = tuple(_birthdays(age))
            registered_years_max = min(REGISTERED_YEARS_MAX, age - VOTING_AGE)
            yield _Cohort("female", thousands * women, birthdays, registered_years_max)
            yield _Cohort("male", thousands * (1 - women), birthdays, registered_years_max)


def _birthdays(age: int) -> Sequence[str]:
    """The days on which people were born who have this age on the reference date."""
    born_last = REFERENCE_DATE.replace(year=REFERENCE_DATE.year - age)
    born_first = REFERENCE_DATE.replace(year=REFERENCE_DATE.year - age - 1) + timedelta(days=1)
    return [(born_first + timedelta(days=day)).isoformat() for day in range((born_last - born_first).days + 1)]
