"""Invented people: any number of them, each a function of the seed and their own number, nothing else.

Names and streets come from mimesis. Asking it for every field of every person would take most of the
time of registering, so it is asked for pools of words once, and a seeded generator combines them.
"""

from collections.abc import Iterator
from itertools import islice
from random import Random

from livetally.core.elections import Voter
from livetally.register.pools import Pools, make_pools

# People are made in chunks, each from a generator of its own: person 900,000 costs no 900,000 people before,
# and memory does not grow. The size is part of who somebody is; never change it.
CHUNK_PEOPLE = 2048

_MAIL_DOMAINS = ("example.com", "example.org", "example.net")  # reserved: mail to them reaches nobody
_PHONE_MOBILE = "07700 900"  # a number that Ofcom keeps for fiction, like those in the pools

# What the octets of a UUID that hold version and variant become (RFC 9562).
_VERSION_4 = bytes(0x40 | octet & 0x0F for octet in range(256))
_VARIANT_1 = bytes(0x80 | octet & 0x3F for octet in range(256))

# Nobody took a photograph of somebody who was made up, and the field travels with every vote.
_NO_PICTURE = ""


def people(seed: int, first: int, count: int) -> Iterator[Voter]:
    """The people with the numbers first to first + count - 1, in this order.

    Who person i is depends on `seed` and i, not on what else is asked for: growing an electorate keeps
    everybody in it, and whoever resumes meets the same people. Ids are unique over all seeds,
    registration numbers within one.
    """
    pools = make_pools()
    end = first + count
    for chunk in range(first // CHUNK_PEOPLE, -(-end // CHUNK_PEOPLE)):
        start = chunk * CHUNK_PEOPLE
        yield from _chunk(pools, seed, chunk, max(first - start, 0), min(end - start, CHUNK_PEOPLE))


def _chunk(pools: Pools, seed: int, chunk: int, begin: int, end: int) -> list[Voter]:
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
