"""The minutes up to the one that is judged, place by place, and what is normal there: everything that alerts have not claimed."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from livetally.core.alert_facts import Alert, Minute, Rule
from livetally.core.alert_settings import Thresholds

# What is not normal for a rule: a silence is no pace to measure a burst by, and while one candidate jumps all others fall.
_CLAIMED_BY = {
    Rule.BURST: frozenset({Rule.BURST, Rule.SILENCE}),
    Rule.SILENCE: frozenset({Rule.BURST, Rule.SILENCE}),
    Rule.SHARE: frozenset({Rule.SHARE}),
    Rule.REPEATS: frozenset({Rule.REPEATS}),
}


class Pace(NamedTuple):
    """Votes of one place, and of all others, in the same minutes."""

    votes: int
    others: int
    minutes: int

    @property
    def per_minute(self) -> float:
        return self.votes / self.minutes if self.minutes else 0.0


class Past:
    def __init__(self, minutes: Sequence[Minute], registered: Mapping[str, int], known: Iterable[Alert], thresholds: Thresholds) -> None:
        self.minutes = minutes
        self.now = minutes[-1].number
        self.known = tuple(known)
        self._thresholds = thresholds
        self._registered = registered
        self._registered_total = sum(registered.values())
        self._votes: dict[str, list[int]] = {}
        for index, minute in enumerate(minutes):
            for (place, _), votes in minute.votes.items():
                self._votes.setdefault(place, [0] * len(minutes))[index] += votes
        self._totals = [sum(minute.votes.values()) for minute in minutes]
        sized = [of for place, of in self._votes.items() if registered.get(place, 0) > 0]
        self._totals_of_sized: list[int] = [sum(of[index] for of in sized) for index in range(len(minutes))]
        self._candidates: dict[tuple[str | None, str], list[int]] = {}

    def places(self) -> list[str]:
        """Where somebody has voted, or tried to once more."""
        return sorted(self._votes.keys() | self.minutes[-1].repeats.keys())

    def candidates(self) -> list[str]:
        """For whom somebody votes in the minute that is judged."""
        return sorted({candidate_id for _, candidate_id in self.minutes[-1].votes})

    def lately(self, place: str, span: int) -> Pace:
        """The last so many minutes."""
        votes = sum(self._of(place)[-span:])
        return Pace(votes, sum(self._totals[-span:]) - votes, span)

    def before(self, rule: Rule, place: str, span: int) -> list[int]:
        """The minutes, by index, that are the past of the last `span` ones; none if there are too few of them.

        A place's past begins behind the minute of its first vote, which may be the rest of a minute.
        """
        of_place, limits = self._of(place), self._thresholds
        first = next((index for index, votes in enumerate(of_place) if votes), len(of_place))
        claimed = self._claimed(rule, place)
        usable = [index for index in range(len(of_place) - span - 1, first - (first == 0), -1) if index not in claimed]
        return usable[: limits.past_minutes] if len(usable) >= limits.past_minutes_min else []

    def is_claimed(self, rule: Rule, place: str, span: int) -> bool:
        """Whether one of the last `span` minutes belongs to an alert already."""
        claimed = self._claimed(rule, place)
        return bool(claimed) and any(index in claimed for index in range(len(self.minutes) - span, len(self.minutes)))

    def pace(self, place: str, indices: Sequence[int]) -> Pace:
        of_place = self._of(place)
        votes = sum(of_place[index] for index in indices)
        return Pace(votes, sum(self._totals[index] for index in indices) - votes, len(indices))

    def votes_for(self, place: str | None, candidate_id: str) -> list[int]:
        """A candidate's votes, minute by minute, in one place or in all."""
        key = place, candidate_id
        if (found := self._candidates.get(key)) is None:
            if place is not None:
                found = [minute.votes.get((place, candidate_id), 0) for minute in self.minutes]
            else:
                found = [sum(votes for (_, one), votes in minute.votes.items() if one == candidate_id) for minute in self.minutes]
            self._candidates[key] = found
        return found

    def by_registered(self, place: str, span: int) -> float | None:
        """What a place of this size has, if all vote at the same pace, in the last so many minutes; None if nobody knows how large it is."""
        own = self._registered.get(place, 0)
        beside = self._registered_total - own
        if own <= 0 or beside <= 0:
            return None
        return (sum(self._totals_of_sized[-span:]) - sum(self._of(place)[-span:])) * own / beside

    def repeats(self, place: str, indices: Iterable[int]) -> int:
        return sum(self.minutes[index].repeats.get(place, 0) for index in indices)

    def _of(self, place: str) -> list[int]:
        return self._votes.get(place) or [0] * len(self.minutes)

    def _claimed(self, rule: Rule, place: str) -> frozenset[int]:
        edge, first = self._thresholds.edge_minutes, self.minutes[0].number
        found: set[int] = set()
        for alert in self.known:
            if alert.place == place and alert.rule in _CLAIMED_BY[rule]:
                found.update(range(alert.first_minute - edge - first, alert.last_minute + edge - first + 1))
        return frozenset(found)


def surprise(now: float, of_now: float, before: float, of_before: float) -> float:
    """How badly one share explains both counts: the logarithm of the likelihood ratio between two shares and one.

    `now` of `of_now` against `before` of `of_before`; it takes a short past for what it is worth.
    """
    if of_now <= 0 or of_before <= 0:
        return 0.0
    share = (now + before) / (of_now + of_before)
    counts = ((now, of_now), (of_now - now, of_now), (before, of_before), (of_before - before, of_before))
    shares = (share, 1 - share, share, 1 - share)
    return sum(count * math.log(count / (of * one)) for (count, of), one in zip(counts, shares, strict=True) if count > 0)


def surprise_of_count(count: float, expected: float) -> float:
    """The same for a count against a number that is taken for certain."""
    return count * math.log(count / expected) - count + expected if count > 0 else expected
