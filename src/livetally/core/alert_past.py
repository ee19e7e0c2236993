"""The minutes up to the one that is judged, place by place, and what is normal there: everything that alerts have not claimed."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from livetally.core.alert_facts import Alert, Rule
from livetally.core.alert_settings import Thresholds
from livetally.core.alert_window import Window

# What is not normal for a rule: a silence is no pace to measure a burst by, and while one candidate jumps all others fall.
_CLAIMED_BY = {
    Rule.BURST: frozenset({Rule.BURST, Rule.SILENCE}),
    Rule.SILENCE: frozenset({Rule.BURST, Rule.SILENCE}),
    Rule.SHARE: frozenset({Rule.SHARE}),
    Rule.REPEATS: frozenset({Rule.REPEATS}),
}


_NO_MINUTES: frozenset[int] = frozenset()


class Series:
    """A number for each minute. Sums are asked for thousands of times in each judgement, so they are made once."""

    __slots__ = ("_upto",)

    def __init__(self, counts: Iterable[int]) -> None:
        self._upto = [0, *accumulate(counts)]

    def last(self, span: int) -> int:
        upto = self._upto
        return upto[-1] - upto[-1 - span] if span < len(upto) else upto[-1]

    def over(self, indices: Sequence[int]) -> int:
        upto = self._upto
        if isinstance(indices, range):
            return upto[indices.stop] - upto[indices.start] if indices else 0
        return sum(upto[index + 1] - upto[index] for index in indices)

    def first(self) -> int:
        """The first minute with anything in it; behind the last one if there is none."""
        return next((index for index, upto in enumerate(self._upto[1:]) if upto), len(self._upto) - 1)


class Pace(NamedTuple):
    """Votes of one place, and of all others, in the same minutes."""

    votes: int
    others: int
    minutes: int

    @property
    def per_minute(self) -> float:
        return self.votes / self.minutes if self.minutes else 0.0


class Past:
    def __init__(self, window: Window, registered: Mapping[str, int], known: Iterable[Alert], thresholds: Thresholds) -> None:
        self.now = window.last_minute
        self.known = tuple(known)
        self._first_minute = window.first_minute
        self._length = window.length
        self._thresholds = thresholds
        self._registered = registered
        self._registered_total = sum(registered.values())
        self._nothing = Series([0] * window.length)
        self._known_of: dict[str, list[Alert]] = {}
        for alert in self.known:
            self._known_of.setdefault(alert.place, []).append(alert)
        self._candidates = window.votes
        self._repeats = window.repeats
        self._add_up()

    def _add_up(self) -> None:
        by_place = {place: list(map(sum, zip(*one.values(), strict=True))) for place, one in self._candidates.items()}
        self._votes = {place: Series(counts) for place, counts in by_place.items()}
        self._total = Series(map(sum, zip(*by_place.values(), strict=True))) if by_place else self._nothing
        sized = [counts for place, counts in by_place.items() if self._registered.get(place, 0) > 0]
        self._total_sized = Series(map(sum, zip(*sized, strict=True))) if sized else self._nothing
        self._everywhere: dict[str, Series] = {}
        self._firsts = {place: series.first() for place, series in self._votes.items()}

    def places(self) -> list[str]:
        """Where somebody has voted, or tried to once more."""
        return sorted(self._votes.keys() | self._repeats.keys())

    def lately(self, place: str, span: int) -> Pace:
        """The last so many minutes."""
        votes = self._of(place).last(span)
        return Pace(votes, self._total.last(span) - votes, span)

    def before(self, rule: Rule, place: str, span: int) -> Sequence[int]:
        """The minutes, by index, that are the past of the last `span` ones; none if there are too few of them.

        A place's past begins behind the minute of its first vote, which may be the rest of a minute.
        """
        first = self._firsts.get(place, self._length)
        usable = self.quiet(rule, place, span, first + (first > 0))
        return usable if len(usable) >= self._thresholds.past_minutes_min else ()

    def quiet(self, rule: Rule, place: str, span: int, begin: int = 0) -> Sequence[int]:
        """Minutes that no alert has claimed, by index from `begin` to before the last `span`: the newest of them, as many as make a past."""
        end, most = self._length - span, self._thresholds.past_minutes
        if claimed := self.claimed(rule, place):
            return [index for index in range(begin, end) if index not in claimed][-most:]
        return range(max(begin, end - most), max(begin, end))

    def claimed(self, rule: Rule, place: str) -> frozenset[int]:
        """The minutes, by index, that alerts have claimed, with their edges: they are the past of nothing, and begin nothing new."""
        if (known := self._known_of.get(place)) is None:
            return _NO_MINUTES  # nearly always
        edge, first = self._thresholds.edge_minutes, self._first_minute
        return frozenset(
            minute - first
            for alert in known
            if alert.rule in _CLAIMED_BY[rule]
            for minute in range(alert.first_minute - edge, alert.last_minute + edge + 1)
        )

    def is_claimed(self, rule: Rule, place: str, span: int) -> bool:
        """Whether one of the last `span` minutes belongs to an alert already."""
        return any(index >= self._length - span for index in self.claimed(rule, place))

    def pace(self, place: str, indices: Sequence[int]) -> Pace:
        votes = self._of(place).over(indices)
        return Pace(votes, self._total.over(indices) - votes, len(indices))

    def candidates(self, place: str) -> Mapping[str, Sequence[int]]:
        """The votes, minute by minute, of everybody who had one in this place."""
        return self._candidates.get(place, {})

    def everywhere(self, candidate_id: str) -> Series:
        """A candidate's votes in all places."""
        if (found := self._everywhere.get(candidate_id)) is None:
            of_places = [counts for one in self._candidates.values() if (counts := one.get(candidate_id)) is not None]
            found = self._everywhere[candidate_id] = Series(map(sum, zip(*of_places, strict=True)))
        return found

    def by_registered(self, place: str, span: int) -> float | None:
        """What a place of this size has, if all vote at the same pace, in the last so many minutes; None if nobody knows how large it is."""
        own = self._registered.get(place, 0)
        beside = self._registered_total - own
        if own <= 0 or beside <= 0:
            return None
        return (self._total_sized.last(span) - self._of(place).last(span)) * own / beside

    def size(self, place: str) -> float:
        """How many people live there for each who lives elsewhere; 0 if nobody knows."""
        own = self._registered.get(place, 0)
        return own / (self._registered_total - own) if self._registered_total > own else 0.0

    def repeats(self, place: str) -> Series:
        return Series(self._repeats[place]) if place in self._repeats else self._nothing

    def repeats_but_for(self, places: Iterable[str]) -> Series:
        """Repeated ballots in all other places."""
        others = [self._repeats[place] for place in self._repeats.keys() - set(places)]
        return Series(map(sum, zip(*others, strict=True))) if others else self._nothing

    def _of(self, place: str) -> Series:
        return self._votes.get(place, self._nothing)


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
