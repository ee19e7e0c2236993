"""The head of the page: which election, how much is counted, how old that is, who leads, and what is wrong just now."""

from datetime import datetime

from livetally.core.elections import Election
from livetally.show import badge
from livetally.show.contrast import painted
from livetally.show.result import Leads, Nobody, Result, Service, Snapshot, Standing, Tie
from livetally.show.scene import Moment, Scene
from livetally.show.sentences import points, span
from livetally.show.words import length, number, party, percent, plural, portrait, said

TIE_PORTRAITS_MAX = 4
DIFFERENCES_SHOWN_MAX = 3  # in the notice; the page Trust has them all
# Shown by the browser itself (`news.js`) when the server or the way to it is gone. It lies over the page, so it moves nothing.
LOST = (
    '<div class="lt-lost" role="alert" data-testid="lost" hidden><b>Is the connection lost?</b> No refresh has come for '
    '<span data-testid="quiet" aria-live="off">a while</span>; what you see is that old. The page goes on by itself.</div>'
)


def masthead(scene: Scene) -> str:
    """Name, status, age and trustworthiness of what follows."""
    result, moment = scene.result, scene.moment
    if scene.hides_everything:
        age = "The result is not shown yet"
    elif not result.as_of:
        age = "No vote counted yet"
    else:
        age = (
            f"As of <time data-testid='as-of' datetime='{result.as_of.isoformat()}'>{moment.clock(result.as_of)}</time>, "
            f"{old(moment, result.as_of)}"
        )
    name = scene.election.name if scene.election else result.election_id
    return (
        f'<header class="lt-masthead"><div class="lt-kicker">Election results, counted live {flags(scene)}</div>'
        f'<h1 data-testid="election">{said(name)}</h1>'
        f'<p class="lt-dateline">{badge.badge(scene.snapshot.agreement) if not scene.hides_everything else ""} <span data-testid="age">{age}</span> <span class="lt-dot">·</span> '
        f'<span>Last refreshed <time data-testid="refreshed" {refreshed(moment, scene.every_s)}>{moment.clock(moment.now)}</time></span></p>{LOST}</header>'
    )


def old(moment: Moment, as_of: datetime) -> str:
    """How old, in a form that the browser can count on from."""
    age = moment.now - as_of
    return f'<span data-old-s="{max(0, int(age.total_seconds()))}">{length(age)} old</span>'


def refreshed(moment: Moment, every_s: int) -> str:
    """Attributes by which the browser (`news.js`) sees that it has been told something new, and when it should have been."""
    return f'data-refreshed="{moment.now.isoformat()}" data-every-s="{every_s}"'


def flags(scene: Scene) -> str:
    shown = []
    if scene.election and scene.election.simulated:
        shown.append('<span class="lt-flag lt-flag-simulation" data-testid="simulation">Simulation</span>')
    if scene.election:
        shown_status = status(scene.election, scene.moment.now)
        shown.append(
            f'<span class="lt-flag lt-flag-{scene.election.status_at(scene.moment.now)}" data-testid="status">{shown_status}</span>'
        )
    if scene.facts and scene.facts.recounting is not None:
        shown.append('<span class="lt-flag lt-flag-recounting" data-testid="recounting">Recounting</span>')
    return "".join(shown)


def figures(scene: Scene) -> str:
    """How much has been counted, of how many, and whether it is still moving."""
    result, facts = scene.result, scene.facts
    candidates = facts.candidates.get(result.election_id, len(result.candidates)) if facts else len(result.candidates)
    registered = facts.on_roll(result.election_id) if facts else None
    turnout = percent(result.total_votes / registered) if registered else "–"
    shown = [
        ("total-votes", "Votes counted", number(result.total_votes), result.total_votes, _more(scene)),
        ("turnout", "Turnout" if scene.is_closed else "Turnout so far", turnout, "", ""),
        ("last-minute", *_lately(scene), ""),
        (
            "total-voters",
            "Registered voters",
            "–" if registered is None else number(registered),
            "" if registered is None else registered,
            "",
        ),
        ("total-candidates", "Candidates", number(candidates), candidates, ""),
    ]
    items = "".join(
        f'<div class="lt-figure"><dt>{label}</dt><dd><span class="lt-{name}" data-testid="{name}" data-value="{value}">{text}</span>{more}</dd></div>'
        for name, label, text, value, more in shown
    )
    return f'<dl class="lt-figures">{items}</dl>'


def lead(scene: Scene) -> str:
    """Who leads, and by how much; a tie is a tie, and with too few votes nobody leads."""
    result = scene.result
    match result.lead:
        case Leads() if scene.too_early:
            return (
                '<section class="lt-lead" data-testid="lead" data-lead="too-early"><div><p class="lt-eyebrow">Nobody leads yet</p>'
                f"<h2>Too early to say</h2><p class='lt-lead-line'>Only {plural(result.total_votes, 'vote has', 'votes have')} been counted; "
                "the next ones can turn everything round.</p></div></section>"
            )
        case Leads(first, margin):
            return _leader(scene, first, margin)
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


def _leader(scene: Scene, first: Standing, margin: int) -> str:
    result = scene.result
    swatch = f'<span class="lt-swatch" style="{painted(scene.colours[first.candidate_id])}"></span>'
    affiliation = f'<p class="lt-party">{swatch}{party(first.party)}</p>' if result.has_parties else ""
    eyebrow = "Most votes" if scene.is_closed else "Leading candidate"
    return (
        f'<section class="lt-lead" data-testid="lead" data-lead="{first.votes}">'
        f'{portrait(first.photo, first.name, "lt-portrait-large")}<div class="lt-lead-who"><p class="lt-eyebrow">{eyebrow}</p>'
        f'<h2 data-testid="leader-name">{said(first.name)}</h2>'
        f"{affiliation}</div>"
        f'<div class="lt-lead-numbers"><span class="lt-lead-share">{percent(result.share(first.votes))}</span>'
        f'<span class="lt-lead-votes"><b data-testid="leader-votes">{number(first.votes)}</b> {"vote" if first.votes == 1 else "votes"}</span>'
        f'<span class="lt-lead-margin" data-testid="margin">{ahead(result, margin)}</span>{_trend(scene, first)}</div></section>'
    )


def ahead(result: Result, margin: int) -> str:
    if len(result.candidates) == 1:
        return "the only candidate"
    return f"{plural(margin, 'vote')} ahead ({percent(result.share(margin)).replace('%', '')} points)"


def notices(snapshot: Snapshot, moment: Moment) -> str:
    """What is wrong just now, one line each; nothing when all is well."""
    return "".join(notice(line) for line in wrong(snapshot, moment))


def notice(line: str) -> str:
    return f'<div class="lt-notice" role="status" data-testid="notice">{line}</div>'


def wrong(snapshot: Snapshot, moment: Moment) -> list[str]:
    """The lines of the notices: what is wrong in bold, and how far it goes."""
    lines = []
    if snapshot.agreement.state == "red":
        places = badge.differences(snapshot.agreement, DIFFERENCES_SHOWN_MAX)
        lines.append(f"<b>{badge.headline(snapshot.agreement)}.</b> {badge.explained(snapshot.agreement, moment)} {places}")
    lines += [
        f"<b>{trouble.service} has not answered since {moment.clock(trouble.since)}</b> ({length(moment.now - trouble.since)}). "
        f"{_missing(trouble.service, snapshot)} The page goes on by itself as soon as it is back. "
        f'<span class="lt-detail">{said(trouble.detail)}</span>'
        for trouble in snapshot.troubles
    ]
    if snapshot.facts and snapshot.facts.recounting is not None:
        lines.append(
            f"<b>All votes are being counted again, {snapshot.facts.recounted_percent}% of them so far.</b> "
            "Until that has caught up, these are the numbers from before. "
            f'<span class="lt-detail">{said(snapshot.facts.recounting)}</span>'
        )
    if snapshot.unreadable.count:
        lines.append(
            f"<b>{plural(snapshot.unreadable.count, 'message')} could not be read</b> and "
            f"{'is' if snapshot.unreadable.count == 1 else 'are'} not in these numbers. "
            f'<span class="lt-detail">{said(snapshot.unreadable.example)}</span>'
        )
    return lines


def waiting(snapshot: Snapshot, election: Election | None, result: Result | None, *, is_closed: bool = False) -> str:
    """Why there is nothing to see: what comes next on the way of the first vote, or that the election has closed without one."""
    facts, title = snapshot.facts, "Nothing has been counted yet"
    candidates = facts.candidates.get(election.election_id, 0) if facts and election else 0
    if facts is not None and not facts.elections:
        missing = "There is no election yet. Registering voters makes one: <code>./livetally register</code>."
    elif facts is None and result is None:
        missing = "It is being asked which elections there are."
    elif snapshot.results is None:
        missing = "The topics with the numbers are being read."
    elif is_closed:
        title, missing = "Nothing has been counted", "This election is over, and no vote has been counted in it."
    elif facts is not None and not candidates and not (result and result.candidates):
        missing = "Nobody stands for this election yet: there are no candidates."
    elif facts is not None and not (facts.on_roll(election.election_id) if election else facts.registered):
        missing = "Nobody is registered yet, so nobody can vote."
    elif election and election.status == "draft":
        missing = "This election has not been opened."
    elif snapshot.troubles:
        away = " and ".join(one.service for one in snapshot.troubles)
        missing = f"No vote can be here before {away} {'is' if len(snapshot.troubles) == 1 else 'are'} back."
    else:
        missing = "Everything is ready for the first vote. It is here moments after it has been cast, recorded and tallied."
    return f'<section class="lt-waiting" data-testid="waiting"><h2>{title}</h2><p>{missing}</p></section>'


def _more(scene: Scene) -> str:
    """How many more votes than at the last look."""
    changes = scene.changes
    if changes is None or changes.is_recount or changes.votes <= 0:
        return ""
    ago = length(changes.until - changes.since)
    return f' <span class="lt-more" data-testid="more-votes">+{number(changes.votes)}<span class="lt-hidden"> since your last look, {ago} before</span></span>'


def _lately(scene: Scene) -> tuple[str, str, int | str]:
    """Label, text and value: whether it is still moving. A server that has just started looks back less far, and says so."""
    found = scene.last_minute
    if found is None:
        return "In the last minute", "–", ""
    votes = max(0, found.votes)
    return f"In {span(found)}", f"+{number(votes)}" if votes else "0", votes


def _trend(scene: Scene, first: Standing) -> str:
    """Which way the leader's share went in the last minute; nothing where no vote came."""
    lately = scene.last_minute
    found = lately.of(first.candidate_id) if lately and lately.votes > 0 else None
    if lately is None or found is None:
        return ""
    moved = points(found.share)
    moved = "unchanged" if moved == "0.0" else f"{moved} points"
    return f'<span class="lt-lead-trend" data-testid="trend">{moved} in {span(lately)}</span>'


def status(election: Election, now: datetime) -> str:
    return {"draft": "Not open yet", "open": "Open", "closed": "Closed", "certified": "Certified"}[election.status_at(now)]


def _missing(service: Service, snapshot: Snapshot) -> str:
    match service:
        case "Kafka":
            return "No new numbers come in; these are the last ones." if snapshot.results else "Without it there are no numbers."
        case "PostgreSQL":
            known = bool(snapshot.facts)
            return (
                "Names, status and the number of registered voters are the last known." if known else "Names and registrations are unknown."
            )
        case "Spark":
            return "Nothing is being counted; these are the last numbers."
