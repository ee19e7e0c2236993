"""The last minutes of an election, place by place: each new minute pushes the oldest out, so a day is read once and not thirty times."""

from collections.abc import Iterable, Mapping

from livetally.core.alert_facts import Minute
from livetally.core.alert_settings import THRESHOLDS

WINDOW_MINUTES = THRESHOLDS.window_minutes  # how far back the rules look


class Window:
    """Consecutive minutes, empty ones included, oldest first. What had no vote within them is not mentioned."""

    def __init__(self, minutes: Iterable[Minute] = ()) -> None:
        self.length = 0
        self.last_minute = -1
        self._votes: dict[str, dict[str, list[int]]] = {}  # place -> candidate -> votes of each minute
        self._repeats: dict[str, list[int]] = {}
        for minute in minutes:
            self.add(minute)

    @property
    def votes(self) -> Mapping[str, Mapping[str, list[int]]]:
        return self._votes

    @property
    def repeats(self) -> Mapping[str, list[int]]:
        return self._repeats

    @property
    def first_minute(self) -> int:
        return self.last_minute - self.length + 1

    def add(self, minute: Minute) -> None:
        """Raises ValueError if it is not the next one."""
        if self.length and minute.number != self.last_minute + 1:
            raise ValueError(f"minute {minute.number} does not follow minute {self.last_minute}")
        is_full = self.length == WINDOW_MINUTES
        for place in self._votes:
            _shift(self._votes[place], is_full=is_full)
        _shift(self._repeats, is_full=is_full)
        before = self.length if not is_full else self.length - 1
        for (place, candidate_id), votes in minute.votes.items():
            _last(self._votes.setdefault(place, {}), candidate_id, before, votes)
        for place, count in minute.repeats.items():
            _last(self._repeats, place, before, count)
        self.length = before + 1
        self.last_minute = minute.number
        if is_full:
            self._forget()

    def _forget(self) -> None:
        """Whoever had nothing in all of the minutes."""
        for place, counts in [*self._votes.items()]:
            for candidate_id in _empty(counts):
                del counts[candidate_id]
            if not counts:
                del self._votes[place]
        for place in _empty(self._repeats):
            del self._repeats[place]


def _shift(series: Mapping[str, list[int]], *, is_full: bool) -> None:
    for counts in series.values():
        counts.append(0)
        if is_full:
            del counts[0]


def _last(series: dict[str, list[int]], key: str, before: int, count: int) -> None:
    if (counts := series.get(key)) is None:
        counts = series[key] = [0] * (before + 1)
    counts[-1] = count


def _empty(series: Mapping[str, list[int]]) -> list[str]:
    return [key for key, counts in series.items() if not any(counts)]
