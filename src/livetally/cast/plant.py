"""Anomalies on request: the simulated electorate misbehaves in one place, from a known moment, for a known time.

Real ballots on the real topic; nothing else knows of it. Each rule of the alerts has its anomaly:

- burst: whenever it is somebody's turn there, six vote: themselves, and people whose turn would be later. Every other one of those comes
  sooner and stays at home then, so that the place goes on at half its pace afterwards instead of falling silent.
- repeated-ballots: whoever votes there does so six times.
- silence: whoever would vote there waits; afterwards two of those who waited come with each who comes anyway.
- share-jump: whoever votes there votes for the one who has the fewest supporters there.

What is remembered is only in memory, and a crash loses nobody: those brought forward have voted, and if they come once more they are
rejected; and as long as somebody waits, the electorate's position stays before them.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple

from livetally.cast.choice import support
from livetally.cast.person import Person
from livetally.core.alert_facts import Rule
from livetally.core.errors import UsageError

BURST_AT_ONCE = 6  # times the pace
BURST_EVERY = 2
REPEATS_BESIDES = 5
RELEASED_BESIDES = 2  # a queue: three times the pace until everybody who waited has voted
PAST_MINUTES = 4  # before the first one: the alerts need a past of three full minutes
APART_MINUTES = 1  # between the beginnings, so that a reader can tell them apart; they are in different places
LASTS_MINUTES = {Rule.BURST: 3, Rule.REPEATS: 3, Rule.SILENCE: 4, Rule.SHARE: 4}
PLACES = 12  # of the largest: there a minute brings enough votes to see something

AGE_ASKED = "45-54"  # whose support decides who has the fewest supporters in a place


@dataclass(frozen=True, slots=True)
class Plant:
    rule: Rule
    place: str
    candidate_id: str  # empty unless the rule is about a candidate
    begins_at: datetime
    ends_at: datetime

    def __str__(self) -> str:
        whom = f" for {self.candidate_id}" if self.candidate_id else ""
        minutes = (self.ends_at - self.begins_at) // timedelta(minutes=1)
        return f"{self.rule} in {self.place}{whom} from {self.begins_at:%H:%M:%S} UTC for {minutes} min"


class Cast(NamedTuple):
    """A ballot to be cast: by whom, for whom if not by their own choice, and whether it comes on top of the usual pace."""

    person: Person
    candidate_id: str | None = None
    is_extra: bool = False


def plan(
    rules: Sequence[Rule], seed: int, election_id: str, places: Sequence[str], candidate_ids: Sequence[str], now: datetime
) -> tuple[Plant, ...]:
    """Each rule once, in a place of its own among the largest (`places`, the largest first), on full minutes."""
    large = places[:PLACES]
    if len(large) < len(rules):
        raise UsageError(f"{len(rules)} anomalies need as many places, and people have been registered in {len(large)}. Plant fewer.")
    drawn = sorted(large, key=lambda place: blake2b(f"{seed}|{election_id}|plant|{place}".encode()).digest())
    first_at = (now + timedelta(minutes=PAST_MINUTES + 1)).replace(second=0, microsecond=0)
    plants = []
    for number, (rule, place) in enumerate(zip(rules, drawn, strict=False)):
        begins_at = first_at + timedelta(minutes=number * APART_MINUTES)
        candidate_id = _weakest(seed, election_id, candidate_ids, place) if rule is Rule.SHARE else ""
        plants.append(Plant(rule, place, candidate_id, begins_at, begins_at + timedelta(minutes=LASTS_MINUTES[rule])))
    return tuple(plants)


class Planting:
    """What becomes of the people as they come: `ahead` gives those of a place who come later than a position, in their order."""

    def __init__(self, plants: Iterable[Plant], ahead: Callable[[str, Mapping[int, int]], Iterator[Person]]) -> None:
        self._plants = {plant.place: plant for plant in plants}
        self._ahead = ahead
        self._coming: Iterator[Person] | None = None
        self._brought: set[tuple[int, int]] = set()  # have voted before their turn
        self._waiting: deque[Person] = deque()
        self._passed: dict[int, int] = {}  # by partition: everybody before this offset has had their turn

    def come(self, people: Iterable[Person], now: datetime) -> Iterator[Cast]:
        """The ballots of these people, in their order, and those that are planted among them."""
        for person in people:
            self._passed[person.partition] = person.offset + 1
            plant = self._plants.get(person.state)
            if plant is None:
                yield Cast(person)
            else:
                yield from self._planted(plant, person, plant.begins_at <= now < plant.ends_at)

    def rest(self) -> Iterator[Cast]:
        """Who still waits when nobody else comes."""
        while self._waiting:
            yield Cast(self._waiting.popleft(), is_extra=True)

    def positions(self) -> dict[int, int]:
        """How far everybody has voted, by partition: never behind somebody who waits."""
        positions = dict(self._passed)
        for person in self._waiting:
            positions[person.partition] = min(positions[person.partition], person.offset)
        return positions

    def unfinished(self, now: datetime) -> list[Plant]:
        return [plant for plant in self._plants.values() if now < plant.ends_at]

    def _planted(self, plant: Plant, person: Person, is_on: bool) -> Iterator[Cast]:  # noqa: FBT001 (a fact, not a switch)
        match plant.rule:
            case Rule.BURST:
                voting = [] if _turn(person) in self._brought else [person]
                self._brought.discard(_turn(person))
                voting += self._bring(plant.place, BURST_AT_ONCE - len(voting)) if is_on else []
                yield from (Cast(one, is_extra=number > 0) for number, one in enumerate(voting))
            case Rule.REPEATS:
                yield Cast(person)
                yield from [Cast(person, is_extra=True)] * (REPEATS_BESIDES if is_on else 0)
            case Rule.SHARE:
                yield Cast(person, plant.candidate_id if is_on else None)
            case Rule.SILENCE if is_on:
                self._waiting.append(person)
            case Rule.SILENCE:
                yield Cast(person)
                for _ in range(min(RELEASED_BESIDES, len(self._waiting))):
                    yield Cast(self._waiting.popleft(), is_extra=True)

    def _bring(self, place: str, count: int) -> list[Person]:
        """Every other one of the next people of this place; fewer if there are no more."""
        if self._coming is None:
            self._coming = islice(self._ahead(place, dict(self._passed)), 0, None, BURST_EVERY)
        brought: list[Person] = []
        while len(brought) < count and (person := next(self._coming, None)) is not None:
            if person.offset >= self._passed.get(person.partition, 0):
                self._brought.add(_turn(person))
                brought.append(person)
        return brought


def _turn(person: Person) -> tuple[int, int]:
    return person.partition, person.offset


def _weakest(seed: int, election_id: str, candidate_ids: Sequence[str], place: str) -> str:
    upto = support(seed, election_id, tuple(candidate_ids), place, AGE_ASKED)
    shares = [high - low for low, high in zip((0.0, *upto), upto, strict=False)]
    return candidate_ids[shares.index(min(shares))]
