"""The page People: who voted, by age, gender and party, and how many of each group have."""

from collections.abc import Mapping, Sequence

import streamlit as st

from livetally.core.tally import UNKNOWN
from livetally.show import sentences
from livetally.show.charts import Bar, bars, label_of, party_colours, pie, turnout_bars
from livetally.show.controls import figure, framed
from livetally.show.paints import letters
from livetally.show.result import Group, Result
from livetally.show.scene import Scene
from livetally.show.sheet import group_columns
from livetally.show.words import percent

# Groups of people have no party: calm hues, and more only if somebody registers more groups.
_GENDER_COLOURS = ("var(--lt-hue-1)", "var(--lt-hue-2)", "var(--lt-hue-3)", "var(--lt-hue-4)")
_UNKNOWN_COLOUR = "var(--lt-faint)"


def draw(scene: Scene) -> None:
    result = scene.result
    st.html(head(result))
    ages, genders = group_columns(result, "Age"), group_columns(result, "Gender")
    left, right = st.columns(2, gap="large")
    with left:
        figure(scene, "ages", "Votes by age", age_sentence(scene), _age_bars(result), ages, result.ages)
    with right:
        figure(scene, "genders", "Votes by gender", gender_sentence(scene), _gender_pie(result), genders, result.genders)
    st.html('<h2 class="lt-section">Turnout</h2>')
    left, right = st.columns(2, gap="large")
    with left:
        said = f"{sentences.turnout(result.ages, 'age group', 'among')} {ages_lately(scene)}"
        figure(scene, "turnout-ages", "Turnout by age", said, turnout_bars(result.ages), ages, result.ages)
    with right:
        said = f"{sentences.turnout(result.genders, 'gender', 'among')} {genders_lately(scene)}"
        figure(scene, "turnout-genders", "Turnout by gender", said, turnout_bars(result.genders), genders, result.genders)
    if result.has_parties and result.parties:
        st.html('<h2 class="lt-section">Parties</h2>')
        show_parties(scene)


def head(result: Result) -> str:
    said = (
        f'<p class="lt-sentence" data-testid="sentence">{sentences.people(result)}</p>'
        if result.total_votes
        else '<p class="lt-sentence">Nobody yet.</p>'
    )
    return f'<h2 class="lt-section">Who has voted</h2>{said}'


def first(scene: Scene, _asked: Mapping[str, str]) -> str:
    result = scene.result
    ages = framed("ages", "Votes by age", age_sentence(scene), _age_bars(result))
    genders = framed("genders", "Votes by gender", gender_sentence(scene), _gender_pie(result))
    return f'{head(result)}<div class="lt-columns lt-columns-two">{ages}{genders}</div>'


def age_sentence(scene: Scene) -> str:
    return f"{_most(scene.result.ages, 'age')} {ages_lately(scene)}"


def gender_sentence(scene: Scene) -> str:
    return f"{_most(scene.result.genders, 'gender')} {genders_lately(scene)}"


def ages_lately(scene: Scene) -> str:
    return sentences.lately(scene.last_minute, scene.last_minute.ages if scene.last_minute else ())


def genders_lately(scene: Scene) -> str:
    return sentences.lately(scene.last_minute, scene.last_minute.genders if scene.last_minute else ())


def show_parties(scene: Scene) -> None:
    result, colours = scene.result, party_colours(scene.result)
    signs = _letters(result.parties)
    rows = [Bar(label_of(one.name), one.votes, colours[one.name], sign=signs[one.name]) for one in result.parties]
    left, right = st.columns(2, gap="large")
    columns, lately = group_columns(result, "Party"), sentences.party_minute(scene)
    with left:
        said, drawn = f"{sentences.parties(result)} {lately}", bars(rows, result.total_votes)
        figure(scene, "parties", "Votes per party", said, drawn, columns, result.parties)
    with right:
        said, drawn = f"{_most(result.parties, 'party')} {lately}", pie(rows, result.total_votes)
        figure(scene, "party-shares", "Share of each party", said, drawn, columns, result.parties)


def _age_bars(result: Result) -> str:
    return bars([Bar(label_of(one.name), one.votes, _age_colour(one)) for one in result.ages], result.total_votes)


def _gender_pie(result: Result) -> str:
    signs = _letters(result.genders)
    slices = [
        Bar(label_of(one.name), one.votes, colour, sign=signs[one.name])
        for one, colour in zip(result.genders, _gender_colours(result), strict=True)
    ]
    return pie(slices, sum(one.votes for one in result.genders))


def _letters(groups: Sequence[Group]) -> dict[str, str]:
    """What a slice shows of its group beside the colour."""
    return letters({one.name: one.name for one in groups})


def _most(groups: tuple[Group, ...], what: str) -> str:
    """Which group is largest, and how much of all it is."""
    counted = [one for one in groups if one.votes]
    if not counted:
        return "No vote yet."
    first = max(counted, key=lambda one: one.votes)
    total = sum(one.votes for one in counted)
    return f"The largest group by {what} is {label_of(first.name)}, with {percent(first.votes / total)} of these votes."


def _age_colour(group: Group) -> str:
    return _UNKNOWN_COLOUR if group.name == UNKNOWN else "var(--lt-hue-1)"


def _gender_colours(result: Result) -> list[str]:
    return [
        _UNKNOWN_COLOUR if one.name == UNKNOWN else _GENDER_COLOURS[place % len(_GENDER_COLOURS)]
        for place, one in enumerate(result.genders)
    ]
