"""What is planted into a day: one anomaly of each rule at a random second in a random place, and one of each in a smaller place."""

from dataclasses import dataclass

import numpy as np

from harness.alert_day import MINUTES, Day
from livetally.core.alerts import Rule

# Votes a minute that a place needs so that its anomaly can be seen within two minutes of its beginning. docs/alerts.md says so.
PACE_NEEDED = {Rule.BURST: 20.0, Rule.SILENCE: 60.0, Rule.SHARE: 80.0, Rule.REPEATS: 0.0}
SMALLER = 0.25  # of that: what is planted in smaller places is told apart
QUIET_AT_BEGINNING = 40  # minutes; alerts need a past
QUIET_AT_END = 30
SPREAD, WAITED = 0.5, 0.5  # of the bursts: for all candidates alike; of the silences: whoever could not vote does so afterwards
SHARE_MAX = 0.4  # nobody's share can jump who has most of the votes already


@dataclass(frozen=True)
class Plant:
    rule: Rule
    place: str
    candidate_id: str  # of a share that jumps, and of a burst that is all for one candidate; otherwise empty
    begins: float  # minutes behind the opening, with a fraction
    ends: float
    strength: float  # times the pace; share of the others' voters that is taken; repeated ballots a minute
    is_small: bool  # in a place with fewer votes than the rule needs within two minutes


def plant(day: Day, seed: int) -> tuple[Day, tuple[Plant, ...]]:
    """The day with its plants."""
    random = np.random.default_rng([seed, 1])
    pace, shares, repeats = day.pace.copy(), day.shares.copy(), day.repeats.copy()
    plants: list[Plant] = []
    taken: set[str] = set()
    for is_small in (False, True):
        for rule in Rule:
            one = _choose(random, day, rule, taken, is_small=is_small)
            if one is None:
                continue
            taken.add(one.place)
            plants.append(one)
            _sow(random, one, day.places.index(one.place), day.candidates, pace, shares, repeats)
    return Day(day.places, day.candidates, day.registered, pace, shares, repeats), tuple(plants)


def _choose(random: np.random.Generator, day: Day, rule: Rule, taken: set[str], *, is_small: bool) -> Plant | None:
    """At a time at which some place has the pace; None if there is no such place all day."""
    if is_small and not PACE_NEEDED[rule]:
        return None
    low, high = (SMALLER * PACE_NEEDED[rule], PACE_NEEDED[rule]) if is_small else (PACE_NEEDED[rule], np.inf)
    for _ in range(200):
        begins = float(random.uniform(QUIET_AT_BEGINNING, MINUTES - QUIET_AT_END))
        around = day.pace[int(begins) - 12 : int(begins) + 6]
        fits = (around.mean(axis=0) >= low) & (around.mean(axis=0) < high) & (around.min(axis=0) >= 0.8 * low)
        places = [
            place
            for place, is_fit in zip(day.places, fits, strict=True)
            if is_fit and place not in taken and _weak(day, place, int(begins))
        ]
        if places:
            break
    else:
        return None
    place = places[random.integers(len(places))]
    is_for_one = rule is Rule.SHARE or (rule is Rule.BURST and random.random() >= SPREAD)
    lasts, strength = {
        Rule.BURST: (random.uniform(3, 8), random.uniform(6, 12)),
        Rule.SILENCE: (random.uniform(4, 15), 0.0),
        Rule.SHARE: (random.uniform(4, 15), random.uniform(0.85, 1.0)),
        Rule.REPEATS: (random.uniform(3, 8), random.uniform(40, 300)),
    }[rule]
    candidate_id = str(random.choice(_weak(day, place, int(begins)))) if is_for_one else ""
    return Plant(rule, place, candidate_id, begins, begins + float(lasts), float(strength), is_small)


def _weak(day: Day, place: str, minute: int) -> list[str]:
    """Those who have few enough votes there for a jump to be one."""
    shares = day.shares[minute, day.places.index(place)]
    return [candidate for candidate, share in zip(day.candidates, shares, strict=True) if share < SHARE_MAX]


def _sow(
    random: np.random.Generator,
    one: Plant,
    place: int,
    candidates: tuple[str, ...],
    pace: np.ndarray,
    shares: np.ndarray,
    repeats: np.ndarray,
) -> None:
    """Change the expected numbers of every minute by as much of it as the anomaly lasts."""
    held_back = 0.0
    for minute in range(int(one.begins), int(np.ceil(one.ends))):
        part = min(minute + 1.0, one.ends) - max(float(minute), one.begins)
        normal = pace[minute, place]
        match one.rule:
            case Rule.BURST:
                extra = normal * (one.strength - 1) * part
                pace[minute, place] += extra
                if one.candidate_id:
                    shares[minute, place] *= normal / (normal + extra)
                    shares[minute, place, candidates.index(one.candidate_id)] += extra / (normal + extra)
            case Rule.SILENCE:
                pace[minute, place] -= normal * part
                held_back += normal * part
            case Rule.SHARE:
                taken = shares[minute, place] * one.strength * part
                shares[minute, place] -= taken
                shares[minute, place, candidates.index(one.candidate_id)] += taken.sum()
            case Rule.REPEATS:
                repeats[minute, place] += one.strength * part
    if held_back and random.random() < WAITED:  # whoever could not vote waits, and does within some minutes
        queue = np.arange(int(np.ceil(one.ends)), min(int(np.ceil(one.ends)) + int(random.integers(2, 10)), MINUTES))
        pace[queue, place] += held_back * random.uniform(0.5, 1.0) / len(queue)
