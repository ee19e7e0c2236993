"""What the rules look at, and what they say: a minute of an election, and an alert."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

State = Literal["raised", "cleared"]
Severity = Literal["notice", "warning", "critical"]

EVERYWHERE = "everywhere"  # the place of an alert that is about no single one


class Rule(StrEnum):
    """What can be conspicuous. The list is closed; docs/alerts.md explains every one."""

    BURST = "burst"
    REPEATS = "repeated-ballots"
    SILENCE = "silence"
    SHARE = "share-jump"


@dataclass(frozen=True, slots=True)
class Minute:
    """What one minute of an election brought, as far as it came in time."""

    number: int  # minutes since 1970, UTC
    votes: Mapping[tuple[str, str], int]  # (state, candidate_id) -> votes
    repeats: Mapping[str, int]  # state -> ballots of people who had voted already


@dataclass(frozen=True, slots=True)
class Alert:
    """One anomaly, from its first conspicuous minute to its last. Rule, subject and first minute name it; the rest grows while it lasts."""

    rule: Rule
    subject: str  # what people read: the place, or place and candidate
    place: str
    candidate_id: str  # empty unless the rule is about a candidate
    state: State
    severity: Severity  # the worst so far
    seen: float  # over all conspicuous minutes: votes, votes for the candidate, or repeated ballots
    expected: float  # over the same minutes
    first_minute: int
    last_minute: int  # the last one that was conspicuous
    base: float  # what it is measured against while it lasts, as it was when it was raised: an anomaly never becomes its own normal
    evidence: str  # one sentence with the numbers

    @property
    def key(self) -> tuple[Rule, str]:
        """Of these there is one alert at a time."""
        return self.rule, self.subject

    @property
    def name(self) -> tuple[Rule, str, int]:
        """Of these there is one for ever."""
        return self.rule, self.subject, self.first_minute
