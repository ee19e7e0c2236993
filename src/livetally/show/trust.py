"""Why one may believe the numbers: what a page shows of agreement, alerts, rejections, stages and services. Types only, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Badge = Literal["green", "amber", "red", "unknown"]
Witness = Literal["ledger", "topic", "tally", "announced"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two witnesses say different numbers of one thing. `place` says which, in a sentence for people, both numbers in it."""

    first: Witness
    second: Witness
    place: str
    election_id: str = ""  # empty where it is about all of them


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether ledger, votes topic and tally say the same of the ballots that all three have passed: their common cut.

    green: equal; what is on its way has not waited for long. amber: equal, and of the `behind` votes some wait longer than a tally that
    keeps up lets them. red: unequal, `differences` say where (at
    most DIFFERENCES_MAX of them). unknown: nobody has compared yet, or cannot now; `waiting_for` says what is missing.
    `topic` and `tally` are counted at every check, `ledger` when it was read last: while votes stream in, it may be of an earlier cut.
    """

    state: Badge = "unknown"
    ledger: int = 0
    topic: int = 0
    tally: int = 0
    behind: int = 0  # votes in the ledger that the tally has not counted yet
    differences: tuple[Difference, ...] = ()
    checked_at: datetime | None = None  # the last time that topic and tally were compared to the end
    ledger_checked_at: datetime | None = None  # likewise ledger and topic: less often, the larger the ledger is
    since: datetime | None = None  # since when it is red
    waiting_for: str = ""
    hides_counts: bool = False  # they count elections whose result this viewer may not see; then they are 0 here
    hides_places: bool = False  # so do some of the differences, which are left out


DIFFERENCES_MAX = 20  # a page says some, and how to get all: `livetally audit`


@dataclass(frozen=True, slots=True)
class AlertSeen:
    """What looked unusual, from its first conspicuous minute to its last; see docs/alerts.md."""

    rule: str
    subject: str  # what people read: the place, or place and candidate
    place: str
    candidate_id: str  # empty unless the rule is about a candidate
    state: str  # raised, cleared
    severity: str  # notice, warning, critical
    seen: float
    expected: float
    begins: datetime
    ends: datetime  # the end of its last conspicuous minute
    evidence: str  # one sentence with the numbers


@dataclass(frozen=True, slots=True)
class Waiting:
    """What lies before a stage and waits for it."""

    stage: str  # record, tally
    what: str  # ballots, votes
    count: int


@dataclass(frozen=True, slots=True)
class Journey:
    """The way of the newest vote that is on the page, stage by stage, from cast to this server's memory. A browser adds its refresh interval."""

    at: datetime  # when its number was there to be shown
    recorded_s: float  # from the broker's stamp on the ballot to the message on votes_topic
    tallied_s: float  # from there to the announcement of its total
    shown_s: float  # from there to this server's memory

    @property
    def whole_s(self) -> float:
        return self.recorded_s + self.tallied_s + self.shown_s


@dataclass(frozen=True, slots=True)
class Health:
    """A service or a stage: whether it is there now, and since when that is so, as far as this server has seen."""

    name: str  # Kafka, PostgreSQL; record and tally, which is where Spark is
    is_up: bool
    since: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Trust:
    """`alerts` and `rejected` by election: alerts that are raised first, then the newest; ballots by reason, most first.

    Ballots that name no election are under "".
    `unreadable_votes`: messages on the votes topic that cannot be read or are for nobody who stands, in any election.
    """

    alerts: Mapping[str, tuple[AlertSeen, ...]]
    rejected: Mapping[str, tuple[tuple[str, int], ...]]
    waiting: tuple[Waiting, ...] = ()
    journey: Journey | None = None
    journey_p95_s: float | None = None  # from cast to this server's memory, over the journeys of the last minutes
    health: tuple[Health, ...] = ()
    unreadable_votes: int = 0


NO_TRUST = Trust({}, {})
UNCHECKED = Agreement()
