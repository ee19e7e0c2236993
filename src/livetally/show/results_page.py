"""The page Results: who leads, everybody's votes, parties, and who the candidates are."""

from collections.abc import Mapping, Sequence

import streamlit as st

from livetally.show import header, sections, sentences
from livetally.show.charts import Bar, bars, label_of, party_colours, pie
from livetally.show.contrast import painted
from livetally.show.controls import choose_page, figure, listing
from livetally.show.paints import marks
from livetally.show.result import Change, Result, Standing
from livetally.show.scene import Scene
from livetally.show.sheet import candidate_columns, group_columns, pages_of
from livetally.show.words import number, party, plural, portrait, said

LEAFLETS_PER_PAGE = 12  # whole rows of one, two, three or four


def draw(scene: Scene) -> None:
    result = scene.result
    st.html(leading(scene))
    if scene.hides_choices:
        show_leaflets(scene)
        return
    if not result.candidates:
        return
    st.html(candidates(scene))
    st.html('<h2 class="lt-section">In numbers</h2>')
    if result.parties and parties_say_more(result):
        left, right = st.columns([1, 1.4], gap="large")
        with left:
            show_parties(scene)
        with right:
            show_table(scene)
    else:
        show_table(scene)
    show_leaflets(scene)


def parties_say_more(result: Result) -> bool:
    """Where each party has one candidate, its votes are the candidate's: the same numbers once more would only be in the way."""
    parties = [one.party for one in result.candidates]
    return result.has_parties and len(set(parties)) < len(parties)


def leading(scene: Scene) -> str:
    """Who leads, or why there is nobody to name."""
    if scene.hides_choices:
        return sections.sealed(scene)
    if scene.result.total_votes:
        return header.lead(scene)
    return header.waiting(scene.snapshot, scene.election, scene.result, is_closed=scene.is_closed)


def first(scene: Scene, _asked: Mapping[str, str]) -> str:
    return leading(scene) + (candidates(scene) if scene.result.candidates and not scene.hides_choices else "")


def show_table(scene: Scene) -> None:
    """Everybody's votes: the table behind bars and donut."""
    alone = scene.result.has_parties and not parties_say_more(scene.result)
    note = (
        f"{sentences.parties(scene.result)} {sentences.party_minute(scene)} Each party has one candidate, so its votes are the candidate's."
    )
    said_too = f'<p class="lt-sentence lt-sentence-small" data-testid="sentence">{note}</p>' if alone else ""
    st.html(f'<h3 class="lt-chart-title">All candidates</h3>{said_too}')
    columns = candidate_columns(scene.result, scene.colours)
    listing(scene, "all", "Votes of each candidate", scene.result.candidates, columns, named="candidate")


def show_parties(scene: Scene) -> None:
    result, colours = scene.result, party_colours(scene.result)
    rows = [Bar(label_of(one.name), one.votes, colours[one.name]) for one in result.parties]
    drawn = bars(rows, result.total_votes)
    sentence = f"{sentences.parties(result)} {sentences.party_minute(scene)}"
    figure(scene, "parties", "Votes per party", sentence, drawn, group_columns(result, "Party"), result.parties)


def candidates(scene: Scene) -> str:
    """Votes of each candidate as bars, and the whole as a donut."""
    result, colours = scene.result, scene.colours
    rows = [
        Bar(
            f'<b class="lt-candidate-name">{said(one.name)}</b>',
            one.votes,
            colours[one.candidate_id],
            note=_note(scene, one),
            picture=portrait(one.photo, one.name, "lt-portrait-bar"),
            attributes=f'data-testid="candidate" data-candidate="{place}"',
        )
        for place, one in enumerate(result.candidates, 1)
    ]
    charts = f'<figure class="lt-chart"><figcaption>Votes per candidate</figcaption>{bars(rows, result.total_votes)}</figure>'
    if result.total_votes:  # a whole of nothing has no shares to show
        signs = marks(result.candidates)
        slices = [Bar(said(one.name), one.votes, colours[one.candidate_id], sign=signs[one.candidate_id]) for one in result.candidates]
        centre = f"<b>{number(result.total_votes)}</b><span>{'vote' if result.total_votes == 1 else 'votes'}</span>"
        charts += f'<figure class="lt-chart"><figcaption>Share of the votes</figcaption>{pie(slices, result.total_votes, centre)}</figure>'
    return (
        f'<section><h2 class="lt-section">Candidates</h2><p class="lt-sentence" data-testid="sentence">{sentences.who_leads(scene)}</p>'
        f'<div class="lt-columns lt-columns-wide">{charts}</div></section>'
    )


def show_leaflets(scene: Scene) -> None:
    """Who stands, and for what."""
    speaking = [one for one in scene.result.candidates if one.biography or one.platform]
    if not speaking:
        return
    # By name, not by votes: a page of leaflets does not change its order while somebody reads.
    speaking.sort(key=lambda one: (one.name, one.candidate_id))
    st.html('<h2 class="lt-section">Who they are</h2>')
    pages = pages_of(len(speaking), LEAFLETS_PER_PAGE)
    place = st.container(key="leaflets")
    first = (choose_page(pages, "leaflet") - 1) * LEAFLETS_PER_PAGE if pages > 1 else 0
    place.html(leaflets(scene, speaking[first : first + LEAFLETS_PER_PAGE]))


def leaflets(scene: Scene, people: Sequence[Standing]) -> str:
    """No votes in here: it stays as it is while they change, and nobody loses their place in a text."""
    return f'<div class="lt-leaflets">{"".join(_leaflet(scene, one) for one in people)}</div>'


def _leaflet(scene: Scene, one: Standing) -> str:
    colour = scene.colours[one.candidate_id]
    affiliation = f'<p class="lt-party"><span class="lt-swatch" style="{painted(colour)}"></span>{party(one.party)}</p>'
    biography = f"<p>{said(one.biography)}</p>" if one.biography else ""
    platform = f'<p class="lt-platform"><b>Platform.</b> {said(one.platform)}</p>' if one.platform else ""
    return (
        f'<article class="lt-leaflet" data-testid="leaflet"><div class="lt-person">{portrait(one.photo, one.name, "lt-portrait-bar")}'
        f"<div><h3>{said(one.name)}</h3>{affiliation if scene.result.has_parties else ''}</div></div>{biography}{platform}</article>"
    )


def _note(scene: Scene, one: Standing) -> str:
    """Under a candidate's name: the party, and what has changed since the last look."""
    affiliation = f'<span class="lt-bar-note">{party(one.party)}</span>' if scene.result.has_parties else ""
    change = scene.changes.of(one.candidate_id) if scene.changes and not scene.changes.is_recount else None
    return f"{affiliation}{_changed(change)}" if change else affiliation


def _changed(change: Change) -> str:
    parts = []
    if change.climbed:
        direction = "up" if change.climbed > 0 else "down"
        mark = "▲" if change.climbed > 0 else "▼"
        parts.append(
            f'<span class="lt-rank lt-rank-{direction}" data-testid="rank-change" data-climbed="{change.climbed}">'
            f'<span aria-hidden="true">{mark} {abs(change.climbed)}</span>'
            f'<span class="lt-hidden">{direction} {plural(abs(change.climbed), "rank")}</span></span>'
        )
    if change.votes > 0:
        parts.append(
            f'<span class="lt-more" data-testid="more">+{number(change.votes)}<span class="lt-hidden"> since your last look</span></span>'
        )
    if (moved := sentences.points(change.share)) != "0.0":  # also of those who won nothing, while others did
        parts.append(f'<span class="lt-points">{moved} points</span>')
    return f'<span class="lt-changed">{" ".join(parts)}</span>' if parts else ""
