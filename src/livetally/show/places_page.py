"""The page Places: the map, where votes come from, one place by itself, and the table of all."""

from collections.abc import Mapping

import streamlit as st

from livetally.show import paints, sections, sentences
from livetally.show.charts import Bar, bars, candidate_colours, label_of
from livetally.show.controls import behind, figure, listing
from livetally.show.past import Ahead, Answer
from livetally.show.result import Group, Result
from livetally.show.scene import Scene
from livetally.show.sheet import Column, candidate_columns, group_columns
from livetally.show.tilemap import tile_map
from livetally.show.words import number, percent, said

LEADER, TURNOUT, RECENT = "Leader", "Turnout", "Last minute"
TITLE = '<h2 class="lt-section">Places</h2>'
NOWHERE = '<p class="lt-sentence">No vote has come from any place yet.</p>'
EVERYWHERE = "All of them"
RECENT_BARS_MAX = 12  # beside the map


def draw(scene: Scene) -> None:
    st.html(TITLE)
    if not scene.result.places:
        st.html(NOWHERE)
        return
    offered = [TURNOUT, RECENT] if scene.hides_choices else [LEADER, TURNOUT, RECENT]
    colour = st.segmented_control("Colour the map by", offered, default=offered[0], required=True, key="colour", bind="query-params")
    ahead = scene.asking.ahead(scene.result.election_id).value or {}
    left, right = st.columns([1.45, 1], gap="large")
    with left:
        st.html(the_map(scene, colour or offered[0], ahead))
        behind(scene, "map", "The map", map_columns(scene, ahead), scene.result.places)
    with right:
        show_recent(scene)
    show_one(scene)
    show_all(scene)


def first(scene: Scene, asked: Mapping[str, str]) -> str:
    if not scene.result.places:
        return f"{TITLE}{NOWHERE}"
    colour = TURNOUT if scene.hides_choices else LEADER
    if (wanted := asked.get("colour", "")) in {TURNOUT, RECENT}:
        colour = wanted
    ahead = {} if scene.hides_choices else scene.asking.ahead(scene.result.election_id).value or {}
    return f'{TITLE}<div class="lt-first-controls"></div>{the_map(scene, colour, ahead)}'


def the_map(scene: Scene, colour: str, ahead: Mapping[str, Ahead]) -> str:
    result = scene.result
    match colour:
        case "Turnout":
            paint, legend = paints.by_turnout(result.places), paints.levels_legend(*paints.turnout_range(result.places), percent)
            sentence, about = sentences.turnout(result.places, "place"), "Turnout in each place"
        case "Last minute":
            came = dict(scene.last_minute.places) if scene.last_minute else {}
            paint = paints.by_recent(scene.last_minute)
            legend = paints.levels_legend(0, max(came.values(), default=0), lambda value: number(round(value)))
            sentence, about = sentences.where_from(scene.last_minute), "Votes from each place in the last minute"
        case _:
            paint = paints.by_leader(result.candidates, scene.colours, ahead)
            legend = paints.leaders_legend(result.candidates, scene.colours, ahead)
            sentence, about = sentences.counties(scene, ahead), "Who is ahead in each place"
    return (
        f'<section class="lt-chart" data-testid="figure-map"><p class="lt-sentence lt-sentence-small" data-testid="sentence">{sentence}</p>'
        f'<div class="lt-map-with-legend">{tile_map(result.places, paint, about)}{legend}</div></section>'
    )


def map_columns(scene: Scene, ahead: Mapping[str, Ahead]) -> list[Column[Group]]:
    """The map as a table: everything that it can be coloured by."""
    came = dict(scene.last_minute.places) if scene.last_minute else {}

    def leading(place: Group) -> str:
        return " = ".join(scene.name_of(one) for one in ahead.get(place.name, Ahead()).candidate_ids)

    columns = group_columns(scene.result, "County")
    if not scene.hides_choices:
        columns.append(Column("Ahead", leading, lambda place: said(leading(place)) or "–", is_number=False))
    return [
        *columns,
        Column("Last minute", lambda place: came.get(place.name, 0), lambda place: number(came.get(place.name, 0)), minor=True),
    ]


def show_recent(scene: Scene) -> None:
    """Where votes are coming from."""
    came = scene.last_minute.places if scene.last_minute else ()
    groups = [Group(name, votes) for name, votes in came]
    rows = [Bar(label_of(one.name), one.votes, "var(--lt-hue-1)") for one in groups]
    total = sum(one.votes for one in groups)
    columns: list[Column[Group]] = [
        Column("County", lambda one: one.name, lambda one: label_of(one.name), is_number=False),
        Column("Votes", lambda one: one.votes, lambda one: number(one.votes)),
    ]
    title = "Where votes are coming from"
    figure(
        scene,
        "recent",
        title,
        sentences.where_from(scene.last_minute),
        bars(rows, total, bars_max=RECENT_BARS_MAX) if rows else "",
        columns,
        groups,
    )


def show_one(scene: Scene) -> None:
    """One county's own result, and its cities'."""
    st.html('<h2 class="lt-section">One place by itself</h2>')
    names = sorted({one.name for one in scene.result.places if one.name})
    with st.container(key="one-place", horizontal=True, vertical_alignment="bottom"):
        county = st.selectbox("County", names, index=None, key="county", bind="query-params", placeholder="Choose a county", width=320)
        cities = sorted({one.name for one in scene.result.cities if one.within == county and one.name}) if county else []
        city = (
            st.selectbox("City", [EVERYWHERE, *cities], key="city", bind="query-params", width=320) if county and len(cities) > 1 else None
        )
    if not county:
        st.html('<p class="lt-sentence">Choose a county to see who is ahead there, and in which of its cities people have voted.</p>')
        return
    city = None if city == EVERYWHERE else city
    answer = Answer[Result]() if scene.hides_choices else scene.asking.place(scene.result.election_id, county, city or "")
    where = f"{said(city)}, {label_of(county)}" if city else label_of(county)
    left, right = st.columns(2, gap="large")
    with left:
        if scene.hides_choices:
            st.html(f'<h3 class="lt-chart-title" data-testid="own-place">{where}</h3>{sections.sealed(scene)}')
        else:
            show_own_result(scene, where, answer)
    with right:
        inside = tuple(one for one in scene.result.cities if one.within == county)
        rows = [Bar(label_of(one.name), one.votes, "var(--lt-hue-1)") for one in inside]
        total = sum(one.votes for one in inside)
        title = "Votes by city"
        figure(scene, "cities-of", title, sentences.turnout(inside, "city"), bars(rows, total), group_columns(scene.result, "City"), inside)


def show_own_result(scene: Scene, where: str, answer: Answer[Result]) -> None:
    own = answer.value
    if own is None:
        why = said(answer.trouble) if answer.trouble else "It is being asked; the next refresh has it."
        st.html(
            f'<section class="lt-chart"><h3 class="lt-chart-title">{where}</h3><p class="lt-sentence lt-sentence-small">{why}</p></section>'
        )
        return
    # The colours of the whole election, whoever stands in this place.
    colours = {**candidate_colours(own), **scene.colours}
    rows = [Bar(said(one.name), one.votes, colours[one.candidate_id]) for one in own.candidates]
    drawn = bars(rows, own.total_votes)
    st.html(f'<h3 class="lt-chart-title" data-testid="own-place">{where}</h3>')
    figure(
        scene,
        "own",
        "Candidates there",
        sentences.leader(own, is_closed=scene.is_closed),
        drawn,
        candidate_columns(own, colours),
        own.candidates,
    )


def show_all(scene: Scene) -> None:
    st.html('<h2 class="lt-section" id="places">All places</h2>')
    level = st.segmented_control(
        "Table of",
        ["Counties", "Cities"],
        default="Counties",
        required=True,
        key="level",
        bind="query-params",
        label_visibility="collapsed",
    )
    result = scene.result
    if level == "Cities":
        listing(scene, "cities", "Votes and turnout of each city", result.cities, group_columns(result, "City", "County"), named="city")
    else:
        listing(scene, "counties", "Votes and turnout of each county", result.places, group_columns(result, "County"), named="county")
