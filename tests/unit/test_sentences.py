"""What charts say in words: the same as they draw, and true in every case."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from livetally.show import sentences
from livetally.show.past import TOO_FEW, Ahead, Series
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


def test_the_last_minute_of_parties_groups_and_places() -> None:
    shown = replace(result({"Ada": 300, "Bo": 200}), parties=(Group("Ada party", 300), Group("Bo party", 200)))
    changes = lately(9, Change("c0", 7, 0.012, 1, 1), places=(("Kent", 8), ("Fife", 1)), ages=(("65+", 6), ("18-24", 3)))
    assert text(sentences.party_minute(scene(shown, changes))).endswith("7 of them for Ada party, whose share rose by 1.2 points.")
    assert sentences.party_minute(scene(shown)) == ""
    assert text(sentences.lately(changes, changes.ages)) == "9 votes came in the last minute, most from 65+ (6)."
    assert sentences.lately(lately(0)) == "No vote has come in the last minute."
    assert sentences.lately(None) == ""
    assert sentences.lately_there(changes, "Fife") == "1 vote came from here in the last minute."
    assert sentences.lately_there(changes, "Devon") == "No vote has come from here in the last minute."


def test_the_minute_before_a_moment() -> None:
    series = Series(tuple(NOW + timedelta(minutes=number) for number in range(3)), {"c0": (5, 25, 25), "c1": (1, 5, 5)})
    said = [text(sentences.minute_before(scene(result({"Ada": 30, "Bo": 3})), series, end)) for end in series.ends]
    assert said[:2] == [
        "6 votes had come in the 60 s before, most for Ada (5).",
        "24 votes had come in the 60 s before, most for Ada (20).",
    ]
    assert said[2] == "No vote had come in the 60 s before."


def test_where_most_votes_are_from() -> None:
    assert text(sentences.most_votes((Group("Deal", 1), Group("Dover", 3)), "city")) == "Most votes are from Dover: 3 of 4 (75.0%)."
    assert sentences.most_votes((), "city") == "No city has a vote yet."


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

    def said(ahead: Mapping[str, Ahead]) -> str:
        return text(sentences.counties(scene(shown), shown.places, ahead))

    assert said(ahead) == "Of 3 places, Ada is ahead in 1, Bo in 1; 1 is tied."
    assert said(ahead | {"Devon": TOO_FEW}) == "Of 3 places, Ada is ahead in 1; 1 is tied; in 1 there are too few votes to say."
    assert said(dict.fromkeys(ahead, TOO_FEW)) == "Of 3 places, in 3 there are too few votes to say."
    assert "is being asked" in said({})
    assert said({"Fife": Ahead(("c0", "c1"), 4)}) == "1 place is tied; nobody is ahead in any."
    assert "No place has a vote" in sentences.counties(scene(shown), (Group("Kent", 0),), ahead)


def test_with_few_votes_nobody_is_ahead_in_a_place_unless_it_is_over() -> None:
    places = (Group("Kent", 19, 100), Group("Fife", 20, 100), Group("Devon", 3, 6), Group("Rutland", 2), Group("Bute", 1, 100))
    shown = result({"Ada": 300, "Bo": 200}, places=places)
    ahead = {one.name: Ahead(("c0",), one.votes, 1) for one in places} | {"Bute": Ahead(("c0", "c1"), 1)}
    drawn = scene(shown)
    said = drawn.ahead_in(places, ahead)
    assert {name for name, here in said.items() if here.is_too_few} == {"Kent", "Rutland"}
    assert said["Bute"] == ahead["Bute"], "a tie is a tie"
    assert replace(drawn, election=election(status="closed")).ahead_in(places, ahead) == ahead
    assert scene(result({"Ada": 3})).ahead_in(places, ahead) == ahead, "there is nobody else"


def test_turnout() -> None:
    groups = (Group("Kent", 5, 10), Group("Fife", 9, 10), Group("unknown", 1, 1), Group("Mars", 1))
    assert text(sentences.turnout(groups, "place")) == "Turnout is highest in Fife with 90.0%, lowest in Kent with 50.0%."
    assert "not known yet" in sentences.turnout((Group("Mars", 1),), "place")
    assert sentences.turnout((Group("Kent", 5, 10),), "place") == "Turnout is 50.0% in every place."


def test_where_votes_come_from() -> None:
    assert "most from" in sentences.where_from(lately(9, places=(("Kent", 8), ("Fife", 1))))
    assert sentences.where_from(lately(0)) == "No vote has come from anywhere in the last minute."
    assert "will be known" in sentences.where_from(None)


def ends(*minutes: int) -> tuple[datetime, ...]:
    """Of steps, so many minutes after 21:00; it is 21:00:10."""
    return tuple(NOW.replace(second=0) + timedelta(minutes=one) for one in minutes)


def test_pace() -> None:
    drawn = scene(result({"Ada": 30, "Bo": 3}))
    series = Series(ends(-2, -1, 0), {"c0": (5, 25, 30), "c1": (1, 2, 3)})
    assert sentences.pace(drawn, series, 3) == "The minute that ended at 20:59:00 had most votes: 21 votes. The newest had 6 votes."
    rising = Series(ends(-2, -1), {"c0": (5, 25)})
    assert sentences.pace(drawn, rising, 2) == "The minute that ended at 20:59:00 had most votes so far: 20 votes."


def test_the_minute_that_runs_has_not_ended_and_is_not_the_newest() -> None:
    drawn = scene(result({"Ada": 30, "Bo": 3}))
    series = Series(ends(-1, 0, 1), {"c0": (5, 25, 30), "c1": (1, 2, 3)})
    said = sentences.pace(drawn, series, 2)
    assert said == "The minute that ended at 21:00:00 had most votes so far: 21 votes. 6 votes have come since 21:00:00."
    most = Series(series.ends, {"c0": (5, 25, 60)})
    assert sentences.pace(drawn, most, 2) == "35 votes have come since 21:00:00, more than in any minute before."
    first = Series(ends(1), {"c0": (1,)})
    assert sentences.pace(drawn, first, 0) == "No minute is over yet. 1 vote has come since 21:00:00."


def test_the_pace_of_longer_steps() -> None:
    drawn = scene(result({"Ada": 30}))
    series = Series(ends(-4, -2, 0, 2), {"c0": (40, 45, 50, 51)}, timedelta(minutes=2))
    assert sentences.pace(drawn, series, 3) == (
        "The 2 min that ended at 20:56:00 had most votes: 40 votes, 20.0 a minute. The newest had 5 votes, 2.5 a minute. "
        "1 vote has come since 21:00:00."
    )
    long_ago = Series(ends(-1440, -1380), {"c0": (30, 30)}, timedelta(hours=1))
    assert sentences.pace(drawn, long_ago, 2).startswith(
        "The 60 min that ended at 3 May 2026, 21:00:00 had most votes: 30 votes, 0.5 a minute."
    )


def test_nothing_is_said_of_the_step_before_a_moment_at_which_none_ended() -> None:
    drawn = scene(result({"Ada": 30}))
    minutes = Series(ends(-4, -2, 0), {"c0": (40, 45, 50)}, timedelta(minutes=2))
    assert sentences.minute_before(drawn, minutes, NOW.replace(second=0) - timedelta(minutes=1)) == ""
    hours = Series(ends(-120, -60, 0), {"c0": (40, 45, 50)}, timedelta(hours=1))
    said = sentences.minute_before(drawn, hours, NOW.replace(second=0) - timedelta(minutes=1))
    assert said == "Where only hours are kept, it is the last full hour before."
