"""Who votes, and for whom: a pure function of (seed, election, voter), never of a random state.

Candidates have support that differs by county and age, so that a map and a chart have something to
say; about four in ten of the young and three in ten of all stay at home.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

from livetally.core.tally import age_group

TURNOUT = {"18-24": 0.52, "25-34": 0.58, "35-44": 0.66, "45-54": 0.72, "55-64": 0.78, "65+": 0.83}
TURNOUT_OTHERWISE = 0.5
COUNTY_SWAY = 1.6  # how many times stronger a candidate can be in one county than in another, as an exponent of e
AGE_SWAY = 0.9
OWN_SWAY = 0.5  # how far apart candidates are everywhere


def choose(
    seed: int, election_id: str, candidate_ids: Sequence[str], voter_id: str, state: str, date_of_birth: str, voting_day: str
) -> str | None:
    """The candidate this person votes for; None for those who stay at home."""
    group = age_group(date_of_birth, voting_day)
    stays, picks = _two_numbers(f"{seed}|{election_id}|{voter_id}")
    if stays >= TURNOUT.get(group, TURNOUT_OTHERWISE):
        return None
    for candidate_id, upto in zip(candidate_ids, support(seed, election_id, tuple(candidate_ids), state, group), strict=True):
        if picks < upto:
            return candidate_id
    return candidate_ids[-1]


@lru_cache(maxsize=4096)  # counties times age groups
def support(seed: int, election_id: str, candidate_ids: tuple[str, ...], state: str, group: str) -> tuple[float, ...]:
    """The cumulated shares of the candidates among people of one county and age."""
    weights = []
    for candidate_id in candidate_ids:
        who = f"{seed}|{election_id}|{candidate_id}"
        own, _ = _two_numbers(who)
        county, _ = _two_numbers(f"{who}|county|{state}")
        age, _ = _two_numbers(f"{who}|age|{group}")
        weights.append(2.718281828459045 ** (OWN_SWAY * own + COUNTY_SWAY * county + AGE_SWAY * age))
    total, sums = sum(weights), 0.0
    cumulated = []
    for weight in weights:
        sums += weight / total
        cumulated.append(sums)
    return tuple(cumulated)


def _two_numbers(text: str) -> tuple[float, float]:
    """Two numbers in [0, 1) that look random and depend on the text alone."""
    digest = blake2b(text.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "big") / 2**64, int.from_bytes(digest[8:], "big") / 2**64
