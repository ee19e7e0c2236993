"""What charts say in words: the same as they draw, and true in every case."""

from datetime import UTC, timedelta
from typing import Any

from livetally.show import sentences
from livetally.show.past import Ahead, Series
from livetally.show.result import Change, Changes, Group, Result
from livetally.show.scene import Moment, Scene
from pages import NOW, Told, election, result, snapshot, text


def scene(shown: Result, lately: Changes | None = None) -> Scene:
    drawn = snapshot(shown, last_minute={"e": lately} if lately else {})
    return Scene(drawn, Told(), Moment(NOW, UTC), election(), shown)


def lately(votes: int, *candidates: Change, seconds: int = 60, **more: Any) -> Changes:
    return Changes(NOW - timedelta(seconds=seconds), NOW, votes, candidates, **more)


def test_who_leads() -> None:
    said = text(sentences.who_leads(scene(result({"Ada": 300, "Bo": 200}), lately(10, Change("c0", 7, -0.004, 1, 1)))))
    assert said == (
        "Ada leads, with 60.0% of 500 votes, 100 ahead of Bo. "
        "10 votes came in the last minute, 7 of them for Ada, whose share fell by 0.4 points."
    )


def test_who_leads_in_other_cases() -> None:
    assert "share the first place with 70 votes each" in sentences.leader(result({"Ada": 70, "Bo": 70}))
    assert text(sentences.leader(result({"Ada": 70}))) == "Ada is the only candidate and has 70 votes."
    assert sentences.leader(result({"Ada": 0, "Bo": 0})) == "2 candidates stand. None has a vote yet."
    assert "has most votes" in sentences.leader(result({"Ada": 70, "Bo": 2}), is_closed=True)


def test_the_last_minute() -> None:
    shown = result({"Ada": 300, "Bo": 200})
    assert sentences.last_minute(scene(shown)) == ""
    assert sentences.last_minute(scene(shown, lately(0))) == "No vote has come in the last minute."
    assert "in the last 12 s" in sentences.last_minute(scene(shown, lately(3, Change("c0", 3, 0.0, 1, 1), seconds=12)))
    assert "stayed as it was" in sentences.last_minute(scene(shown, lately(3, Change("c0", 3, 0.0, 1, 1))))


def test_a_recount_is_no_voting() -> None:
    assert sentences.last_minute(scene(result({"Ada": 300}), lately(300, is_recount=True))) == ""


def test_points_never_sign_nothing() -> None:
    assert [sentences.points(share) for share in (0.0123, -0.5, 0.0001, -0.0001)] == ["+1.2", "−50.0", "0.0", "0.0"]


def test_parties() -> None:
    some = Result("e", 10, parties=(Group("Tide", 6), Group("Hedge", 4)))
    assert text(sentences.parties(some)) == "Tide has 60.0% of all votes, 2 more than Hedge."
    level = Result("e", 10, parties=(Group("Tide", 5), Group("Hedge", 5)))
    assert text(sentences.parties(level)) == "Tide and Hedge have 5 votes each."


def test_counties() -> None:
    shown = result({"Ada": 300, "Bo": 200}, places=(Group("Kent", 9), Group("Fife", 8), Group("Devon", 2)))
    ahead = {"Kent": Ahead(("c0",), 5, 1), "Fife": Ahead(("c0", "c1"), 4), "Devon": Ahead(("c1",), 2, 2)}
    assert text(sentences.counties(scene(shown), ahead)) == "Of 3 places, Ada is ahead in 1, Bo in 1; 1 is tied."
    assert "is being asked" in sentences.counties(scene(shown), {})
    assert sentences.counties(scene(shown), {"Fife": Ahead(("c0", "c1"), 4)}) == "1 place is tied; nobody is ahead in any."


def test_turnout() -> None:
    groups = (Group("Kent", 5, 10), Group("Fife", 9, 10), Group("unknown", 1, 1), Group("Mars", 1))
    assert text(sentences.turnout(groups, "place")) == "Turnout is highest in Fife with 90.0%, lowest in Kent with 50.0%."
    assert "not known yet" in sentences.turnout((Group("Mars", 1),), "place")
    assert sentences.turnout((Group("Kent", 5, 10),), "place") == "Turnout is 50.0% in every place."


def test_where_votes_come_from() -> None:
    assert "most from" in sentences.where_from(lately(9, places=(("Kent", 8), ("Fife", 1))))
    assert sentences.where_from(lately(0)) == "No vote has come from anywhere in the last minute."
    assert "will be known" in sentences.where_from(None)


def test_pace() -> None:
    series = Series(tuple(NOW + timedelta(minutes=number) for number in range(3)), {"c0": (5, 25, 30), "c1": (1, 2, 3)})
    assert (
        sentences.pace(scene(result({"Ada": 30, "Bo": 3})), series)
        == "The minute that ended at 21:01 had most votes: 21 votes. The newest has 6 votes."
    )
    rising = Series(series.ends[:2], {"c0": (5, 25)})
    assert sentences.pace(scene(result({"Ada": 30})), rising) == "The minute that ended at 21:01 had most votes so far: 20 votes."
