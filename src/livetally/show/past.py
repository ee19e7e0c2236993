"""What a page asks PostgreSQL for when somebody looks at one thing: a place, the votes over time, a moment. Types only, frozen.

A page asks `Asking` (made by `serving.serve`, see `asking.py`) and draws the answer that is there: from memory when somebody has asked
the same within the last seconds. Otherwise another thread asks, and is waited for, less than a second; if that is not enough, the page has
the older answer, or `Answer()`, and the next refresh finds the newer one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from livetally.show.result import Result

T = TypeVar("T")

POINTS_MAX = 500  # more than a chart has pixels for


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """`value` is None while nobody knows it: `trouble` says why, if it is not just that the question is on its way."""

    value: T | None = None
    asked_at: datetime | None = None  # when the value was true
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """`votes[candidate_id][n]`: counted for a candidate from ballots cast before `ends[n]` (UTC). At most POINTS_MAX points, equal steps."""

    ends: tuple[datetime, ...]
    votes: Mapping[str, tuple[int, ...]]
    step: timedelta = timedelta(minutes=1)
    place: str = ""  # one county alone; empty: everywhere

    def per_minute(self, candidate_id: str) -> tuple[float, ...]:
        """Votes a minute during each step."""
        won = self.votes.get(candidate_id, ())
        minutes = self.step / timedelta(minutes=1)
        return tuple((now - before) / minutes for before, now in zip((0, *won), won, strict=False))


@dataclass(frozen=True, slots=True)
class Ahead:
    """Who has most votes in a place: several in a tie, nobody where nobody has voted."""

    candidate_ids: tuple[str, ...] = ()
    votes: int = 0  # of each of them
    margin: int = 0  # more than the next; 0 in a tie
    is_too_few: bool = False  # votes, to say who is ahead; then nobody is named


TOO_FEW = Ahead(is_too_few=True)


@dataclass(frozen=True, slots=True)
class Then:
    """An election set back: ballots cast before `moment`. `result` has candidates, places and parties; nobody knows its cities and people."""

    moment: datetime
    result: Result
    ahead: Mapping[str, Ahead]  # by place


class Asking(Protocol):
    """None of them raises anything."""

    def series(self, election_id: str, place: str = "") -> Answer[Series]:
        """Cumulative votes of each candidate, everywhere or in one county."""

    def at(self, election_id: str, moment: datetime) -> Answer[Then]:
        """The election as it stood at the last full step before a moment: exact where `moment` is one of the ends of a series."""

    def ahead(self, election_id: str) -> Answer[Mapping[str, Ahead]]:
        """Who is ahead in each county."""

    def place(self, election_id: str, county: str, city: str = "") -> Answer[Result]:
        """One county's own result, or one city's: candidates, parties; the county's `cities` too. `places` is the place itself; people are not known here."""
