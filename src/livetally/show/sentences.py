"""What a chart shows, said in a sentence made from the same data. HTML: names from people are in it."""

from collections.abc import Mapping, Sequence

from livetally.core.tally import UNKNOWN
from livetally.show.past import Ahead, Series
from livetally.show.result import Change, Changes, Group, Leads, Nobody, Result, Tie
from livetally.show.scene import Scene
from livetally.show.words import length, number, party, percent, plural, said

NAMED_MAX = 4  # in one sentence


def who_leads(scene: Scene) -> str:
    return f"{leader(scene.result, too_early=scene.too_early, is_closed=scene.is_closed)} {last_minute(scene)}".strip()


def leader(result: Result, *, too_early: bool = False, is_closed: bool = False) -> str:
    """Who leads, with what share, how many votes ahead of whom."""
    match result.lead:
        case Leads(first, _) if too_early:
            return (
                f"Nobody leads yet: {plural(result.total_votes, 'vote has', 'votes have')} been counted, too few to say. "
                f"{said(first.name)} has {number(first.votes)} of them."
            )
        case Leads(first, margin) if len(result.candidates) > 1:
            return (
                f"{said(first.name)} {'has most votes' if is_closed else 'leads'}, with {percent(result.share(first.votes))} of "
                f"{plural(result.total_votes, 'vote')}, {number(margin)} ahead of {said(result.candidates[1].name)}."
            )
        case Leads(first, _):
            return f"{said(first.name)} is the only candidate and has {plural(first.votes, 'vote')}."
        case Tie(first):
            return f"{plural(len(first), 'candidate')} share the first place with {plural(first[0].votes, 'vote')} each."
        case Nobody():
            return f"{plural(len(result.candidates), 'candidate stands', 'candidates stand')}. None has a vote yet."


def last_minute(scene: Scene) -> str:
    """How that changed in the last minute, as far back as this server remembers."""
    changes = scene.last_minute
    if changes is None or not scene.result.candidates:
        return ""
    if not changes.votes:
        return f"No vote has come in {span(changes)}."
    first = changes.of(scene.result.candidates[0].candidate_id)
    came = f"{plural(changes.votes, 'vote')} came in {span(changes)}"
    if first is None or len(scene.result.candidates) == 1:
        return f"{came}."
    return f"{came}, {number(first.votes)} of them for {said(scene.result.candidates[0].name)}, whose share {_moved(first)}."


def points(share: float) -> str:
    """`+0.4`, `−1.2`: the difference of two shares in percentage points, never a signed nothing."""
    shown = f"{abs(100 * share):.1f}"
    return shown if shown == "0.0" else f"{'+' if share > 0 else '−'}{shown}"


def _moved(change: Change) -> str:
    shown = f"{abs(100 * change.share):.1f}"
    if shown == "0.0":
        return "stayed as it was"
    return f"{'rose' if change.share > 0 else 'fell'} by {shown} points"


def span(changes: Changes) -> str:
    seconds = (changes.until - changes.since).total_seconds()
    return "the last minute" if 50 <= seconds <= 70 else f"the last {length(changes.until - changes.since)}"  # noqa: PLR2004 (about a minute)


def parties(result: Result) -> str:
    known = [one for one in result.parties if one.votes]
    if not known:
        return "No party has a vote yet."
    first, *others = known
    if not others:
        return f"All {plural(first.votes, 'vote')} are for {party(first.name)}."
    return (
        f"{party(first.name)} has {percent(result.share(first.votes))} of all votes, {number(first.votes - others[0].votes)} more than "
        f"{party(others[0].name)}."
        if first.votes > others[0].votes
        else f"{party(first.name)} and {party(others[0].name)} have {plural(first.votes, 'vote')} each."
    )


def counties(scene: Scene, ahead: Mapping[str, Ahead]) -> str:
    """Who is ahead in how many places."""
    won: dict[str, int] = {}
    tied = 0
    for place in scene.result.places:
        here = ahead.get(place.name, Ahead())
        if len(here.candidate_ids) == 1:
            won[here.candidate_ids[0]] = won.get(here.candidate_ids[0], 0) + 1
        tied += len(here.candidate_ids) > 1
    if not won and not tied:
        return "Who is ahead in which place is being asked."
    if not won:
        return f"{plural(tied, 'place is', 'places are')} tied; nobody is ahead in any."
    order = sorted(won.items(), key=lambda one: (-one[1], scene.name_of(one[0])))
    (first, most), *others = [(said(scene.name_of(candidate_id)), count) for candidate_id, count in order]
    shown = "".join(f", {name} in {number(count)}" for name, count in others[: NAMED_MAX - 1])
    rest = f", {plural(len(others) - NAMED_MAX + 1, 'other')} elsewhere" if len(others) >= NAMED_MAX else ""
    ties = f"; {plural(tied, 'is', 'are')} tied" if tied else ""
    return f"Of {plural(len(scene.result.places), 'place')}, {first} is ahead in {number(most)}{shown}{rest}{ties}."


def turnout(groups: Sequence[Group], what: str, among: str = "in") -> str:
    """Where most and fewest of the registered have voted."""
    said_by = [(one.turnout, one) for one in groups if one.turnout is not None and one.name != UNKNOWN]
    if not said_by:
        return f"How many are registered in each {what} is not known yet."
    low, high = min(said_by, key=lambda pair: pair[0]), max(said_by, key=lambda pair: pair[0])
    if low[0] == high[0]:
        return f"Turnout is {percent(high[0])} in every {what}."
    return f"Turnout is highest {among} {said(high[1].name)} with {percent(high[0])}, lowest {among} {said(low[1].name)} with {percent(low[0])}."


def where_from(changes: Changes | None) -> str:
    if changes is None:
        return "Where votes come from will be known in a minute."
    if not changes.places:
        return f"No vote has come from anywhere in {span(changes)}."
    name, votes = changes.places[0]
    return (
        f"{plural(sum(count for _, count in changes.places), 'vote')} came from {plural(len(changes.places), 'place')} in {span(changes)}, "
        f"most from {said(name)} ({number(votes)})."
    )


def people(result: Result) -> str:
    """Which age and gender most votes are from."""
    ages = [one for one in result.ages if one.votes and one.name != UNKNOWN]
    genders = [one for one in result.genders if one.votes and one.name != UNKNOWN]
    if not ages and not genders:
        return "Nobody has said age or gender."
    most = [max(groups, key=lambda one: one.votes) for groups in (ages, genders) if groups]
    return (
        "The largest groups: " + " and ".join(f"{said(one.name)} ({percent(result.share(one.votes))} of all votes)" for one in most) + "."
    )


def pace(scene: Scene, series: Series) -> str:
    """How many votes a minute came, now and at most."""
    per_minute = [sum(step) for step in zip(*(series.per_minute(one) for one in series.votes), strict=True)]
    if not per_minute:
        return "No minute is over yet."
    busiest = max(range(len(per_minute)), key=per_minute.__getitem__)
    when = series.ends[busiest].astimezone(scene.moment.zone)
    most, newest = (plural(round(votes), "vote") for votes in (per_minute[busiest], per_minute[-1]))
    if busiest == len(per_minute) - 1:
        return f"The minute that ended at {when:%H:%M} had most votes so far: {most}."
    return f"The minute that ended at {when:%H:%M} had most votes: {most}. The newest has {newest}."
