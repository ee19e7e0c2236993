"""What each role sees of each election on each page: by policy, by status, and nothing else anywhere."""

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from livetally.core.access import PUBLIC, Person, Role
from livetally.core.elections import Election
from livetally.core.sight import Sight
from livetally.show.first_look import first_look
from livetally.show.live import PAGES, elections_of
from livetally.show.past import Ahead, Answer, Series, Then
from livetally.show.result import Change, Changes, Group, Snapshot
from livetally.show.scene import Moment
from livetally.show.seen_by import seen_by, sight_of
from livetally.show.sources import sources_for
from livetally.show.trust import Agreement, AlertSeen, Difference, Trust, Waiting
from pages import NOW, TITLES, Told, election, marked, markup, page, result, snapshot, text, valued

# Numbers that stand nowhere else: wherever one of them is found, a candidate's votes have been told.
ADA, BO = 7_919, 6_101
CHOICES = ("7,919", "6,101", "7919", "6101", "1,818", "56.5", "43.5", "4,177", "5,557")
TOTAL = ADA + BO
PLACES = (Group("Kent", 9_000, 20_000), Group("Fife", 5_020, 11_000))
RESULT = replace(
    result(
        {"Ada": ADA, "Bo": BO}, places=PLACES, cities=(Group("Dover", 9_000, 20_000, within="Kent"), Group("Deal", 0, 9, within="Kent"))
    ),
    parties=(Group("Ada party", ADA), Group("Bo party", BO)),
    ages=(Group("18-24", 14_020, 31_000),),
    genders=(Group("female", 14_020, 31_000),),
)
LATELY = Changes(NOW - timedelta(seconds=60), NOW, 99, (Change("c0", 4_177, 0.012, 1, 1),), (("Kent", 99),))
TOLD = Told(
    Answer(Series((NOW,), {"c0": (ADA,), "c1": (BO,)}), NOW),
    {NOW: Then(NOW, RESULT, {})},
    {"Kent": Ahead(("c0",), 4_177, 5_557)},
    {("Kent", ""): result({"Ada": 4_177, "Bo": 5_557})},
)
ABOUT_ADA = AlertSeen("share-jump", "Kent, Ada", "Kent", "c0", "raised", "warning", 4_177, 1, NOW, NOW, "Ada has 4,177 votes here.")
ABOUT_KENT = AlertSeen("burst", "Kent", "Kent", "", "raised", "warning", 88, 1, NOW, NOW, "88 votes came in a minute.")
DIFFERS = Difference("topic", "tally", "candidate c0: the votes topic has 7,919 votes, the tally has 4,177", "e")
ROLES = {role.name: Person(role.name, role) for role in Role} | {"OFFICIAL elsewhere": Person("x", Role.OFFICIAL, frozenset({"f"}))}
POLICIES = ("live", "turnout", "officials")
LATER: dict[str, Any] = {"closes_at": NOW - timedelta(hours=1)}


def shown(one: Election, **more: Any) -> Snapshot:
    trust = Trust({"e": (ABOUT_ADA, ABOUT_KENT)}, {"e": (("already_voted_same", 31),)}, (Waiting("tally", "votes", 3),), unreadable_votes=1)
    fields: dict[str, Any] = {"last_minute": {"e": LATELY}, "trust": trust} | more
    return snapshot(RESULT, elections=(one,), **fields)


def whole_page(one: Election, person: Person, title: str, **address: str) -> str:
    test = page({"snapshot": shown(one), "person": person}, title, TOLD, address)
    widgets = [option for box in test.selectbox for option in box.options]
    return f"{markup(test)} {widgets}"


def tells_choices(drawn: str) -> list[str]:
    return [number for number in CHOICES if number in drawn]


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize("status", ["draft", "open", "closed", "certified"])
@pytest.mark.parametrize("visible", POLICIES)
@pytest.mark.parametrize("kind", ["real", "simulated"])
def test_the_snapshot_holds_no_more_than_may_be_seen(kind: str, visible: str, status: str, name: str) -> None:
    one = election(kind=kind, visible=visible, status=status, **(LATER if status in {"closed", "certified"} else {}))
    seen = seen_by(ROLES[name], shown(one, agreement=Agreement("red", 9, 8, 7, differences=(DIFFERS,))), NOW)
    sight = sight_of(ROLES[name], one, NOW)
    assert seen.results is not None
    assert seen.facts is not None
    assert ("e" in seen.results) == (sight is not Sight.NOTHING)
    if sight is not Sight.RESULT:
        assert tells_choices(repr(seen)) == []
    observes = kind == "simulated" or (name in {"OBSERVER", "OFFICIAL", "ADMIN"})
    assert bool(seen.trust.alerts) == bool(seen.trust.rejected) == observes
    assert bool(seen.trust.unreadable_votes) == (sight is not Sight.NOTHING or status == "draft")  # of all elections, and a draft has none
    assert bool(seen.agreement.differences) == (observes and sight is Sight.RESULT)
    assert bool(elections_of(seen)) == (kind == "simulated" or status != "draft" or name in {"OFFICIAL", "ADMIN"})


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("name", ["VIEWER", "OBSERVER", "OFFICIAL elsewhere"])
def test_while_only_turnout_is_shown_no_page_tells_a_choice(name: str, title: str) -> None:
    one = election(visible="turnout")
    for address in ({}, {"county": "Kent"}, {"view": "wall"}, {"colour": "Leader"}):
        drawn = whole_page(one, ROLES[name], title, **address)
        assert tells_choices(drawn) == []
        assert f'data-value="{TOTAL}"' in drawn
    test = page({"snapshot": shown(one), "person": ROLES[name]}, title, TOLD)
    assert valued(test, "total-votes") == [str(TOTAL)]
    if title in {"Results", "Over time"}:
        assert "how many have voted, and not for whom" in marked(test, "sealed")[0]
    assert marked(test, "leader-name") == []
    assert not [one for one in test.get("download_button") if "all" in one.proto.id]


@pytest.mark.parametrize("title", TITLES)
def test_what_is_the_officials_is_a_sentence_to_everybody_else(title: str) -> None:
    one = election(visible="officials", status="closed", **LATER)
    for address in ({}, {"county": "Kent"}, {"view": "wall"}):
        drawn = whole_page(one, PUBLIC, title, **address)
        assert "The result is not public yet" in drawn
        assert tells_choices(drawn) == []
        for number in ("14,020", "14020", "9,000", "total-votes", "agreement"):
            assert number not in drawn
    official = whole_page(one, ROLES["OFFICIAL"], title)
    assert f'data-value="{TOTAL}"' in official
    published = whole_page(replace(one, published_at=NOW), PUBLIC, title)
    assert f'data-value="{TOTAL}"' in published


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("visible", POLICIES)
def test_the_first_look_tells_no_more_than_the_page(visible: str, title: str) -> None:
    one = election(visible=visible)
    known = shown(one, agreement=Agreement("red", 9, 8, 7, differences=(DIFFERS,)))
    which = next(one for one in PAGES if one.title == title)
    for asked in ({}, {"county": "Kent"}, {"view": "wall"}, {"colour": "Leader"}):
        sources = sources_for(lambda: known, TOLD, lambda: NOW, lambda: PUBLIC)
        drawn = first_look(sources, which, Moment(NOW, UTC), asked)
        if visible != "live":
            assert tells_choices(drawn) == []
        elif title in {"Results", "Over time"} or "view" in asked:
            assert tells_choices(drawn) != []
        assert ("total-votes" in drawn) == (visible != "officials")


def test_when_it_has_closed_the_result_is_there() -> None:
    drawn = whole_page(election(visible="turnout", status="closed", **LATER), PUBLIC, "Results")
    assert "7,919" in drawn
    assert 'data-testid="sealed"' not in drawn


def test_trust_in_a_real_election_is_for_observers() -> None:
    real = election()
    public = page({"snapshot": shown(real), "person": PUBLIC}, "Trust")
    assert len(marked(public, "for-observers")) == 1
    assert marked(public, "alert") == []
    assert "already_voted_same" not in markup(public)
    observer = page({"snapshot": shown(real), "person": ROLES["OBSERVER"]}, "Trust")
    assert len(marked(observer, "alert")) == 2
    assert "already_voted_same" in markup(observer)
    rehearsal = page({"snapshot": shown(election(kind="simulated")), "person": PUBLIC}, "Trust")
    assert len(marked(rehearsal, "alert")) == 2


def test_that_they_differ_is_everybodys_and_where_is_the_observers() -> None:
    red = shown(election(), agreement=Agreement("red", 9, 8, 7, differences=(DIFFERS,)))
    (public,) = marked(page({"snapshot": red, "person": PUBLIC}), "notice")
    assert "Observers see where." in public
    assert "candidate c0" not in public
    (observer,) = marked(page({"snapshot": red, "person": ROLES["OBSERVER"]}), "notice")
    assert DIFFERS.place in observer


def test_numbers_over_all_elections_are_hidden_with_one_of_them() -> None:
    """Ledger, topic and tally are counted over all: beside an election that is nobody's business their sum would tell."""
    both = (election(kind="simulated"), election("f", "Board", visible="officials"))
    agreement = Agreement("amber", 14_321, 14_321, 14_321, behind=5)
    drawn = snapshot(RESULT, result({"Cy": 301}, "f"), elections=both, agreement=agreement)
    for title in TITLES:
        test = page({"snapshot": drawn, "person": PUBLIC}, title, election="e")
        assert marked(test, "agreement")[0] == "Agree; some votes behind"
        assert "14,321" not in markup(test)
        assert "14321" not in markup(test)


def test_a_draft_has_nothing_to_hide() -> None:
    both = (election(), election("f", "Board", status="draft"))
    agreement = Agreement("amber", 14_321, 14_321, 14_321, behind=5)
    seen = seen_by(PUBLIC, snapshot(RESULT, elections=both, agreement=agreement), NOW)
    assert (seen.agreement.ledger, seen.agreement.hides_counts) == (14_321, False)


def test_one_chooses_among_those_that_one_may_know_of() -> None:
    several = (
        election("d", "Draft", status="draft"),
        election("f", "June", visible="turnout"),
        election("e", "May", status="certified", **LATER),
    )
    drawn = snapshot(RESULT, result({"Cy": 301}, "f"), elections=several)
    public = page({"snapshot": drawn, "person": PUBLIC})
    assert public.sidebar.selectbox(key="chosen").options == ["June · Open", "May · Certified"]
    assert marked(public, "election") == ["June"]
    official = page({"snapshot": drawn, "person": ROLES["OFFICIAL"]})
    assert official.sidebar.selectbox(key="chosen").options == ["Draft · Not open yet", "June · Open", "May · Certified"]
    asked = page({"snapshot": drawn, "person": PUBLIC}, election="d")
    assert marked(asked, "election") == ["June"]
    assert "Draft" not in text(markup(asked))


def test_what_comes_into_sight_is_no_change_of_the_result() -> None:
    """An election closes while somebody looks: the result is new to them, and no candidate has just won thousands of votes."""
    box: dict[str, Any] = {"snapshot": shown(election(visible="turnout")), "now": NOW, "person": PUBLIC}
    test = page(box)
    box |= {"snapshot": shown(election(visible="turnout", status="closed", **LATER)), "now": NOW + timedelta(seconds=5)}
    test.run()
    assert "7,919" in markup(test)
    assert marked(test, "more") == marked(test, "rank-change") == []
