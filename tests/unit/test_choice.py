"""How people vote: a function of seed, election and voter, different from place to place."""

from collections import Counter

from livetally.cast.choice import choose, support
from livetally.cast.simulate import Pace

CANDIDATES = ["c1", "c2", "c3"]


def _votes(seed: int, state: str) -> Counter[str | None]:
    return Counter(choose(seed, "e1", CANDIDATES, f"v{number}", state, "1980-05-05", "2026-05-07") for number in range(2000))


def test_the_same_voter_chooses_the_same_again() -> None:
    first = choose(1, "e1", CANDIDATES, "v1", "Kent", "1980-05-05", "2026-05-07")
    assert all(choose(1, "e1", CANDIDATES, "v1", "Kent", "1980-05-05", "2026-05-07") == first for _ in range(3))
    assert _votes(1, "Kent") != _votes(2, "Kent")


def test_not_everybody_votes_and_everybody_has_supporters() -> None:
    votes = _votes(1, "Kent")
    assert 0.6 < 1 - votes[None] / 2000 < 0.85
    assert all(votes[candidate] > 20 for candidate in CANDIDATES)


def test_support_differs_by_county_and_age() -> None:
    counties = {support(1, "e1", tuple(CANDIDATES), state, "25-34") for state in ("Kent", "Fife", "Devon", "Essex")}
    ages = {support(1, "e1", tuple(CANDIDATES), "Kent", group) for group in ("18-24", "35-44", "65+")}
    assert len(counties) == 4
    assert len(ages) == 3
    assert max(shares[0] for shares in counties) - min(shares[0] for shares in counties) > 0.05


def test_shares_add_up_to_one() -> None:
    assert abs(support(1, "e1", tuple(CANDIDATES), "Kent", "65+")[-1] - 1) < 1e-9


def test_pace_waits_as_long_as_the_rate_asks() -> None:
    now = [100.0]
    pace = Pace(10, lambda: now[0])
    assert pace.pause_s(5) == 0.5
    now[0] += 2.0
    assert pace.pause_s(5) == 0.0
    assert Pace(None, lambda: now[0]).pause_s(10**9) == 0.0
