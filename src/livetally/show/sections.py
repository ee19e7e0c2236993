"""The parts of the page below its head, as HTML made from a result."""

from livetally.core.elections import Election
from livetally.core.tally import UNKNOWN
from livetally.show.charts import Bar, bars, label_of, party_colours, pie
from livetally.show.result import Group, Leads, Nobody, Result, Tie
from livetally.show.words import number, party, percent, plural, portrait, said

NO_ADDRESSES = (
    "This page has not been told where Kafka and PostgreSQL are. `./livetally run` and `./livetally dashboard` tell it. "
    "To start it yourself, set LIVETALLY_KAFKA_BOOTSTRAP_SERVERS and LIVETALLY_DATABASE_URL."
)
NO_ELECTION = '<header class="lt-masthead"><div class="lt-kicker">Election results, counted live</div><h1>No election yet</h1></header>'
PLACES_TITLE = '<h2 class="lt-section" id="places">Places</h2>'

# Groups of people have no party: two calm hues, and more only if somebody registers more groups.
_GENDER_COLOURS = ("var(--lt-hue-1)", "var(--lt-hue-2)", "var(--lt-hue-3)", "var(--lt-hue-4)")
_UNKNOWN_COLOUR = "var(--lt-faint)"


def cannot_start(why: str) -> str:
    return f'<section class="lt-waiting" data-testid="cannot-start"><h2>This page cannot start</h2><p class="lt-lines">{said(why)}</p></section>'


def candidates(result: Result, colours: dict[str, str]) -> str:
    """Votes of each candidate as bars, and the whole as a donut."""
    rows = [
        Bar(
            f'<b class="lt-candidate-name">{said(one.name)}</b>',
            one.votes,
            colours[one.candidate_id],
            note=f'<span class="lt-bar-note">{party(one.party)}</span>' if result.has_parties else "",
            picture=portrait(one.photo, one.name, "lt-portrait-bar"),
            attributes=f'data-testid="candidate" data-candidate="{place}"',
        )
        for place, one in enumerate(result.candidates, 1)
    ]
    slices = [Bar(f"{said(one.name)}", one.votes, colours[one.candidate_id]) for one in result.candidates]
    centre = f"<b>{number(result.total_votes)}</b><span>{'vote' if result.total_votes == 1 else 'votes'}</span>"
    charts = f'<figure class="lt-chart"><figcaption>Votes per candidate</figcaption>{bars(rows, result.total_votes)}</figure>'
    if result.total_votes:  # a whole of nothing has no shares to show
        charts += f'<figure class="lt-chart"><figcaption>Share of the votes</figcaption>{pie(slices, result.total_votes, centre)}</figure>'
    return (
        f'<h2 class="lt-section">Candidates</h2><p class="lt-sentence">{_who_leads(result)}</p>'
        f'<div class="lt-columns lt-columns-wide">{charts}</div>'
    )


def people(result: Result) -> str:
    """Who voted, by gender and age, and for which party."""
    ages = [Bar(label_of(one.name), one.votes, _age_colour(one)) for one in result.ages]
    genders = [Bar(label_of(one.name), one.votes, colour) for one, colour in zip(result.genders, _gender_colours(result), strict=True)]
    charts = [
        ("Votes by age", bars(ages, result.total_votes)),
        ("Votes by gender", pie(genders, sum(one.votes for one in result.genders))),
    ]
    title = "People"
    if result.has_parties:
        colours = party_colours(result)
        parties = [Bar(label_of(one.name), one.votes, colours[one.name]) for one in result.parties]
        charts.insert(0, ("Votes per party", bars(parties, result.total_votes)))
        title = "Parties and people"
    figures = "".join(f'<figure class="lt-chart"><figcaption>{caption}</figcaption>{chart}</figure>' for caption, chart in charts)
    return f'<h2 class="lt-section">{title}</h2><div class="lt-columns lt-columns-three">{figures}</div>'


def footer(election: Election | None) -> str:
    simulated = "<b>This election is a simulation: its voters and their votes are made up.</b> " if election and election.simulated else ""
    return (
        f'<footer class="lt-footer">{simulated}Every ballot is decided once, in the order in which the broker received it; '
        "these are the votes that have been accepted and tallied so far.</footer>"
    )


def _who_leads(result: Result) -> str:
    match result.lead:
        case Leads(first, margin) if len(result.candidates) > 1:
            return (
                f"{said(first.name)} leads with {percent(result.share(first.votes))} of {plural(result.total_votes, 'vote')}, "
                f"{number(margin)} ahead of {said(result.candidates[1].name)}."
            )
        case Leads(first, _):
            return f"{said(first.name)} is the only candidate and has {plural(first.votes, 'vote')}."
        case Tie(first):
            return f"{plural(len(first), 'candidate')} share the first place with {plural(first[0].votes, 'vote')} each."
        case Nobody():
            return f"{plural(len(result.candidates), 'candidate stands', 'candidates stand')}. None has a vote yet."


def _age_colour(group: Group) -> str:
    return _UNKNOWN_COLOUR if group.name == UNKNOWN else "var(--lt-hue-1)"


def _gender_colours(result: Result) -> list[str]:
    return [
        _UNKNOWN_COLOUR if one.name == UNKNOWN else _GENDER_COLOURS[place % len(_GENDER_COLOURS)]
        for place, one in enumerate(result.genders)
    ]
