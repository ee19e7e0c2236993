"""What a chart shows, said in a sentence made from the same data. HTML: names from people are in it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from livetally.core.tally import UNKNOWN
from livetally.show.changes import of_party
from livetally.show.past import Ahead, Series
from livetally.show.result import Brought, Change, Changes, Group, Leads, Nobody, Result, Tie
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
    first = scene.result.candidates[0]
    return _came_for(changes, changes.of(first.candidate_id) if len(scene.result.candidates) > 1 else None, said(first.name))


def party_minute(scene: Scene) -> str:
    """The same for the party with most votes."""
    changes, parties = scene.last_minute, scene.result.parties
    if changes is None or not parties:
        return ""
    first = parties[0].name
    return _came_for(changes, of_party(scene.result, changes, first) if len(parties) > 1 else None, party(first))


def lately(changes: Changes | None, brought: Sequence[Brought] = ()) -> str:
    """How many votes came in the last minute; `brought`: from which groups, most first."""
    if changes is None:
        return ""
    most = f", most from {_group(brought[0][0])} ({number(brought[0][1])})" if len(brought) > 1 else ""
    return (
        f"{plural(changes.votes, 'vote')} came in {span(changes)}{most}." if changes.votes > 0 else f"No vote has come in {span(changes)}."
    )


def lately_there(changes: Changes | None, place: str) -> str:
    if changes is None:
        return ""
    came = dict(changes.places).get(place, 0)
    return f"{plural(came, 'vote')} came from here in {span(changes)}." if came else f"No vote has come from here in {span(changes)}."


def minute_before(scene: Scene, series: Series, moment: datetime) -> str:
    """What the step that ended at a moment brought, and whom of the first. A moment between two ends was chosen when steps were shorter."""
    if moment not in series.ends:
        return "Where only hours are kept, it is the last full hour before." if series.step >= timedelta(hours=1) else ""
    place = series.ends.index(moment)
    brought = {one: votes[place] - (votes[place - 1] if place else 0) for one, votes in series.votes.items()}
    total, when = sum(brought.values()), length(series.step)
    if not total:
        return f"No vote had come in the {when} before."
    most = max(brought, key=lambda one: (brought[one], one))
    return f"{plural(total, 'vote')} had come in the {when} before, most for {said(scene.name_of(most))} ({number(brought[most])})."


def _came_for(changes: Changes, first: Change | None, name: str) -> str:
    if not changes.votes:
        return f"No vote has come in {span(changes)}."
    came = f"{plural(changes.votes, 'vote')} came in {span(changes)}"
    return f"{came}, {number(first.votes)} of them for {name}, whose share {_moved(first)}." if first else f"{came}."


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


def counties(scene: Scene, places: Sequence[Group], ahead: Mapping[str, Ahead]) -> str:
    """Who is ahead in how many places."""
    if not any(place.votes for place in places):
        return "No place has a vote yet."
    here = [ahead.get(place.name, Ahead()) for place in places]
    won = Counter(one.candidate_ids[0] for one in here if len(one.candidate_ids) == 1)
    tied, few = sum(len(one.candidate_ids) > 1 for one in here), sum(one.is_too_few for one in here)
    if not won and not tied and not few:
        return "Who is ahead in which place is being asked."
    too_few = f"in {number(few)} there are too few votes to say" if few else ""
    if not won:
        rest = f"{plural(tied, 'place is', 'places are')} tied; nobody is ahead in any" if tied else f"Of {plural(len(places), 'place')}"
        return f"{rest}{', ' if few and not tied else '; ' if few else ''}{too_few}."
    order = sorted(won.items(), key=lambda one: (-one[1], scene.name_of(one[0])))
    (first, most), *others = [(said(scene.name_of(candidate_id)), count) for candidate_id, count in order]
    shown = "".join(f", {name} in {number(count)}" for name, count in others[: NAMED_MAX - 1])
    rest = f", {plural(len(others) - NAMED_MAX + 1, 'other')} elsewhere" if len(others) >= NAMED_MAX else ""
    ties = f"; {plural(tied, 'is', 'are')} tied" if tied else ""
    return f"Of {plural(len(places), 'place')}, {first} is ahead in {number(most)}{shown}{rest}{ties}{'; ' if few else ''}{too_few}."


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
        return "Where votes come from will be known when new numbers have come in."
    if not changes.places:
        return f"No vote has come from anywhere in {span(changes)}."
    name, votes = changes.places[0]
    return (
        f"{plural(sum(count for _, count in changes.places), 'vote')} came from {plural(len(changes.places), 'place')} in {span(changes)}, "
        f"most from {said(name)} ({number(votes)})."
    )


def most_votes(groups: Sequence[Group], what: str) -> str:
    """Where most votes are from."""
    first = max(groups, key=lambda one: one.votes, default=Group("", 0))
    total = sum(one.votes for one in groups)
    if not total:
        return f"No {what} has a vote yet."
    return f"Most votes are from {_group(first.name)}: {number(first.votes)} of {number(total)} ({percent(first.votes / total)})."


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


def pace(scene: Scene, series: Series, over: int) -> str:
    """The busiest and the newest of the first `over` steps, which have ended, and what has come since.

    Where a step is longer than a minute, it says how long, and what its votes are a minute.
    """
    totals = [sum(votes) for votes in zip(*series.votes.values(), strict=True)]
    came = [after - before for before, after in zip((0, *totals), totals, strict=False)]
    minutes, running = series.step / timedelta(minutes=1), sum(came[over:])
    step = "minute" if minutes == 1 else length(series.step)
    since = scene.moment.clock(series.ends[over] - series.step) if came[over:] else ""
    lately = f"{plural(running, 'vote has', 'votes have')} come since {since}" if since else ""
    if not came[:over]:
        return f"No minute is over yet. {lately}." if lately else "No minute is over yet."

    def brought(place: int) -> str:
        return f"{plural(came[place], 'vote')}{'' if minutes == 1 else f', {came[place] / minutes:,.1f} a minute'}"

    busiest = max(range(over), key=came.__getitem__)
    if running > came[busiest]:
        return f"{lately}, more than in any {step} before."
    most = f"The {step} that ended at {scene.moment.clock(series.ends[busiest])} had most votes"
    newest = f" so far: {brought(busiest)}." if busiest == over - 1 else f": {brought(busiest)}. The newest had {brought(over - 1)}."
    return f"{most}{newest}{f' {lately}.' if lately else ''}"


def _group(name: str) -> str:
    return said(name) if name and name != UNKNOWN else "those who did not say"
