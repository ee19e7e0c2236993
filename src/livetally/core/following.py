"""What a receipt says of its ballot: pending, accepted or rejected, and never for whom it is. Pure."""

from datetime import datetime
from typing import NamedTuple

from livetally.core.ballots import Reason

ALREADY_VOTED = "already_voted"  # for the same candidate or another one is not said: that would tell something of the choice
_ALREADY = frozenset({Reason.ALREADY_VOTED_SAME, Reason.ALREADY_VOTED_OTHER})


class Place(NamedTuple):
    """Where a ballot lies in `ballots_topic`."""

    partition: int
    offset: int


class Link(NamedTuple):
    """The link of its partition's hash chain that a ballot is in."""

    number: int
    head: str  # hexadecimal, behind it


class Found(NamedTuple):
    """What the tables hold about a receipt."""

    election_id: str
    issued_at: datetime
    cast_again: bool  # what became of a first try was unknown, or it was rejected and an official has had it cast again
    place: Place | None  # None: nobody has heard from Kafka where it lies
    vote: Place | None  # the place of the ballot that this voter's vote comes from
    reason: str | None  # why the ballot at `place` was rejected
    vote_link: Link | None
    place_link: Link | None


class Pending(NamedTuple):
    """*record* has not come to it yet. Without a place it is unknown whether Kafka has it; casting again settles that."""

    place: Place | None


class Accepted(NamedTuple):
    place: Place
    link: Link


class Refused(NamedTuple):
    place: Place
    link: Link
    reason: str  # of `Reason`, or ALREADY_VOTED


Followed = Pending | Accepted | Refused


def follow(found: Found) -> Followed:
    """A ballot that had to be cast again counts from either place: *record* takes the first that arrived, and that is this voter's."""
    is_ours = found.vote is not None and (found.vote == found.place or found.cast_again or found.place is None)
    if is_ours and found.vote is not None and found.vote_link is not None:
        return Accepted(found.vote, found.vote_link)
    if found.place is not None and found.reason is not None and found.place_link is not None:
        return Refused(found.place, found.place_link, ALREADY_VOTED if found.reason in _ALREADY else found.reason)
    return Pending(found.place)
