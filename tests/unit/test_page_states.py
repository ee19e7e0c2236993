"""Every page in every state: what it says of it in its own part, and what belongs to each of its charts."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from livetally.show import controls
from livetally.show.changes import look, since
from livetally.show.controls import ROWS_BEHIND_MAX
from livetally.show.lines import LINES_MAX
from livetally.show.past import Ahead, Answer, Series, Then
from livetally.show.result import Change, Changes, Group, Result, Service, Snapshot, Trouble
from livetally.show.scene import Scene
from livetally.show.sheet import Column
from livetally.show.trust import Agreement, Health, Journey, Trust, Waiting
from pages import ENDS, NOW, TITLES, Told, election, marked, markup, page, result, snapshot, text, told_of, valued, whole

MANY = {"Ada": 250, "Bo": 200, "Cy": 50}
AT = {"county": "Kent", "at": f"{ENDS[1]:%Y-%m-%dT%H:%M}"}  # of the pages that know them


def trust(*away: Service) -> Trust:
    rejected = {"e": (("not_open", 12),)}
    health = tuple(Health(name, name not in away, NOW - timedelta(minutes=5)) for name in ("Kafka", "PostgreSQL", "record", "tally"))
    return Trust({}, rejected, (Waiting("record", "ballots", 4), Waiting("tally", "votes", 7)), Journey(NOW, 0.2, 0.5, 0.1), 1.25, health)


def drawn(shown: Result, *away: Service, **more: Any) -> Snapshot:
    agreed = Agreement("green", shown.total_votes, shown.total_votes, shown.total_votes, checked_at=NOW)
    troubles = tuple(Trouble(service, NOW - timedelta(minutes=5), "gone") for service in away)
    return snapshot(shown, trust=trust(*away), agreement=agreed, troubles=troubles, **more)


CLOSED = {"elections": (election(status="closed"),)}
STATES: dict[str, tuple[Result, tuple[Service, ...], dict[str, Any]]] = {
    "many votes": (whole(MANY), (), {}),
    "nothing counted": (whole({"Ada": 0, "Bo": 0}), (), {}),
    "nobody stands": (result({}), (), {}),
    "one candidate": (whole({"Ada": 40}), (), {}),
    "a tie": (whole({"Ada": 30, "Bo": 30}), (), {}),
    "few votes": (whole({"Ada": 4, "Bo": 2}), (), {}),
    "closed": (whole({"Ada": 4, "Bo": 2}), (), CLOSED),
    "Kafka away": (whole(MANY), ("Kafka",), {}),
    "PostgreSQL away": (whole(MANY), ("PostgreSQL",), {}),
    "Spark away": (whole(MANY), ("Spark",), {}),
}
WAITS = {
    "nothing counted": "Everything is ready for the first vote.",
    "nobody stands": "Nobody stands for this election yet",
}
HALF = "At 20:59:00: Ada has most votes, with 50.0% of 250 votes, 25 ahead of Bo. 126 votes had come in the 60 s before"
SAYS: dict[str, dict[str, str]] = {
    "Results": WAITS
    | {
        "many votes": "Ada leads, with 50.0% of 500 votes, 50 ahead of Bo.",
        "one candidate": "Ada is the only candidate and has 40 votes.",
        "a tie": "2 candidates share the first place with 30 votes each.",
        "few votes": "Nobody leads yet: 6 votes have been counted, too few to say.",
        "closed": "Ada has most votes, with 66.7% of 6 votes, 2 ahead of Bo.",
    },
    "Places": WAITS
    | {
        "many votes": "Of 2 places, Ada is ahead in 1, Cy in 1.",
        "one candidate": "Of 2 places, Ada is ahead in 2.",
        "a tie": "2 places are tied; nobody is ahead in any.",
        "few votes": "Of 2 places, in 2 there are too few votes to say.",
        "closed": "Of 2 places, Ada is ahead in 1, Bo in 1.",
    },
    "People": WAITS
    | {
        "many votes": "The largest groups: 18-24 (50.0% of all votes) and female (50.0% of all votes).",
        "one candidate": "20 of 900",
        "a tie": "Turnout is 3.3% in every age group.",
        "few votes": "Turnout is 0.3% in every gender.",
        "closed": "3 of 900",
    },
    "Over time": WAITS
    | {
        "many votes": HALF,
        "one candidate": "At 20:59:00: Ada is the only candidate and has 20 votes.",
        "a tie": "At 20:59:00: 2 places are tied; nobody is ahead in any.",
        "few votes": "At 20:59:00: Of 2 places, in 2 there are too few votes to say.",
        "closed": "At 20:59:00: Of 2 places, Ada is ahead in 1, Bo in 1.",
    },
    "Trust": {
        "many votes": "All three hold the same 500 votes, and none is on its way.",
        "nothing counted": "All three hold the same 0 votes",
        "nobody stands": "All three hold the same 0 votes",
        "one candidate": "4 ballots before record and 7 votes before tally.",
        "a tie": "12 ballots do not count; most often: It was cast before the election opened, or after it had closed (12).",
        "few votes": "The newest vote was here 0.8 s after it was cast",
        "closed": "All who are needed are there.",
        "Kafka away": "Kafka does not answer.",
        "PostgreSQL away": "PostgreSQL does not answer.",
    },
}


@pytest.mark.parametrize("title", TITLES)
def test_every_page_in_every_state(title: str) -> None:
    """Each says something of its own about it; with a service away it stays as it was, and says which and since when."""
    box: dict[str, Any] = {"asking": Told()}
    test: AppTest | None = None
    for state, (shown, away, more) in STATES.items():
        box |= {"snapshot": drawn(shown, *away, **more), "asking": told_of(shown)}
        test = page(box, title, box["asking"], AT) if test is None else test.run()
        assert not test.exception, (state, test.exception)
        assert valued(test, "total-votes") == [str(shown.total_votes)], state
        assert SAYS[title].get(state, SAYS[title]["many votes"]) in text(markup(test)), state
        assert [notice.split(" (")[0] for notice in marked(test, "notice")] == [f"{one} has not answered since 20:55:10" for one in away], (
            state
        )


@pytest.mark.parametrize("state", ["few votes", "closed"])
def test_one_vote_makes_nobody_lead_in_a_place_unless_it_is_over(state: str) -> None:
    shown, _, more = STATES[state]
    test = page(snapshot(shown, **more), "Places", told_of(shown), county="Kent")
    said = text(markup(test))
    assert ("Kent: Bo is 3 votes ahead" in said) == (state == "closed")
    assert ("Kent: too few votes to say who is ahead" in said) == (state == "few votes")
    assert ("Too few votes to say2 places" in said.replace(" 2", "2")) == (state == "few votes")  # in the legend
    assert ("Nobody leads yet: 6 votes have been counted" in said) == (state == "few votes")
    assert ("Ada has most votes" in said) == (state == "closed")


def test_a_county_and_its_cities_are_of_the_same_moment() -> None:
    """The board may be a batch ahead of the answer about one place; side by side both must add up to the same."""
    told = told_of(whole(MANY))
    kent = told.own["Kent", ""]
    one_less = tuple(replace(one, votes=max(one.votes - 1, 0)) for one in kent.cities)
    told.own = {("Kent", ""): replace(kent, cities=one_less)}
    test = page(drawn(whole(MANY)), "Places", told, county="Kent")
    assert "Most votes are from Dover: 249 of 249 (100.0%)." in text(markup(test))


LATELY = replace(
    since(look(whole({"Ada": 230, "Bo": 195, "Cy": 50}), NOW), whole(MANY), NOW, whole({"Ada": 230, "Bo": 195, "Cy": 50})),
    since=NOW - timedelta(seconds=60),
)
CAME = "25 votes came in the last minute"
FOR_FIRST = f"{CAME}, 20 of them for Ada, whose share rose by 1.6 points."
FIGURES = {
    "Results": {"parties": f"{CAME}, 20 of them for Tide, whose share rose by 1.1 points."},
    "Places": {
        "map": CAME,
        "recent": "25 votes came from 2 places in the last minute",
        "own": "12 votes came from here in the last minute.",
        "cities-of": "Most votes are from Dover: 250 of 250 (100.0%). 12 votes came from here in the last minute.",
    },
    "People": {
        "ages": f"{CAME}, most from 18-24 (13).",
        "genders": f"{CAME}, most from male (13).",
        "turnout-ages": f"{CAME}, most from 18-24 (13).",
        "turnout-genders": f"{CAME}, most from male (13).",
        "parties": "20 of them for Tide",
        "party-shares": "20 of them for Tide",
    },
    "Over time": {"cumulative": FOR_FIRST, "pace": "The minute that ended at 21:00", "then": FOR_FIRST, "then-map": f"Cy in 1. {CAME}"},
    "Trust": {
        "rejected": "12 ballots do not count",
        "journey": "The newest vote was here 0.8 s after it was cast",
        "lag": "4 ballots before record and 7 votes before tally.",
        "audit": "All three hold the same 500 votes",
    },
}


def marked_in(fragment: str, testid: str) -> str:
    found = re.search(rf'data-testid="{testid}"[^>]*>(.*?)</p>', fragment, re.DOTALL)
    return text(found.group(1)) if found else ""


@pytest.mark.parametrize("title", TITLES)
def test_each_chart_has_a_sentence_a_table_and_a_file(title: str) -> None:
    """The sentence says what has changed in the last minute, wherever that can be known."""
    test = page(drawn(whole(MANY), last_minute={"e": LATELY}), title, told_of(whole(MANY)), county="Kent")
    starts = re.split(r'data-testid="(?:figure-)?(?=[\w-]+"[^>]*>(?:<h3|<p))', markup(test))
    charts = {start.split('"')[0]: marked_in(start, "sentence") for start in starts}
    drawn_figures = set(re.findall(r'data-testid="figure-([\w-]+)"', markup(test))) | ({"audit"} & set(FIGURES[title]))
    assert drawn_figures == set(FIGURES[title])
    files = {one.proto.id.rsplit("-csv-", 1)[-1] for one in test.get("download_button")}
    tables = [one.label for one in test.expander if one.label.startswith("Numbers: ")]
    for key, says in FIGURES[title].items():
        assert says in charts[key], key
        assert key in files, key
    assert len(tables) == len(FIGURES[title])
    assert markup(test).count("<table") >= len(FIGURES[title])


def test_the_map_and_its_table_look_back_as_far_as_the_sentence_says() -> None:
    """A server that has just started, or a tally that was away, has not seen just one minute."""
    lately = replace(LATELY, since=NOW - timedelta(seconds=12))
    test = page(drawn(whole(MANY), last_minute={"e": lately}), "Places", told_of(whole(MANY)), colour="Last minute")
    said = text(markup(test))
    assert "25 votes came from 2 places in the last 12 s" in said
    assert "Kent: 12 votes in the last 12 s" in said
    assert "<bdi>In the last 12 s</bdi>" in markup(test)
    assert "in the last minute" not in said.lower()


def test_nobody_claims_to_know_the_last_minute_while_kafka_is_away() -> None:
    test = page(drawn(whole(MANY), "Kafka"), "Places", told_of(whole(MANY)), colour="Last minute")
    said = text(markup(test))
    assert marked(test, "last-minute") == ["–"]
    assert "Kent: nobody knows how many votes came just now" in said
    assert "In the last minute –" in said
    assert "Where votes come from will be known when new numbers have come in." in said


def test_the_file_over_time_has_every_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = result({f"{number} May": 200 - number for number in range(20)})
    taken: dict[str, list[str]] = {}

    def download(_scene: Scene, key: str, _title: str, columns: list[Column[Any]], _rows: Any) -> None:
        taken[key] = [column.title for column in columns]

    monkeypatch.setattr(controls, "download", download)
    page(snapshot(shown), "Over time", told_of(shown))
    assert taken["cumulative"] == taken["pace"] == ["Until", *(one.name for one in shown.candidates)]


@pytest.mark.parametrize("title", TITLES)
def test_five_thousand_places_and_two_hundred_candidates_without_parties(title: str) -> None:
    """What a browser is sent at every refresh does not grow with them, nor with the time that the election has lasted."""
    names = {f"{number} May": 200 - number for number in range(200)}
    places = tuple(Group(f"Place {number}", 4, 9) for number in range(5000))
    shown = result(names, parties=dict.fromkeys(names, ""), photo="", places=places, cities=places)
    ends = tuple(NOW - timedelta(minutes=180 - number) for number in range(180))
    series = Series(ends, {one.candidate_id: tuple(one.votes * number // 179 for number in range(180)) for one in shown.candidates})
    ahead = {one.name: Ahead((f"c{number % 200}",), 3, 2) for number, one in enumerate(places)}
    told = Told(Answer(series, NOW), {ends[-1]: Then(ends[-1], shown, ahead)}, ahead, {("Place 1", ""): shown})
    lately = Changes(NOW - timedelta(seconds=60), NOW, 20_000, (Change("c0", 9, 0.1, 1, 1),), tuple((one.name, 4) for one in places))
    test = page(snapshot(shown, last_minute={"e": lately}), title, told, county="Place 1")
    assert "no party known" not in markup(test)
    assert len(markup(test)) < 500_000
    if title == "Over time":
        heads = re.findall(r"<th[^>]*>(.*?)</th>", markup(test).split("<table", 2)[1])
        assert [text(one) for one in heads] == ["Until", *list(names)[:LINES_MAX], "192 others"]
        assert markup(test).split("<table", 2)[1].count("<tr>") == ROWS_BEHIND_MAX + 1
