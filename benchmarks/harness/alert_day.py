"""An election's day by the minute, drawn by seed: what an ordinary one looks like, with all that is no reason for an alarm.

Rush hours that differ from place to place in size and hour, families that come and vote together, late openings with a queue (of a
whole place or of half of it), tiny places, supporters who come at different hours, minutes in which nothing works anywhere, people who
try a second time, and a closing. Numbers come from numpy, which the page's libraries bring along.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livetally.cast.choice import TURNOUT, support
from livetally.register.places import counties

Numbers = NDArray[np.float64]

MINUTES = 360
AFTER_CLOSING = 5  # empty minutes: everything stops, and nobody is to be alarmed by that
DAY_BEGINS = 29_380_000  # any minute since 1970
VILLAGES = 8
VILLAGE_THOUSANDS = 0.4  # of 67,000: with a million voters six people
GROUP_SHARES = ((1, 0.70), (2, 0.25), (3, 0.05))  # so many in a hundred come alone, as two, as three, and vote alike
RUSH_HOURS = (45.0, 180.0, 320.0)  # minutes behind the opening: before work, at noon, after work
AGES = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
AGE_SHARES = (0.10, 0.17, 0.16, 0.17, 0.16, 0.24)
RESTARTED, LATE, ONLY_HALF, OUTAGE = (
    0.5,
    0.15,
    0.5,
    0.3,
)  # how often that happens: to an election, to a place, of those that are late, to an election
STEP_MINUTES = 10  # how finely the change of the voters' ages over the day is drawn


@dataclass(frozen=True)
class Day:
    """What is to be expected of every minute, before chance has its say."""

    places: tuple[str, ...]
    candidates: tuple[str, ...]
    registered: dict[str, int]
    pace: Numbers  # votes, by minute and place
    shares: Numbers  # of the candidates, by minute, place and candidate
    repeats: Numbers  # ballots of people who had voted, by minute and place


def ordinary_day(seed: int) -> Day:
    random = np.random.default_rng(seed)
    sizes = {county.name: float(county.population_thousands) for county in counties()}
    sizes |= {f"Village {number + 1}": VILLAGE_THOUSANDS for number in range(VILLAGES)}
    voters = int(np.exp(random.uniform(np.log(800_000), np.log(3_000_000))))
    weights = np.array(list(sizes.values()))
    registered = np.maximum(1, np.round(voters * weights / weights.sum()))
    pace = _pace(random, registered)
    candidates = tuple(f"candidate-{number + 1}" for number in range(random.integers(2, 7)))
    repeats = pace * random.uniform(0.002, 0.015, size=(1, len(sizes)))
    if random.random() < RESTARTED:  # what cast them was killed and repeated its last moments, everywhere
        repeats[random.integers(0, MINUTES)] += pace.mean(axis=0) * random.uniform(0.01, 0.04)
    return Day(
        tuple(sizes),
        candidates,
        {place: int(count) for place, count in zip(sizes, registered, strict=True)},
        pace,
        _shares(random, seed, tuple(sizes), candidates),
        repeats,
    )


def _pace(random: np.random.Generator, registered: Numbers) -> Numbers:
    """Votes by minute and place."""
    places = len(registered)
    minute = np.arange(MINUTES)[:, None]
    shape = np.ones((MINUTES, places))
    for hour in RUSH_HOURS:
        height = random.uniform(0.5, 2.5) * random.lognormal(0.0, 0.35, size=places)
        at = hour + random.normal(0, 10) + random.normal(0, 12, size=places)
        width = random.uniform(12, 40) * random.lognormal(0.0, 0.2, size=places)
        shape += height * np.exp(-0.5 * ((minute - at) / width) ** 2)
    turnout = np.clip(random.normal(0.7, 0.08, size=places), 0.4, 0.9)
    pace = shape / shape.sum(axis=0) * registered * turnout
    for place in np.flatnonzero(random.random(places) < LATE):
        pace[:, place] = _opens_late(random, pace[:, place])
    if random.random() < OUTAGE:
        _nothing_works(random, pace)
    noise = np.zeros((MINUTES, places))
    drawn = random.normal(0, 0.1, size=(MINUTES, places))
    for now in range(1, MINUTES):  # what makes a minute busier than planned lasts for some minutes
        noise[now] = 0.8 * noise[now - 1] + 0.6 * drawn[now]
    return np.asarray(pace * np.exp(noise))


def _opens_late(random: np.random.Generator, pace: Numbers) -> Numbers:
    """All of a place or half of it; of those who came too early some wait, and vote as fast as it goes when the doors open."""
    late, closed = int(random.integers(5, 90)), 0.5 if random.random() < ONLY_HALF else 1.0
    after = pace.copy()
    after[:late] *= 1 - closed
    waiting = (pace[:late] - after[:late]).sum() * random.uniform(0.2, 0.8)
    at_once = random.uniform(0.2, 1.0) * closed * pace[late : late + 30].mean()  # a minute, besides those who come only now
    for minute in range(late, MINUTES):
        voting = min(waiting, at_once)
        after[minute] += voting
        waiting -= voting
    after[late] -= (after[late] - pace[late] * (1 - closed)) * random.random()  # the doors open somewhere in that minute
    return after


def _nothing_works(random: np.random.Generator, pace: Numbers) -> None:
    """For some minutes no ballot arrives from anywhere; then most of them do."""
    first, lasts = int(random.integers(60, MINUTES - 60)), int(random.integers(2, 6))
    missing = pace[first : first + lasts].sum(axis=0)
    pace[first : first + lasts] = 0.0
    pace[first + lasts : first + 2 * lasts] += 0.8 * missing / lasts


def _shares(random: np.random.Generator, seed: int, places: tuple[str, ...], candidates: tuple[str, ...]) -> Numbers:
    """The simulated electorate's own, by county and age; the old come early, the young late, and a mood drifts besides."""
    by_age = np.array(
        [
            [np.diff(support(seed, "bench", candidates, place, age), prepend=0.0) for age in AGES]  # place, age, candidate
            for place in places
        ]
    )
    turnout = np.array([TURNOUT[age] for age in AGES]) * np.array(AGE_SHARES)
    steps = np.arange(0, MINUTES, STEP_MINUTES)
    slope = np.linspace(-1, 1, len(AGES)) * random.uniform(-1.0, 0.5)
    ages = turnout * np.exp(slope[None, :] * (steps[:, None] / MINUTES - 0.5))
    ages /= ages.sum(axis=1, keepdims=True)
    shares = np.einsum("sa,pac->spc", ages, by_age)
    mood = np.cumsum(random.normal(0, 0.02, size=shares.shape), axis=0)
    shares = shares * np.exp(mood)
    shares /= shares.sum(axis=2, keepdims=True)
    return np.repeat(shares, STEP_MINUTES, axis=0)[:MINUTES]
