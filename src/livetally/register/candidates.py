"""Invented candidates: no name, biography or platform twice, and texts that could stand in a leaflet."""

from random import Random
from uuid import NAMESPACE_OID, uuid5

from livetally.core.elections import Candidate
from livetally.core.errors import UsageError
from livetally.core.parties import INVENTED_PARTIES, REFERENCE_PARTIES, colour_of
from livetally.register import leaflets
from livetally.register.places import counties
from livetally.register.pools import name_pools
from livetally.register.portraits import portrait

PARTIES = REFERENCE_PARTIES + INVENTED_PARTIES
CANDIDATES_MAX = 200  # a list that a voter can still read; the texts below are sure not to repeat up to here


def make_candidates(seed: int, election_id: str, count: int) -> list[Candidate]:
    """The first `count` candidates of an election.

    Candidate n is a function of seed, election and n: who asks for more gets the same ones and further ones.
    Parties take turns, the reference's three first. Raises UsageError for fewer than 1 or more than CANDIDATES_MAX.
    """
    if not 1 <= count <= CANDIDATES_MAX:
        raise UsageError(
            f"{count} candidates cannot be made: an election has 1 to {CANDIDATES_MAX}. "
            "Ask for a number between them, or enter candidates of your own."
        )
    random = Random(f"livetally candidates {seed} {election_id}")
    colours = colour_of(PARTIES)
    women, men, surnames = name_pools()
    # All that could be asked for is drawn, whatever is asked for, so that the first ones stay who they are.
    given = {"female": random.sample(women, CANDIDATES_MAX), "male": random.sample(men, CANDIDATES_MAX)}
    family = random.sample(surnames, CANDIDATES_MAX)
    towns = random.sample(sorted({town.name for county in counties() for town in county.towns}), CANDIDATES_MAX)
    genders = [gender for _ in range(CANDIDATES_MAX // 2) for gender in random.sample(("female", "male"), 2)]
    texts = leaflets.Leaflets(random)
    candidates = []
    for number in range(count):
        gender, party = genders[number], PARTIES[number % len(PARTIES)]
        name = f"{given[gender][number]} {family[number]}"
        candidate_id = str(uuid5(NAMESPACE_OID, f"livetally candidate {seed} {election_id} {number}"))
        candidates.append(
            Candidate(
                candidate_id=candidate_id,
                candidate_name=name,
                party_affiliation=party,
                biography=texts.biography(number, name, gender, towns[number]),
                campaign_platform=texts.platform(number, party),
                photo_url=portrait(candidate_id, gender, colours[party]),
                election_id=election_id,
            )
        )
    return candidates
