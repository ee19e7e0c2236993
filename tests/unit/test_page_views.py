"""What each of the pages shows: places, people, the past, and why one may believe it."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from livetally.core.ballots import Reason
from livetally.show import reasons
from livetally.show.charts import BARS_MAX, turnout_bars
from livetally.show.past import Ahead, Answer, Series, Then
from livetally.show.result import Changes, Group
from livetally.show.trust import Agreement, AlertSeen, Health, Journey, Trust, Waiting
from pages import NOW, Told, election, marked, markup, page, result, snapshot, text, valued

PLACES = (Group("Kent", 300, 900), Group("Fife", 150, 400), Group("Atlantis", 50, 60))
CITIES = (Group("Dover", 200, 500, within="Kent"), Group("Ashford", 100, 400, within="Kent"), Group("Leven", 150, 400, within="Fife"))
ELECTION = result({"Ada": 300, "Bo": 200}, places=PLACES, cities=CITIES)
AHEAD = {"Kent": Ahead(("c1",), 200, 100), "Fife": Ahead(("c0",), 150, 150), "Atlantis": Ahead(("c0", "c1"), 25)}
ENDS = tuple(NOW - timedelta(minutes=3 - number) for number in range(3))
SERIES = Series(ENDS, {"c0": (10, 100, 300), "c1": (50, 150, 200)})


def test_the_map_can_be_coloured_in_three_ways() -> None:
    lately = {"e": Changes(NOW - timedelta(seconds=60), NOW, 9, places=(("Kent", 9),))}
    shown, told = snapshot(ELECTION, last_minute=lately), Told(leaders=AHEAD)
    test = page(shown, "Places", told)
    assert "Kent: Bo is 100 votes ahead" in text(markup(test))
    assert "Bo1 place" in text(markup(test)).replace(" 1", "1")
    turnout = page(shown, "Places", told, colour="Turnout")
    assert "Kent: turnout 33.3 %" in text(markup(turnout))
    recent = page(shown, "Places", told, colour="Last minute")
    assert "Kent: 9 votes in the last minute" in text(markup(recent))


def test_one_county_and_one_city_by_themselves() -> None:
    own = result({"Ada": 100, "Bo": 200}, places=(Group("Kent", 300, 900),))
    dover = result({"Ada": 150, "Bo": 50})
    told = Told(leaders=AHEAD, own={("Kent", ""): own, ("Kent", "Dover"): dover})
    test = page(snapshot(ELECTION), "Places", told)
    assert marked(test, "own-place") == []
    test.selectbox(key="county").select("Kent").run()
    assert marked(test, "own-place") == ["Kent"]
    assert "Bo leads, with 66.7% of 300 votes, 100 ahead of Ada." in text(markup(test))
    assert test.selectbox(key="city").options == ["All of them", "Ashford", "Dover"]
    test.selectbox(key="city").select("Dover").run()
    assert marked(test, "own-place") == ["Dover, Kent"]
    assert "Ada leads, with 75.0% of 200 votes, 100 ahead of Bo." in text(markup(test))


def test_an_address_shows_one_county() -> None:
    told = Told(leaders=AHEAD, own={("Fife", ""): result({"Ada": 150, "Bo": 0})})
    assert marked(page(snapshot(ELECTION), "Places", told, county="Fife"), "own-place") == ["Fife"]
    assert marked(page(snapshot(ELECTION), "Places", told, county="No such place"), "own-place") == []


def test_a_place_that_nobody_has_asked_for_yet() -> None:
    test = page(snapshot(ELECTION), "Places", county="Kent")
    assert "the next refresh has it" in markup(test)
    assert valued(test, "total-votes") == ["500"]


def test_a_place_is_found_by_its_name() -> None:
    many = (*(Group(f"Place {number:02}", 1, 2) for number in range(30)), Group("Kent", 5, 9))
    test = page(snapshot(result({"Ada": 35}, places=many)), "Places")
    test.text_input(key="find-counties").input("kEN").run()
    table = next(one.proto.body for one in test.get("html") if "1 county found" in one.proto.body)
    assert "Kent" in table
    assert "Place" not in table
    test.text_input(key="find-counties").input("nowhere").run()
    assert "No county has such a name" in markup(test)


def test_people() -> None:
    shown = replace(
        ELECTION,
        ages=(Group("18-24", 100, 400), Group("65+", 400, 500)),
        genders=(Group("female", 260, 500), Group("male", 240, 500)),
        parties=(Group("Ada party", 300), Group("Bo party", 200)),
    )
    drawn = markup(page(snapshot(shown), "People"))
    slices = re.findall(r'class="lt-slice-label"[^>]*>(.*?)</span>', drawn)
    assert slices == [f"<bdi>{letters}</bdi> {share}%" for letters, share in (("F", 52), ("M", 48), ("AP", 60), ("BP", 40))]
    said = text(drawn)
    assert "The largest groups: 65+ (80.0% of all votes) and female (52.0% of all votes)." in said
    assert "Turnout is highest among 65+ with 80.0%, lowest among 18-24 with 25.0%." in said
    assert "100 of 400" in said


def test_over_time() -> None:
    test = page(snapshot(ELECTION), "Over time", Told(Answer(SERIES, NOW), leaders=AHEAD))
    said = text(markup(test))
    assert "had most votes so far: 250 votes" in said
    assert [one.label for one in test.expander][:2] == ["Numbers: Votes counted, over time", "Numbers: Votes a minute"]


def test_the_election_is_set_back_to_a_moment() -> None:
    before = result({"Ada": 100, "Bo": 150}, places=(Group("Kent", 250),))
    told = Told(Answer(SERIES, NOW), {ENDS[1]: Then(ENDS[1], before, {"Kent": Ahead(("c1",), 150, 50)})}, AHEAD)
    test = page(snapshot(ELECTION), "Over time", told)
    test.select_slider(key="moment").set_value("2026-05-04T20:58").run()
    assert test.query_params["at"] == "2026-05-04T20:58"
    assert "At 20:58:10: Bo has most votes, with 60.0% of 250 votes, 50 ahead of Ada." in text(markup(test))
    assert "Kent: Bo is 50 votes ahead, 250 votes" in text(markup(test))
    shared = page(snapshot(ELECTION), "Over time", told, at="2026-05-04T20:58")
    assert "At 20:58:10" in text(markup(shared))


MINUTE = NOW.replace(second=0)  # it is ten seconds later
RUNNING = Series(tuple(MINUTE + timedelta(minutes=number) for number in range(-1, 2)), {"c0": (100, 250, 290), "c1": (0, 200, 210)})


@pytest.mark.parametrize("status", ["open", "closed"])
def test_the_minute_that_runs_is_no_pace_and_no_moment_to_set_it_back_to(status: str) -> None:
    test = page(snapshot(ELECTION, elections=(election(status=status),)), "Over time", Told(Answer(RUNNING, NOW), leaders=AHEAD))
    said = "The minute that ended at 21:00:00 had most votes so far: 350 votes. 50 votes have come since 21:00:00."
    assert said in text(markup(test))
    assert rows_behind(test, "Votes a minute") == ["4 May 21:00", "4 May 20:59"]
    assert rows_behind(test, "Votes counted, over time") == ["4 May 21:01", "4 May 21:00", "4 May 20:59"]
    assert test.select_slider(key="moment").options == ["20:59:00", "21:00:00", "Now"]


def rows_behind(test: AppTest, title: str) -> list[str]:
    table = next(one.proto.body for one in test.get("html") if f"<caption>{title}" in one.proto.body)
    return re.findall(r'<tr><td class="lt-words">(.*?)<', table)


def test_a_minute_that_ran_when_postgresql_was_asked_last_is_not_over() -> None:
    last = Series(RUNNING.ends[:2], {"c0": (100, 250), "c1": (0, 200)})
    test = page(snapshot(ELECTION), "Over time", Told(Answer(last, MINUTE - timedelta(seconds=20), "Connection refused")))
    assert "350 votes have come since 20:59:00, more than in any minute before." in text(markup(test))
    assert test.select_slider(key="moment").options == ["20:59:00", "Now"]


def test_in_its_first_minute_an_election_cannot_be_set_back() -> None:
    first = Series((MINUTE + timedelta(minutes=1),), {"c0": (290,), "c1": (210,)})
    test = page(snapshot(ELECTION), "Over time", Told(Answer(first, NOW)))
    assert "No minute is over yet. 500 votes have come since 21:00:00." in text(markup(test))
    assert "moment" not in {one.key for one in test.select_slider}


def every(minutes: int) -> Series:
    """Six minutes until 21:00 in such steps."""
    ends = tuple(MINUTE - timedelta(minutes=one) for one in reversed(range(0, 6, minutes)))
    return Series(ends, {"c0": (100,) * len(ends), "c1": (150,) * len(ends)}, timedelta(minutes=minutes))


AT = "2026-05-04T20:57"
BETWEEN = {MINUTE - timedelta(minutes=3): Then(MINUTE - timedelta(minutes=3), result({"Ada": 100, "Bo": 150}), {})}


def test_what_somebody_chose_stays_when_steps_grow_longer() -> None:
    box: dict[str, Any] = {"snapshot": snapshot(ELECTION), "asking": Told(Answer(every(1), NOW), BETWEEN)}
    test = page(box, "Over time", box["asking"])
    test.select_slider(key="moment").set_value(AT).run()
    box["asking"] = Told(Answer(every(2), NOW), BETWEEN)
    test.run()
    assert test.select_slider(key="moment").options == ["20:56:00", "20:57:00", "20:58:00", "21:00:00", "Now"]
    assert "At 20:57:00: Bo has most votes, with 60.0% of 250 votes, 50 ahead of Ada." in text(markup(test))
    assert test.query_params["at"] == AT
    shared = page(snapshot(ELECTION), "Over time", box["asking"], at=AT)
    assert "At 20:57:00: Bo has most votes" in text(markup(shared))


@pytest.mark.parametrize("at", ["2026-05-04T20:54", "2026-05-04T21:01", "2026-5-4T20:57", "2026-05-04T20:57:00", "yesterday"])
def test_what_is_outside_or_cannot_be_read_is_now(at: str) -> None:
    test = page(snapshot(ELECTION), "Over time", Told(Answer(every(2), NOW), BETWEEN), at=at)
    assert test.select_slider(key="moment").options == ["20:56:00", "20:58:00", "21:00:00", "Now"]
    assert "Now: Ada leads" in text(markup(test))


def test_nobody_knows_the_past_without_postgresql() -> None:
    test = page(snapshot(ELECTION), "Over time", Told(Answer(trouble="Connection refused")))
    assert "Connection refused" in markup(test)
    assert valued(test, "total-votes") == ["500"]


def test_trust() -> None:
    burst = AlertSeen("burst", "Kent", "Kent", "", "raised", "critical", 90, 9, NOW - timedelta(minutes=3), NOW, "Kent: 90 votes.")
    jump = AlertSeen("share-jump", "Fife, c1", "Fife", "c1", "cleared", "notice", 9, 3, NOW, NOW, "Fife: 9 votes for c1. Over.")
    trust = Trust(
        {"e": (burst, jump), "another": (burst,)},
        {"e": (("already_voted_other", 12),), "": (("malformed", 3),), "another": (("already_voted_other", 99),)},
        (Waiting("record", "ballots", 40), Waiting("tally", "votes", 7)),
        Journey(NOW, 0.2, 0.5, 0.1),
        1.25,
        (Health("Kafka", True, NOW), Health("tally (Spark)", False, NOW - timedelta(minutes=5), "no heartbeat")),
        unreadable_votes=2,
    )
    agreement = Agreement("amber", 500, 500, 500, behind=7, checked_at=NOW)
    test = page(snapshot(ELECTION, trust=trust, agreement=agreement), "Trust")
    said = text(markup(test))
    assert [len(marked(test, "alert")), "1 alert is raised, 1 is over." in said] == [2, True]
    assert "Fife · Bo" in said
    most = "This person had voted already, for another candidate; the first vote counts"
    assert f"15 ballots do not count; most often: {most} (12)." in said
    assert "<code><bdi>already_voted_other</bdi></code>" in markup(test)  # in the table behind it, as it is written in every file
    assert "Nobody can read it as a ballot (names no election)" in said
    assert "40 ballots before record and 7 votes before tally." in said
    assert "tallied0.5" in said
    assert "The newest vote was here 0.8 s after it was cast; 95 of 100 took at most 1.2 s lately." in said
    assert valued(test, "service", "up") == ["1", "0"]
    assert "tally (Spark) does not answer." in said
    assert [valued(test, name) for name in ("ledger", "topic", "tally", "behind")] == [["500"], ["500"], ["500"], ["7"]]
    assert valued(test, "unreadable-votes") == ["2"]
    assert "2 votes on the topic could not be read or are for nobody who stands." in said


def test_the_most_frequent_reason_is_named_wherever_it_stands() -> None:
    trust = Trust({}, {"e": (("not_open", 12),), "": (("malformed", 3_000), ("unknown_voter", 5))})
    drawn = markup(page(snapshot(ELECTION, trust=trust), "Trust"))
    said = text(drawn)
    assert "3,017 ballots do not count; most often: Nobody can read it as a ballot (names no election) (3,000)." in said
    figure = drawn.split("figure-rejected")[1].split("</section>")[0]
    assert re.findall(r'data-votes="(\d+)"', figure) == ["3000", "12", "5"]


def test_every_reason_has_words() -> None:
    assert set(reasons.WORDS) == set(Reason)


def test_trust_when_nobody_has_asked_yet() -> None:
    said = text(markup(page(snapshot(ELECTION), "Trust")))
    for sentence in (
        "Nobody has compared them yet.",
        "Nothing has looked unusual so far.",
        "Every ballot so far counts.",
        "Nobody has asked them yet.",
    ):
        assert sentence in said


def test_groups_without_a_bar_are_said_to_be_in_the_table() -> None:
    groups = [Group(f"Group {number}", 1, 2) for number in range(BARS_MAX + 2)]
    assert text(turnout_bars(groups)).endswith("and 2 others, in the table below")
    assert "in the table below" not in turnout_bars(groups[:BARS_MAX])
