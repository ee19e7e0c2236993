"""What a page shows of one election: frozen, sorted, complete. Shares and margins are read off totals; nothing is counted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from livetally.core.elections import Election
from livetally.core.tally import AGE_GROUPS, UNKNOWN
from livetally.show.trust import NO_TRUST, UNCHECKED, Agreement, Trust

_AGE_ORDER = {name: place for place, (_, name) in enumerate(AGE_GROUPS)}

Brought = tuple[str, int]  # a group, and how many votes it brought
Service = Literal["Kafka", "PostgreSQL", "Spark"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A candidate and the votes for it."""

    candidate_id: str
    name: str
    party: str
    photo: str
    biography: str
    platform: str
    votes: int


@dataclass(frozen=True, slots=True)
class Group:
    """The votes of one place, party, gender or age. `within` is the county of a city; `registered` is None where nobody says it."""

    name: str
    votes: int
    registered: int | None = None
    within: str = ""

    @property
    def turnout(self) -> float | None:
        return self.votes / self.registered if self.registered else None


@dataclass(frozen=True, slots=True)
class Leads:
    """One candidate has most votes, `margin` more than the next."""

    first: Standing
    margin: int


@dataclass(frozen=True, slots=True)
class Tie:
    """Several have most votes: nobody leads."""

    first: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Nobody:
    """No vote has been counted."""


Lead = Leads | Tie | Nobody


@dataclass(frozen=True, slots=True)
class Result:
    """One election. `candidates` most votes first, ties by name; so are places, cities and parties."""

    election_id: str
    total_votes: int = 0
    candidates: tuple[Standing, ...] = ()
    lead: Lead = Nobody()
    places: tuple[Group, ...] = ()
    cities: tuple[Group, ...] = ()
    parties: tuple[Group, ...] = ()
    genders: tuple[Group, ...] = ()
    ages: tuple[Group, ...] = ()
    as_of: datetime | None = None  # when the tally published the newest of these numbers
    generation: int = 0  # which count this is; a higher one began from the beginning

    @property
    def has_parties(self) -> bool:
        """Whether anybody stands for a party: a poll about dates needs no word about them."""
        return any(one.party not in {"", UNKNOWN} for one in self.candidates)

    def share(self, votes: int) -> float:
        return votes / self.total_votes if self.total_votes else 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """An election as somebody saw it: little enough to be kept for every viewer. `changes.look` makes one, `changes.since` compares two."""

    seen_at: datetime
    total_votes: int
    votes: Mapping[str, int]  # by candidate_id
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a candidate between two looks."""

    candidate_id: str
    votes: int  # more than then
    share: float  # more or less than then, of 1
    rank_before: int  # 1 is first; equal for equal votes
    rank: int

    @property
    def climbed(self) -> int:
        """Ranks won; negative: lost."""
        return self.rank_before - self.rank


@dataclass(frozen=True, slots=True)
class Changes:
    """Between two looks at an election: candidates in the order of the result; places (counties), ages and genders that brought any votes, most first.

    Between looks that a viewer kept there are only candidates.
    """

    since: datetime
    until: datetime
    votes: int
    candidates: tuple[Change, ...] = ()
    places: tuple[Brought, ...] = ()
    ages: tuple[Brought, ...] = ()
    genders: tuple[Brought, ...] = ()
    is_recount: bool = False  # the votes were counted anew in between: the differences are none of voting

    def of(self, candidate_id: str) -> Change | None:
        return next((one for one in self.candidates if one.candidate_id == candidate_id), None)


@dataclass(frozen=True, slots=True)
class Facts:
    """What PostgreSQL says besides the numbers."""

    elections: tuple[Election, ...]  # the newest first
    registered: int
    candidates: Mapping[str, int]  # election_id -> how many stand
    recounting: str | None = None  # why, while the tally counts everything again
    recounted_percent: int = 0  # how far it is with that
    rejected: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)  # by election, see `trust.Trust`
    stages: frozenset[str] | None = None  # those that are connected to PostgreSQL now: record, tally; None where nobody has asked
    rolls: Mapping[str, int] = field(default_factory=dict)  # election_id -> how many may vote, where that is not everybody

    def on_roll(self, election_id: str) -> int:
        """How many people may vote in an election."""
        return self.rolls.get(election_id, self.registered)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A service that does not answer, since when, and what it or its client says."""

    service: Service
    since: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Messages that are not what their topic promises: how many, and what is wrong with one of them."""

    count: int = 0
    example: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a page draws, at one moment. `results` is None until the topics have been read to their end once.

    `last_minute`: what the last minute changed, by election; none while Kafka is away, and for an election whose numbers are not known for
    some seconds yet; `since` says how far back it looks.
    """

    results: Mapping[str, Result] | None = None
    facts: Facts | None = None
    troubles: tuple[Trouble, ...] = ()
    unreadable: Unreadable = Unreadable()
    last_minute: Mapping[str, Changes] = field(default_factory=dict)
    agreement: Agreement = UNCHECKED
    trust: Trust = NO_TRUST


def lead_of(standings: tuple[Standing, ...]) -> Lead:
    """Who leads among standings that are sorted by votes."""
    if not standings or not standings[0].votes:
        return Nobody()
    level = tuple(one for one in standings if one.votes == standings[0].votes)
    if len(level) > 1:
        return Tie(level)
    return Leads(standings[0], standings[0].votes - (standings[1].votes if len(standings) > 1 else 0))


def ranked(standings: Iterable[Standing]) -> tuple[Standing, ...]:
    return tuple(sorted(standings, key=lambda one: (-one.votes, one.name, one.candidate_id)))


def by_votes(groups: Iterable[Group]) -> tuple[Group, ...]:
    return tuple(sorted(groups, key=lambda one: (-one.votes, one.name, one.within)))


def by_name(groups: Iterable[Group]) -> tuple[Group, ...]:
    """Groups whose order must not change while votes come in; those who did not say come last."""
    return tuple(sorted(groups, key=lambda one: (one.name == UNKNOWN, one.name)))


def by_age(groups: Iterable[Group]) -> tuple[Group, ...]:
    """From young to old; groups with names that are none of ours come last."""
    return tuple(sorted(groups, key=lambda one: (_AGE_ORDER.get(one.name, len(_AGE_ORDER)), one.name == UNKNOWN, one.name)))
