"""The decision itself: which ballots count. Pure: the same ballots, lists and roll always give the same verdicts.

What a ballot is held against is as it was when the broker appended the ballot, never as it is now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from livetally.core.ballots import Ballot, Reason, Rejected
from livetally.core.elections import RollKind


class Cast(NamedTuple):
    """A ballot as it lies in its partition, read."""

    partition: int
    offset: int
    appended_ms: int  # since 1970, by the broker's clock
    content: Ballot | Rejected


class Hours(NamedTuple):
    """When an election is open, in microseconds since 1970; None for a moment that is not fixed yet."""

    opens_us: int | None
    closes_us: int | None


class Electors(NamedTuple):
    """Who may vote: everybody on the general register, those of them who live in some states, or those on the election's own list."""

    roll: RollKind
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lists:
    """What there is to vote on: a few elections and their candidates. Who may vote stands since before the first ballot that may count."""

    hours: Mapping[str, Hours] = field(default_factory=dict)  # by election
    listed_us: Mapping[tuple[str, str], int] = field(default_factory=dict)  # by election and candidate: since when
    electors: Mapping[str, Electors] = field(default_factory=dict)  # by election


# Somebody who was on the roll of the ballot's election when the ballot was appended: what the vote's message is made of, and whom they voted
# for before this batch.
Known = tuple[bytes, str | None]


class Counted(NamedTuple):
    """This ballot is a vote."""

    ballot: Ballot
    announcement: bytes


Verdict = Counted | Rejected

UNKNOWN_ELECTION = Rejected(Reason.UNKNOWN_ELECTION)
NOT_OPEN = Rejected(Reason.NOT_OPEN)
UNKNOWN_CANDIDATE = Rejected(Reason.UNKNOWN_CANDIDATE)
UNKNOWN_VOTER = Rejected(Reason.UNKNOWN_VOTER)
VOTED_SAME = Rejected(Reason.ALREADY_VOTED_SAME)
VOTED_OTHER = Rejected(Reason.ALREADY_VOTED_OTHER)

# What a registration or a change of the lists, begun earlier and not finished yet, may still turn into another verdict.
MAY_BECOME_KNOWN = frozenset({Reason.UNKNOWN_ELECTION, Reason.NOT_OPEN, Reason.UNKNOWN_CANDIDATE, Reason.UNKNOWN_VOTER})


def screen(cast: Cast, lists: Lists) -> Ballot | Rejected:
    """The ballot, if nothing speaks against it before anybody asks who cast it."""
    _, _, appended_ms, ballot = cast
    if isinstance(ballot, Rejected):
        return ballot
    election_id, _, candidate_id = ballot
    hours = lists.hours.get(election_id)
    if hours is None:
        return UNKNOWN_ELECTION
    appended_us = appended_ms * 1000
    opens_us, closes_us = hours
    if opens_us is None or appended_us < opens_us or (closes_us is not None and appended_us >= closes_us):
        return NOT_OPEN
    listed_us = lists.listed_us.get((election_id, candidate_id))
    if listed_us is None or appended_us < listed_us:
        return UNKNOWN_CANDIDATE
    return ballot


def decide(screened: Sequence[Ballot | Rejected], known: Mapping[int, Known]) -> list[Verdict]:
    """The verdict on each ballot, in the order in which they stand: of each voter and election the first that may count does.

    `known`: who is on the roll of that election, by the number of the ballot in this batch.
    """
    verdicts: list[Verdict] = []
    voted_for: dict[tuple[str, str], str] = {}
    for number, ballot in enumerate(screened):
        if isinstance(ballot, Rejected):
            verdicts.append(ballot)
            continue
        voter = known.get(number)
        if voter is None:
            verdicts.append(UNKNOWN_VOTER)
            continue
        announcement, earlier = voter
        election_id, voter_id, candidate_id = ballot
        who = election_id, voter_id
        earlier = earlier or voted_for.get(who)
        if earlier is None:
            voted_for[who] = candidate_id
            verdicts.append(Counted(ballot, announcement))
        else:
            verdicts.append(VOTED_SAME if earlier == candidate_id else VOTED_OTHER)
    return verdicts
