"""The head of the page: which election, how much is counted, how old that is, who leads, and what is wrong just now."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from livetally.core.elections import Election
from livetally.show.charts import candidate_colours
from livetally.show.result import Facts, Leads, Nobody, Result, Service, Snapshot, Standing, Tie
from livetally.show.words import length, number, party, percent, plural, portrait, said, time_of_day

TIE_PORTRAITS_MAX = 4


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where somebody is looking."""

    now: datetime
    zone: tzinfo

    def clock(self, moment: datetime) -> str:
        return time_of_day(moment, self.zone, self.now)


def masthead(election: Election | None, result: Result, facts: Facts | None, moment: Moment) -> str:
    """Name, status and age of what follows."""
    flags = (
        ['<span class="lt-flag lt-flag-simulation" data-testid="simulation">Simulation</span>'] if election and election.simulated else []
    )
    if election:
        flags.append(f'<span class="lt-flag lt-flag-{election.status}" data-testid="status">{_status(election, moment.now)}</span>')
    if facts and facts.recounting is not None:
        flags.append('<span class="lt-flag lt-flag-recounting" data-testid="recounting">Recounting</span>')
    age = "No vote counted yet"
    if result.as_of:
        age = (
            f"As of <time data-testid='as-of' datetime='{result.as_of.isoformat()}'>{moment.clock(result.as_of)}</time>, "
            f"{length(moment.now - result.as_of)} old"
        )
    return (
        f'<header class="lt-masthead"><div class="lt-kicker">Election results, counted live {"".join(flags)}</div>'
        f'<h1 data-testid="election">{said(election.name if election else result.election_id)}</h1>'
        f'<p class="lt-dateline"><span data-testid="age">{age}</span> <span class="lt-dot">·</span> '
        f'Last refreshed <time data-testid="refreshed">{moment.clock(moment.now)}</time></p></header>'
    )


def figures(result: Result, facts: Facts | None) -> str:
    """How much has been counted, of how many."""
    candidates = facts.candidates.get(result.election_id, len(result.candidates)) if facts else len(result.candidates)
    registered = facts.registered if facts else None
    turnout = percent(result.total_votes / registered) if registered else "–"
    shown = (
        ("total-votes", "Votes counted", number(result.total_votes), result.total_votes),
        ("turnout", "Turnout so far", turnout, ""),
        ("total-voters", "Total voters", "–" if registered is None else number(registered), "" if registered is None else registered),
        ("total-candidates", "Total candidates", number(candidates), candidates),
    )
    items = "".join(
        f'<div class="lt-figure"><dt>{label}</dt><dd class="lt-{name}" data-testid="{name}" data-value="{value}">{text}</dd></div>'
        for name, label, text, value in shown
    )
    return f'<dl class="lt-figures">{items}</dl>'


def lead(result: Result) -> str:
    """Who leads, and by how much; a tie is a tie."""
    match result.lead:
        case Leads(first, margin):
            return _leader(result, first, margin)
        case Tie(first):
            pictures = "".join(portrait(one.photo, one.name, "lt-portrait-tie") for one in first[:TIE_PORTRAITS_MAX])
            names = ", ".join(said(one.name) for one in first[:TIE_PORTRAITS_MAX])
            more = f" and {plural(len(first) - TIE_PORTRAITS_MAX, 'other')}" if len(first) > TIE_PORTRAITS_MAX else ""
            return (
                f'<section class="lt-lead lt-lead-tie" data-testid="lead" data-lead="tie"><div class="lt-pictures">{pictures}</div><div>'
                f'<p class="lt-eyebrow">Nobody leads</p><h2>A tie between {plural(len(first), "candidate")}</h2>'
                f'<p class="lt-lead-line">{names}{more}: <b>{plural(first[0].votes, "vote")}</b> each, '
                f"{percent(result.share(first[0].votes))} of all</p></div></section>"
            )
        case Nobody():
            return ""


def _leader(result: Result, first: Standing, margin: int) -> str:
    swatch = f'<span class="lt-swatch" style="background:{candidate_colours(result)[first.candidate_id]}"></span>'
    affiliation = f'<p class="lt-party">{swatch}{party(first.party)}</p>' if result.has_parties else ""
    points = percent(result.share(margin)).replace("%", "")
    ahead = "the only candidate" if len(result.candidates) == 1 else f"{plural(margin, 'vote')} ahead ({points} points)"
    return (
        f'<section class="lt-lead" data-testid="lead" data-lead="{first.votes}">'
        f'{portrait(first.photo, first.name, "lt-portrait-large")}<div class="lt-lead-who"><p class="lt-eyebrow">Leading candidate</p>'
        f'<h2 data-testid="leader-name">{said(first.name)}</h2>'
        f"{affiliation}</div>"
        f'<div class="lt-lead-numbers"><span class="lt-lead-share">{percent(result.share(first.votes))}</span>'
        f'<span class="lt-lead-votes"><b data-testid="leader-votes">{number(first.votes)}</b> {"vote" if first.votes == 1 else "votes"}</span>'
        f'<span class="lt-lead-margin" data-testid="margin">{ahead}</span></div></section>'
    )


def notices(snapshot: Snapshot, moment: Moment) -> str:
    """What is wrong just now, one line each; nothing when all is well."""
    lines = [
        f"<b>{trouble.service} has not answered since {moment.clock(trouble.since)}</b> ({length(moment.now - trouble.since)}). "
        f"{_missing(trouble.service, snapshot)} The page goes on by itself as soon as it is back. "
        f'<span class="lt-detail">{said(trouble.detail)}</span>'
        for trouble in snapshot.troubles
    ]
    if snapshot.facts and snapshot.facts.recounting is not None:
        lines.append(
            "<b>All votes are being counted again.</b> Until that has caught up, these are the numbers from before. "
            f'<span class="lt-detail">{said(snapshot.facts.recounting)}</span>'
        )
    if snapshot.unreadable.count:
        lines.append(
            f"<b>{plural(snapshot.unreadable.count, 'message')} could not be read</b> and "
            f"{'is' if snapshot.unreadable.count == 1 else 'are'} not in these numbers. "
            f'<span class="lt-detail">{said(snapshot.unreadable.example)}</span>'
        )
    return "".join(f'<p class="lt-notice" role="status" data-testid="notice">{line}</p>' for line in lines)


def waiting(snapshot: Snapshot, election: Election | None, result: Result | None) -> str:
    """Why there is nothing to see yet: what comes next on the way of the first vote."""
    facts = snapshot.facts
    candidates = facts.candidates.get(election.election_id, 0) if facts and election else 0
    if facts is not None and not facts.elections:
        missing = "There is no election yet. Registering voters makes one: <code>./livetally register</code>."
    elif facts is None and result is None:
        missing = "It is being asked which elections there are."
    elif snapshot.results is None:
        missing = "The topics with the numbers are being read."
    elif facts is not None and not candidates and not (result and result.candidates):
        missing = "Nobody stands for this election yet: there are no candidates."
    elif facts is not None and not facts.registered:
        missing = "Nobody is registered yet, so nobody can vote."
    elif election and election.status == "draft":
        missing = "This election has not been opened."
    else:
        missing = "Everything is ready for the first vote. It is here moments after it has been cast, recorded and tallied."
    return f'<section class="lt-waiting" data-testid="waiting"><h2>Nothing has been counted yet</h2><p>{missing}</p></section>'


def _status(election: Election, now: datetime) -> str:
    if election.status == "open" and election.closes_at and election.closes_at <= now:
        return "Closed"
    return {"draft": "Not open yet", "open": "Open", "closed": "Closed", "certified": "Certified"}[election.status]


def _missing(service: Service, snapshot: Snapshot) -> str:
    if service == "Kafka":
        return "No new numbers come in; these are the last ones." if snapshot.results else "Without it there are no numbers."
    return (
        "Names, status and the number of registered voters are the last known."
        if snapshot.facts
        else "Names and registrations are unknown."
    )
