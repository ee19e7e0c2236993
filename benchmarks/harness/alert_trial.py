"""One election's day through the engine, minute by minute, as *tally* would ask it, and what came of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from harness.alert_day import AFTER_CLOSING, DAY_BEGINS, GROUP_SHARES, MINUTES, Day
from harness.alert_plants import Plant
from livetally.core.alerts import SETTLE_S, Alert, Minute, Rule, Window, judge

LATE_MINUTES = 2  # an alert that is raised so long after a plant's end is still about the plant


@dataclass(frozen=True)
class Raised:
    """An alert and the minute in which it was raised, counted from the opening."""

    alert: Alert
    minute: int


@dataclass
class Outcome:
    """What became of one election."""

    plants: tuple[Plant, ...]
    delays_s: dict[Plant, float] = field(default_factory=dict)  # of those that were found
    again: list[Raised] = field(default_factory=list)  # more than one alert for one plant
    secondary: list[Raised] = field(default_factory=list)  # true, but of another rule than was planted
    false: list[Raised] = field(default_factory=list)
    never_cleared: list[Alert] = field(default_factory=list)


def drawn(day: Day, seed: int) -> Iterator[Minute]:
    """The day as chance would have it, minute by minute, and some empty minutes behind it."""
    random = np.random.default_rng([seed, 2])
    mean = sum(size * share for size, share in GROUP_SHARES)
    expected = day.pace[:, :, None] * day.shares
    votes = sum(size * random.poisson(expected * share / mean) for size, share in GROUP_SHARES)
    repeats = random.poisson(day.repeats)
    for minute in range(MINUTES + AFTER_CLOSING):
        if minute >= MINUTES:
            yield Minute(DAY_BEGINS + minute, {}, {})
            continue
        table = votes[minute]
        yield Minute(
            DAY_BEGINS + minute,
            {(day.places[place], day.candidates[one]): int(table[place, one]) for place, one in zip(*np.nonzero(table), strict=True)},
            {day.places[place]: int(repeats[minute, place]) for place in np.flatnonzero(repeats[minute])},
        )


def hold(day: Day, plants: tuple[Plant, ...], seed: int) -> Outcome:
    """Judge every minute, keeping what a table would keep."""
    kept: dict[tuple[Rule, str, int], Alert] = {}
    raised: list[Raised] = []
    window = Window()
    for minute in drawn(day, seed):
        window.add(minute)
        known = [alert for alert in kept.values() if alert.state == "raised" or alert.last_minute >= window.first_minute]
        for alert in judge(window, day.registered, known):
            if alert.name not in kept:
                raised.append(Raised(alert, minute.number - DAY_BEGINS))
            kept[alert.name] = alert
    outcome = Outcome(plants, never_cleared=[alert for alert in kept.values() if alert.state == "raised"])
    for one in raised:
        _attribute(one, outcome)
    return outcome


def _attribute(one: Raised, outcome: Outcome) -> None:
    for plant in outcome.plants:
        if plant.place != one.alert.place or not int(plant.begins) <= one.minute <= plant.ends + LATE_MINUTES:
            continue
        if plant.rule is one.alert.rule and (plant.rule is not Rule.SHARE or plant.candidate_id == one.alert.candidate_id):
            if plant in outcome.delays_s:
                outcome.again.append(one)
            else:
                outcome.delays_s[plant] = (one.minute + 1 - plant.begins) * 60 + SETTLE_S
            return
        if plant.rule is Rule.BURST and one.alert.rule is Rule.SHARE and plant.candidate_id == one.alert.candidate_id:
            outcome.secondary.append(one)  # so many votes for one candidate are both
            return
    outcome.false.append(one)
