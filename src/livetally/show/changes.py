"""What has changed between two looks at an election."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from livetally.core.tally import UNKNOWN
from livetally.show.result import Brought, Change, Changes, Group, Look, Result, Standing


def look(result: Result, seen_at: datetime) -> Look:
    """What has to be remembered of a result to say later what has changed."""
    return Look(seen_at, result.total_votes, {one.candidate_id: one.votes for one in result.candidates}, result.generation)


def since(before: Look, now: Result, now_at: datetime, then: Result | None = None) -> Changes:
    """From an earlier look to a result; with the whole result of then, also where the votes came from, and from whom."""
    votes_before, votes_now = sorted(before.votes.values()), sorted(one.votes for one in now.candidates)
    return Changes(
        before.seen_at,
        now_at,
        now.total_votes - before.total_votes,
        tuple(_change(before, now, one, votes_before, votes_now) for one in now.candidates),
        *(
            ((), (), ())
            if then is None
            else (_brought(then.places, now.places), _brought(then.ages, now.ages), _brought(then.genders, now.genders))
        ),
        is_recount=before.generation != now.generation,
    )


def _change(before: Look, now: Result, candidate: Standing, votes_before: Sequence[int], votes_now: Sequence[int]) -> Change:
    """Somebody who was not there then had no votes. `votes_before` and `votes_now`: everybody's, fewest first."""
    had = before.votes.get(candidate.candidate_id, 0)
    share_before = had / before.total_votes if before.total_votes else 0.0
    return Change(
        candidate.candidate_id,
        candidate.votes - had,
        now.share(candidate.votes) - share_before,
        rank_before=_rank(had, votes_before),
        rank=_rank(candidate.votes, votes_now),
    )


def _rank(votes: int, everybody: Sequence[int]) -> int:
    """1 for the most; the same for all who have equally many."""
    return 1 + len(everybody) - bisect_right(everybody, votes)


def of_party(result: Result, changes: Changes, party: str) -> Change:
    """What became of a party: of all who stand for it."""
    ids = {one.candidate_id for one in result.candidates if (one.party or UNKNOWN) == party}
    theirs = [one for one in changes.candidates if one.candidate_id in ids]
    return Change(party, sum(one.votes for one in theirs), sum(one.share for one in theirs), 0, 0)


def _brought(before: Sequence[Group], now: Sequence[Group]) -> tuple[Brought, ...]:
    then = {one.name: one.votes for one in before}
    brought = ((one.name, one.votes - then.get(one.name, 0)) for one in now)
    return tuple(sorted((one for one in brought if one[1] > 0), key=lambda one: (-one[1], one[0])))
