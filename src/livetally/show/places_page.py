"""The page Places: the map, where votes come from, one place by itself, and the table of all."""

from collections.abc import Mapping

import streamlit as st

from livetally.show import address, paints, sections, sentences
from livetally.show.answers import last_known, why_missing
from livetally.show.charts import Bar, bars, candidate_colours, label_of
from livetally.show.controls import behind, figure, framed, listing
from livetally.show.past import Ahead, Answer
from livetally.show.result import Group, Result
from livetally.show.scene import Scene
from livetally.show.sheet import Column, candidate_columns, group_columns
from livetally.show.tilemap import Way, tile_map
from livetally.show.words import number, percent, said

LEADER, TURNOUT, RECENT = "Leader", "Turnout", "Last minute"
TITLE = '<h2 class="lt-section">Places</h2>'
NOWHERE = '<p class="lt-sentence">No vote has come from any place yet.</p>'
OWN = "Candidates there"
EVERYWHERE = "All of them"
RECENT_BARS_MAX, RECENT_BARS_BELOW_MAX = 12, 5  # beside the map; below a place that somebody has chosen


def draw(scene: Scene) -> None:
    st.html(TITLE)
    if not scene.result.places:
        st.html(NOWHERE)
        return
    offered = [TURNOUT, RECENT] if scene.hides_choices else [LEADER, TURNOUT, RECENT]
    with st.container(key="one-place", horizontal=True, vertical_alignment="bottom"):
        colour = st.segmented_control("Colour the map by", offered, default=offered[0], required=True, key="colour", bind="query-params")
        county, city = choose_place(scene)
    ahead = who_is_ahead(scene)
    # On a narrow screen the style sheet puts the place that somebody has chosen above the map.
    with st.container(key="map-of-place" if county else "map-of-all"):
        left, right = st.columns([1.45, 1], gap="large")
    with left:
        st.html(f"{the_map(scene, colour or offered[0], ahead, _way(address.now(), county or ''))}{leaders_known(scene)}")
        behind(scene, "map", "The map", [*map_columns(scene, scene.result, ahead), lately_column(scene)], scene.result.places)
    with right:
        if county:
            show_one(scene, county, city)
        show_recent(scene, RECENT_BARS_BELOW_MAX if county else RECENT_BARS_MAX)
    show_all(scene)


def first(scene: Scene, asked: Mapping[str, str]) -> str:
    if not scene.result.places:
        return f"{TITLE}{NOWHERE}"
    colour = TURNOUT if scene.hides_choices else LEADER
    if (wanted := asked.get(address.COLOUR, "")) in {TURNOUT, RECENT}:
        colour = wanted
    ahead = who_is_ahead(scene)
    county = asked.get(address.COUNTY, "")
    own = ""
    if county in {one.name for one in scene.result.places} and not scene.hides_choices:
        answer = scene.asking.place(scene.result.election_id, county)
        drawn = own_bars(scene, answer.value, county) if answer.value else ""
        own = f"{own_title(label_of(county))}{last_known(scene, answer)}{drawn}"
    columns = f'<div class="lt-columns lt-columns-map"><div>{the_map(scene, colour, ahead, _way(asked, county))}{leaders_known(scene)}</div><div>{own}</div></div>'
    return f'{TITLE}<div class="lt-first-controls"></div>{columns}'


def who_is_ahead(scene: Scene) -> Mapping[str, Ahead]:
    if scene.hides_choices:
        return {}
    return scene.ahead_in(scene.result.places, scene.asking.ahead(scene.result.election_id).value or {})


def leaders_known(scene: Scene) -> str:
    return "" if scene.hides_choices else last_known(scene, scene.asking.ahead(scene.result.election_id))


def _way(asked: Mapping[str, str], chosen: str) -> Way:
    return Way(lambda county: address.link("places", asked, **{address.COUNTY: county}), chosen)


def the_map(scene: Scene, colour: str, ahead: Mapping[str, Ahead], way: Way) -> str:
    result, came = scene.result, sentences.lately(scene.last_minute)
    match colour:
        case "Turnout":
            paint, legend = paints.by_turnout(result.places), paints.levels_legend(*paints.turnout_range(result.places), percent)
            sentence, about = f"{sentences.turnout(result.places, 'place')} {came}", "Turnout in each place"
        case "Last minute":
            most = max((votes for _, votes in scene.last_minute.places), default=0) if scene.last_minute else 0
            paint = paints.by_recent(scene.last_minute)
            legend = paints.levels_legend(0, most, lambda value: number(round(value)))
            sentence = sentences.where_from(scene.last_minute)
            about = f"Votes from each place in {sentences.span(scene.last_minute) if scene.last_minute else 'the last minute'}"
        case _:
            paint = paints.by_leader(result.candidates, scene.colours, ahead)
            legend = paints.leaders_legend(result.candidates, scene.colours, ahead)
            sentence, about = f"{sentences.counties(scene, result.places, ahead)} {came}", "Who is ahead in each place"
    return (
        f'<section class="lt-chart" data-testid="figure-map"><p class="lt-sentence lt-sentence-small" data-testid="sentence">{sentence}</p>'
        '<p class="lt-sentence lt-sentence-small lt-hint">Each square leads to its own result. <a class="lt-skip" data-key="skip" href="#places">Skip the map</a></p>'
        f'<div class="lt-map-with-legend">{tile_map(result.places, paint, about, way)}{legend}</div></section>'
    )


def map_columns(scene: Scene, result: Result, ahead: Mapping[str, Ahead]) -> list[Column[Group]]:
    """The map as a table."""

    def leading(place: Group) -> str:
        here = ahead.get(place.name, Ahead())
        return "too few votes to say" if here.is_too_few else " = ".join(scene.name_of(one) for one in here.candidate_ids)

    columns = group_columns(result, "County")
    if not scene.hides_choices:
        columns.append(Column("Ahead", leading, lambda place: said(leading(place)) if leading(place) else "–", is_number=False))
    return columns


def lately_column(scene: Scene) -> Column[Group]:
    lately = scene.last_minute
    if lately is None:
        return Column("In the last minute", lambda _: None, lambda _: "–", minor=True)
    came = dict(lately.places)
    title = f"In {sentences.span(lately)}"
    return Column(title, lambda place: came.get(place.name, 0), lambda place: number(came.get(place.name, 0)), minor=True)


def show_recent(scene: Scene, bars_max: int) -> None:
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
        bars(rows, total, bars_max=bars_max) if rows else "",
        columns,
        groups,
    )


def choose_place(scene: Scene) -> tuple[str | None, str | None]:
    """A county, and one of its cities; None for all of them."""
    names = sorted({one.name for one in scene.result.places if one.name})
    county = st.selectbox("County", names, index=None, key="county", bind="query-params", placeholder="Choose a county", width=240)
    cities = sorted({one.name for one in scene.result.cities if one.within == county and one.name}) if county else []
    if not county or len(cities) < 2:  # noqa: PLR2004 (nothing to choose)
        return county, None
    city = st.selectbox("City", [EVERYWHERE, *cities], key="city", bind="query-params", width=220)
    return county, None if city == EVERYWHERE else city


def show_one(scene: Scene, county: str, city: str | None) -> None:
    """One county's own result, and its cities'."""
    where = f"{said(city)}, {label_of(county)}" if city else label_of(county)
    inside = tuple(one for one in scene.result.cities if one.within == county)
    if scene.hides_choices:
        st.html(f"{own_title(where)}{sections.sealed(scene)}")
    else:
        answer = scene.asking.place(scene.result.election_id, county, city or "")
        show_own_result(scene, where, answer, "" if city else county)
        if answer.value and not city:
            inside = answer.value.cities  # of the same moment as the candidates' votes: both add up to the same
    rows = [Bar(label_of(one.name), one.votes, "var(--lt-hue-1)") for one in inside]
    total = sum(one.votes for one in inside)
    sentence = f"{sentences.most_votes(inside, 'city')} {sentences.lately_there(scene.last_minute, county)}"
    figure(scene, "cities-of", "Votes by city", sentence, bars(rows, total), group_columns(scene.result, "City"), inside)


def own_title(where: str) -> str:
    return f'<h3 class="lt-chart-title" data-testid="own-place">{where}</h3>'


def show_own_result(scene: Scene, where: str, answer: Answer[Result], county: str) -> None:
    """`county`: empty for one of its cities, of which nobody knows what the last minute brought."""
    own = answer.value
    if own is None:
        why = why_missing(answer)
        st.html(
            f'<section class="lt-chart"><h3 class="lt-chart-title">{where}</h3><p class="lt-sentence lt-sentence-small">{why}</p></section>'
        )
        return
    st.html(f"{own_title(where)}{last_known(scene, answer)}")
    figure(
        scene,
        "own",
        OWN,
        _own_sentence(scene, own, county),
        _own_bars(scene, own),
        candidate_columns(own, _own_colours(scene, own)),
        own.candidates,
    )


def own_bars(scene: Scene, own: Result, county: str) -> str:
    return framed("own", OWN, _own_sentence(scene, own, county), _own_bars(scene, own))


def _own_sentence(scene: Scene, own: Result, county: str) -> str:
    lately = sentences.lately_there(scene.last_minute, county) if county else ""
    return f"{sentences.leader(own, too_early=scene.too_early_in(own), is_closed=scene.is_closed)} {lately}"


def _own_colours(scene: Scene, own: Result) -> dict[str, str]:
    """Those of the whole election, whoever stands in this place."""
    return {**candidate_colours(own), **scene.colours}


def _own_bars(scene: Scene, own: Result) -> str:
    colours = _own_colours(scene, own)
    return bars([Bar(said(one.name), one.votes, colours[one.candidate_id]) for one in own.candidates], own.total_votes)


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
