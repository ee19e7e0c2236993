"""Invented candidates: none like another, and every text fit for print."""

import re
from itertools import combinations
from math import gcd
from uuid import UUID

import pytest

from livetally.core.elections import LEAFLET_CHARS_MAX, PORTRAIT_BYTES_MAX
from livetally.core.errors import UsageError
from livetally.core.parties import INVENTED_PARTIES, REFERENCE_PARTIES
from livetally.register import leaflets
from livetally.register.candidates import CANDIDATES_MAX, make_candidates

SEEDS = range(12)


def test_three_candidates_are_those_of_the_reference_parties() -> None:
    candidates = make_candidates(1, "simulation-1", 3)
    assert tuple(candidate.party_affiliation for candidate in candidates) == REFERENCE_PARTIES
    assert {candidate.election_id for candidate in candidates} == {"simulation-1"}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_candidate_is_like_another(seed: int) -> None:
    candidates = make_candidates(seed, "simulation-1", CANDIDATES_MAX)
    for field in ("candidate_id", "candidate_name", "biography", "campaign_platform"):
        assert len({getattr(candidate, field) for candidate in candidates}) == CANDIDATES_MAX, field
    assert len({candidate.photo_url for candidate in candidates}) > 0.9 * CANDIDATES_MAX


def test_more_candidates_leave_the_first_ones_as_they_are() -> None:
    everybody = make_candidates(5, "e", CANDIDATES_MAX)
    assert all(make_candidates(5, "e", count) == everybody[:count] for count in (1, 3, 40))


def test_seed_and_election_make_other_candidates() -> None:
    ids = {make_candidates(seed, election, 1)[0].candidate_id for seed in (1, 2) for election in ("a", "b")}
    assert len(ids) == 4
    assert all(UUID(candidate_id).version == 5 for candidate_id in ids)


@pytest.mark.parametrize("count", [-1, 0, CANDIDATES_MAX + 1])
def test_other_numbers_are_refused(count: int) -> None:
    with pytest.raises(UsageError, match=str(count)):
        make_candidates(1, "e", count)


@pytest.mark.parametrize("seed", SEEDS)
def test_texts_are_fit_for_print(seed: int) -> None:
    for candidate in make_candidates(seed, "e", CANDIDATES_MAX):
        assert len(candidate.photo_url.encode()) <= PORTRAIT_BYTES_MAX
        assert candidate.biography.startswith(candidate.candidate_name + " ")
        for text in (candidate.biography, candidate.campaign_platform):
            assert len(text) <= LEAFLET_CHARS_MAX
            assert re.fullmatch(r"[A-Z][^{}]+\.", text)
            assert not re.search(r"\s\s|\.\.|,,| [.,]|\. [a-z]", text), text


@pytest.mark.parametrize(("gender", "they"), [("female", "she"), ("male", "he")])
def test_pronouns_agree(gender: str, they: str) -> None:
    for sentence in leaflets.DEEDS + leaflets.LIVES:
        assert not re.search(r"\b(he|him|his|she|her|hers)\b", sentence, re.IGNORECASE), sentence
        assert re.search(rf"\b{they}\b", leaflets.in_words(sentence, "Kim Lee", gender, "Ely"), re.IGNORECASE), sentence
    assert not any(re.search(r"\b(he|him|his|she|her|hers)\b|{they}|{their}", career, re.IGNORECASE) for career in leaflets.CAREERS)


def test_the_texts_cannot_repeat() -> None:
    """Two lists gone through in circles meet again after the product of their lengths, if these have no common divisor."""
    for pools in ((leaflets.CAREERS, leaflets.DEEDS, leaflets.LIVES), (leaflets.SERVICES, leaflets.RULES, leaflets.PLACES)):
        for one, other in combinations(map(len, pools), 2):
            assert gcd(one, other) == 1
            assert one * other >= CANDIDATES_MAX
        assert all(len(set(pool)) == len(pool) for pool in pools)


def test_every_party_believes_in_something() -> None:
    assert leaflets.CREEDS.keys() == set(REFERENCE_PARTIES + INVENTED_PARTIES)
