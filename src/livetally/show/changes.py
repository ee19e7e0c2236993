"""What has changed between two looks at an election."""

from datetime import datetime

from livetally.show.result import Change, Changes, Group, Look, Result


def look(result: Result, seen_at: datetime) -> Look:
    """What has to be remembered of a result to say later what has changed."""
    return Look(seen_at, result.total_votes, {one.candidate_id: one.votes for one in result.candidates}, result.generation)


def since(before: Look, now: Result, now_at: datetime, places_before: tuple[Group, ...] | None = None) -> Changes:
    """From an earlier look to a result; with the places of then, also where the votes came from."""
    return Changes(
        before.seen_at,
        now_at,
        now.total_votes - before.total_votes,
        tuple(_change(before, now, one.candidate_id, one.votes) for one in now.candidates),
        () if places_before is None else _places(places_before, now.places),
        is_recount=before.generation != now.generation,
    )


def _change(before: Look, now: Result, candidate_id: str, votes: int) -> Change:
    """Somebody who was not there then had no votes."""
    votes_before = before.votes.get(candidate_id, 0)
    share_before = votes_before / before.total_votes if before.total_votes else 0.0
    return Change(
        candidate_id,
        votes - votes_before,
        now.share(votes) - share_before,
        rank_before=1 + sum(other > votes_before for other in before.votes.values()),
        rank=now.rank(candidate_id),
    )


def _places(before: tuple[Group, ...], now: tuple[Group, ...]) -> tuple[tuple[str, int], ...]:
    then = {one.name: one.votes for one in before}
    brought = ((one.name, one.votes - then.get(one.name, 0)) for one in now)
    return tuple(sorted((one for one in brought if one[1] > 0), key=lambda one: (-one[1], one[0])))
