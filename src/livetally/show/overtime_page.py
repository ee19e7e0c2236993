"""The page Over time: how the result came about, at what pace, and the election as it stood at any moment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import streamlit as st

from livetally.show import address, paints, sections, sentences
from livetally.show.answers import last_known, why_missing
from livetally.show.charts import Bar, bars, candidate_colours
from livetally.show.controls import behind, figure, framed
from livetally.show.lines import LINES_MAX, Line, line_chart
from livetally.show.past import Answer, Series, Then
from livetally.show.places_page import map_columns
from livetally.show.result import Result
from livetally.show.scene import Scene
from livetally.show.sheet import Column, candidate_columns
from livetally.show.tilemap import tile_map
from livetally.show.words import number, plural, said

NOW = "now"
MINUTE = "%Y-%m-%dT%H:%M"  # how a moment is named, in UTC
COLUMNS_NARROW = 3  # a phone has room for three
TITLE = '<h2 class="lt-section">How the result came about</h2>'
COUNTED = "Votes counted, over time"


@dataclass(frozen=True, slots=True)
class Point:
    """A row behind a chart over time."""

    end: datetime
    votes: tuple[float, ...]  # by candidate, in the order of the result


def draw(scene: Scene) -> None:
    if scene.hides_choices:
        st.html(sections.sealed(scene))
        return
    answer = scene.asking.series(scene.result.election_id)
    series = answer.value
    if series is None or not series.ends:
        st.html(nothing_yet(answer))
        return
    st.html(f"{TITLE}{last_known(scene, answer)}")
    shown = scene.result.candidates
    none = (0,) * len(series.ends)
    counted = [series.votes.get(one.candidate_id) or none for one in shown]
    show_lines(scene, "cumulative", COUNTED, standing(scene), series, counted)
    over = steps_over(series, min(scene.moment.now, answer.asked_at or scene.moment.now))
    # What a step that runs has so far is no pace: the lines would fall at their end.
    ended = beginning(series, over) if over else series
    rates = [ended.per_minute(one.candidate_id) or (0,) * len(ended.ends) for one in shown]
    show_lines(scene, "pace", "Votes a minute", sentences.pace(scene, series, over), ended, rates)
    if any(values[-1] for values in counted):
        show_moment(scene, series, over)


def steps_over(series: Series, moment: datetime) -> int:
    """How many of its steps had ended then. While people vote, the last one runs."""
    return sum(end <= moment for end in series.ends)


def beginning(series: Series, steps: int) -> Series:
    return replace(series, ends=series.ends[:steps], votes={one: votes[:steps] for one, votes in series.votes.items()})


def nothing_yet(answer: Answer[Series]) -> str:
    why = "No minute of this election has been counted yet." if answer.value else why_missing(answer)
    return f'<h2 class="lt-section">Over time</h2><p class="lt-sentence">{why}</p>'


def standing(scene: Scene) -> str:
    more = f" The {LINES_MAX} with most votes are drawn." if len(scene.result.candidates) > LINES_MAX else ""
    return f"{sentences.who_leads(scene)}{more}"


def first(scene: Scene, _asked: Mapping[str, str]) -> str:
    if scene.hides_choices:
        return sections.sealed(scene)
    answer = scene.asking.series(scene.result.election_id)
    series = answer.value
    if series is None or not series.ends:
        return nothing_yet(answer)
    counted = [series.votes.get(one.candidate_id) or (0,) * len(series.ends) for one in scene.result.candidates]
    return f"{TITLE}{last_known(scene, answer)}{framed('cumulative', COUNTED, standing(scene), drawn_lines(scene, series, counted))}"


def show_lines(scene: Scene, key: str, title: str, sentence: str, series: Series, values: Sequence[Sequence[float]]) -> None:
    """`values`: for each candidate, most votes first, a number at each end of a step."""
    points = [Point(end, tuple(numbers[place] for numbers in values)) for place, end in reversed(list(enumerate(series.ends)))]
    st.html(framed(key, title, sentence, drawn_lines(scene, series, values)))
    names = [one.name for one in scene.result.candidates]
    behind(scene, key, title, _columns(scene, names, LINES_MAX), points, _columns(scene, names, len(names)))


def drawn_lines(scene: Scene, series: Series, values: Sequence[Sequence[float]]) -> str:
    colours = scene.colours
    # Before the first step nobody had a vote: so a line has a beginning, and an election of one minute has a line.
    moments = (series.ends[0] - series.step, *series.ends)
    lines = [
        Line(said(one.name), (0, *numbers), colours[one.candidate_id]) for one, numbers in zip(scene.result.candidates, values, strict=True)
    ]
    return line_chart(moments, lines, scene.moment.zone)


def show_moment(scene: Scene, series: Series, over: int) -> None:
    """The scrubber: candidates and places as they stood then."""
    st.html('<h2 class="lt-section">Set it back</h2>')
    moment = choose_moment(scene, series, over)
    then: Then | None = None
    if moment is not None:
        answer = scene.asking.at(scene.result.election_id, moment)
        then = answer.value
        if then is None:
            st.html(f'<p class="lt-sentence" data-testid="then">{why_missing(answer)}</p>')
            return
    result = then.result if then else scene.result
    ahead = scene.ahead_in(result.places, then.ahead if then else scene.asking.ahead(scene.result.election_id).value or {})
    when = f"At {scene.moment.clock(then.moment)}" if then else "Now"
    left, right = st.columns(2, gap="large")
    colours = {**candidate_colours(result), **scene.colours}
    with left:
        rows = [Bar(said(one.name), one.votes, colours[one.candidate_id]) for one in result.candidates]
        sentence = f"{when}: {_stood(scene, result, series, moment)}"
        drawn = bars(rows, result.total_votes)
        figure(scene, "then", "Candidates then", sentence, drawn, candidate_columns(result, colours), result.candidates)
    with right:
        drawn = tile_map(result.places, paints.by_leader(result.candidates, colours, ahead), "Who was ahead in each place")
        sentence = f"{when}: {sentences.counties(scene, result.places, ahead)} {'' if then else sentences.lately(scene.last_minute)}"
        figure(scene, "then-map", "Places then", sentence, drawn, map_columns(scene, result, ahead), result.places)


def choose_moment(scene: Scene, series: Series, over: int) -> datetime | None:
    """A moment that has been, or None for now. Neither one more step nor longer ones move what somebody chose."""
    named = {_name(end): end for end in series.ends[:over]}
    named = dict(sorted((_chosen_before(series, scene.moment.now) | named).items()))
    options = [*named, NOW]
    if st.session_state.get("moment") not in options:
        asked = address.asked(address.AT)
        st.session_state["moment"] = asked if asked in named else NOW
    if not named or len(named) == len(series.ends) == 1:  # nothing to choose: none is over, or all of it is of one minute
        return None

    def shown(option: str) -> str:
        return "Now" if option == NOW else scene.moment.clock(named[option])

    remember = address.keeper(address.AT, "moment", lambda option: "" if option == NOW else str(option))
    chosen = st.select_slider("The election as it stood at", options, key="moment", format_func=shown, on_change=remember)
    return named.get(str(chosen))


def _chosen_before(series: Series, now: datetime) -> dict[str, datetime]:
    """What somebody chose, or an address names: perhaps no step ends there any more, they grow longer with the election."""
    wanted = [_moment(str(text)) for text in (st.session_state.get("moment", ""), address.asked(address.AT))]
    begins = series.ends[0] - series.step
    return {_name(one): one for one in wanted if one is not None and begins < one <= now}


def _name(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):{MINUTE}}"


def _moment(text: str) -> datetime | None:
    """None unless it is written as a moment is named."""
    try:
        moment = datetime.strptime(text, MINUTE).replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if _name(moment) == text else None


def _stood(scene: Scene, result: Result, series: Series, moment: datetime | None) -> str:
    """`moment`: None for now."""
    if moment is None:
        return sentences.who_leads(scene)
    return f"{sentences.leader(result, is_closed=True)} {sentences.minute_before(scene, series, moment)}"


def _columns(scene: Scene, names: Sequence[str], columns_max: int) -> list[Column[Point]]:
    """The end of a step, then so many candidates, most votes first, and the others together: a table of all would be what a page mostly is."""
    zone, shown = scene.moment.zone, names[:columns_max]

    def column(name: str, votes: Callable[[Point], float], *, minor: bool) -> Column[Point]:
        return Column(name, votes, lambda row: number(round(votes(row))), minor=minor)

    def of(place: int) -> Callable[[Point], float]:
        return lambda row: row.votes[place]

    ends: Column[Point] = Column(
        "Until", lambda row: row.end.isoformat(), lambda row: f"{row.end.astimezone(zone):%-d %b %H:%M}", is_number=False
    )
    candidates = [column(name, of(place), minor=place >= COLUMNS_NARROW) for place, name in enumerate(shown)]
    rest = len(names) - len(shown)
    others = [column(plural(rest, "other"), lambda row: sum(row.votes[columns_max:]), minor=True)] if rest else []
    return [ends, *candidates, *others]
