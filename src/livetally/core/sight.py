"""What somebody may see of an election's result, and whether they may know of it at all. Pure; the API asks it, pages only draw."""

from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum

from livetally.core.access import Role
from livetally.core.elections import Election


class Sight(IntEnum):
    """Each shows what the one before shows."""

    NOTHING = 0
    TURNOUT = 1  # how many have voted, and not for whom
    RESULT = 2


def may_know_of(election: Election, role: Role) -> bool:
    """A draft of a real election is nobody's business but the officials'; what there is to vote on is everybody's."""
    return election.simulated or election.status != "draft" or role >= Role.OFFICIAL


def sight(election: Election, role: Role, now: datetime) -> Sight:
    """What of the result this role may see now. `role`: what somebody is for this election, not for others."""
    if role >= Role.OFFICIAL or election.simulated:  # there is nothing to hide in a rehearsal
        return Sight.RESULT
    if not may_know_of(election, role):
        return Sight.NOTHING
    if election.visible == "live":
        return Sight.RESULT
    if election.visible == "turnout":
        return Sight.RESULT if _counting_hides_nothing(election, now) else Sight.TURNOUT
    return Sight.RESULT if election.published_at is not None else Sight.NOTHING


def tells_no_more(candidate_id: str, seen: Sight) -> bool:
    """Whether an alert tells no more than may be seen: one about a candidate tells of votes for it."""
    return not candidate_id or seen is Sight.RESULT


def may_see_sums(sights: Iterable[tuple[Election, Sight]]) -> bool:
    """Whether numbers over all elections may be seen: beside one that hides its turnout, the difference would tell it. A draft has none."""
    return all(seen is not Sight.NOTHING or election.status == "draft" for election, seen in sights)


def _counting_hides_nothing(election: Election, now: datetime) -> bool:
    """Closed, and the closing time is over: one that is closed takes ballots for a few seconds more."""
    return election.status_at(now) in ("closed", "certified") and (election.closes_at is None or election.is_over(now))
