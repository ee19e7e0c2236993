"""What every page says of an election, in every state that it can be in."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from livetally.show import dashboard
from livetally.show.charts import candidate_colours
from livetally.show.live import REFRESH_S_MIN
from livetally.show.page import SCRIPT
from livetally.show.past import Ahead, Answer, Series, Then
from livetally.show.result import Change, Changes, Facts, Group, Service, Snapshot, Trouble, Unreadable
from livetally.show.sheet import arrange, group_columns
from livetally.show.trust import Agreement, AlertSeen, Badge, Difference, Health, Trust, Waiting
from livetally.show.words import length, percent, portrait, said
from pages import HOSTILE, NOW, SVG, TITLES, Told, election, marked, markup, page, result, snapshot, text, valued


def test_three_candidates() -> None:
    test = page(snapshot(result({"Ada": 60_000, "Bo": 30_000, "Cy": 10_000})))
    assert marked(test, "total-votes") == ["100,000"]
    assert marked(test, "total-voters") == ["1,000"]
    assert marked(test, "total-candidates") == ["3"]
    assert marked(test, "leader-name") == ["Ada"]
    assert marked(test, "leader-votes") == ["60,000"]
    assert marked(test, "margin") == ["30,000 votes ahead (30.0 points)"]
    assert re.findall(r'data-votes="(\d+)" data-testid="candidate"', markup(test)) == ["60000", "30000", "10000"]
    assert marked(test, "age") == ["As of 21:00:06, 4 s old"]
    assert marked(test, "refreshed") == ["21:00:10"]
    assert marked(test, "simulation") == []
    assert marked(test, "notice") == []
    assert SVG in markup(test)


def test_a_simulation_says_so() -> None:
    test = page(snapshot(result({"Ada": 1}), elections=(election(kind="simulated"),)))
    assert marked(test, "simulation") == ["Simulation"]
    assert "This election is a simulation" in markup(test)


def test_a_tie_is_a_tie() -> None:
    test = page(snapshot(result({"Ada": 7, "Bo": 7, "Cy": 1})))
    assert "A tie between 2 candidates" in markup(test)
    assert marked(test, "leader-name") == []


def test_turnout_is_a_share_of_the_elections_own_roll() -> None:
    facts = Facts((election(),), 1000, {"e": 2}, rolls={"e": 40, "f": 7})
    test = page(snapshot(result({"Ada": 6, "Bo": 4}), facts=facts))
    assert marked(test, "total-voters") == ["40"]
    assert marked(test, "turnout") == ["25.0%"]


def test_one_candidate() -> None:
    assert marked(page(snapshot(result({"Ada": 1}))), "margin") == ["the only candidate"]


def test_nothing_counted() -> None:
    test = page(snapshot(result({"Ada": 0, "Bo": 0})))
    assert "Everything is ready for the first vote" in marked(test, "waiting")[0]
    assert marked(test, "total-votes") == ["0"]
    assert marked(test, "leader-name") == []
    assert "Ada" in markup(test)


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        (Snapshot(), "being asked which elections"),
        (snapshot(elections=()), "There is no election yet"),
        (Snapshot(None, Facts((election(),), 5, {"e": 3})), "topics with the numbers are being read"),
        (Snapshot({}, Facts((election(),), 5, {"e": 0})), "Nobody stands for this election"),
        (Snapshot({}, Facts((election(),), 0, {"e": 3})), "Nobody is registered yet"),
        (Snapshot({}, Facts((election(),), 5, {"e": 3}, rolls={"e": 0})), "Nobody is registered yet"),
        (Snapshot({}, Facts((election(),), 0, {"e": 3}, rolls={"e": 5})), "Everything is ready for the first vote"),
        (Snapshot({}, Facts((election(status="draft"),), 5, {"e": 3})), "has not been opened"),
    ],
)
def test_it_says_what_it_waits_for(shown: Snapshot, says: str) -> None:
    assert says in markup(page(shown))


@pytest.mark.parametrize("over", [{"status": "closed"}, {"status": "certified"}, {"closes_at": NOW - timedelta(seconds=1)}])
def test_an_election_that_is_over_waits_for_no_vote(over: dict[str, Any]) -> None:
    shown = snapshot(result({"Ada": 0, "Bo": 0}), elections=(election(**over),))
    for drawn in (page(shown), page(shown, "Places"), page(shown, view="wall")):
        (says,) = marked(drawn, "waiting")
        assert says == "Nothing has been countedThis election is over, and no vote has been counted in it."


@pytest.mark.parametrize(("away", "says"), [(("Spark",), "Spark is"), (("Kafka", "Spark"), "Kafka and Spark are")])
def test_before_the_first_vote_it_names_what_is_away(away: tuple[Service, ...], says: str) -> None:
    shown = snapshot(result({"Ada": 0, "Bo": 0}), troubles=tuple(Trouble(one, NOW, "gone") for one in away))
    assert f"No vote can be here before {says} back." in marked(page(shown), "waiting")[0]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("title", TITLES)
def test_text_from_people_never_becomes_markup(title: str, name: str) -> None:
    places = tuple(Group(f"{name}{place}", 2, 3, within=f"{name}1") for place in range(12))
    shown = replace(
        result({name: 3, "Bo": 2}, parties={name: name, "Bo": name}, photo=f'data:image/png,"{name}', places=places, cities=places),
        parties=(Group(name, 5),),
        ages=(Group(name, 5, 9),),
        genders=(Group(name, 5, 9),),
    )
    shown = replace(shown, candidates=tuple(replace(one, biography=name, platform=name) for one in shown.candidates))
    then = Then(NOW, shown, {f"{name}1": Ahead(("c0",), 2, 1)})
    told = Told(Answer(Series((NOW,), {"c0": (3,)})), {NOW: then}, then.ahead, {(f"{name}1", ""): shown})
    alert = AlertSeen(name, name, name, "c0", "raised", name, 1, 1, NOW, NOW, name)
    drawn = snapshot(
        shown,
        elections=(election(name=name), election("f", name)),
        unreadable=Unreadable(1, name),
        agreement=Agreement("red", 2, 1, 1, differences=(Difference("ledger", "topic", name),)),
        trust=Trust({"e": (alert,)}, {"e": ((name, 2),)}, (Waiting(name, name, 1),), None, None, (Health(name, True, NOW, name),)),
        last_minute={"e": Changes(NOW, NOW, 3, places=((name, 3),))},
    )
    test = page(drawn, title, told, county=f"{name}1")
    assert said(name) in markup(test)
    if "<" in name:
        assert name not in markup(test)
    assert not test.markdown  # nothing that reads Markdown is given anybody's text
    assert not [one.label for one in test.expander if name and name in one.label]
    assert marked(test, "election") == [name]
    assert {one.label for one in test.sidebar.selectbox} == {"Election"}


def test_portraits_come_from_nowhere_else() -> None:
    assert "<img" in portrait(SVG, "Ada", "x")
    for photo in (
        "https://example.org/a.png",
        "javascript:alert(1)",
        "data:text/html,<b>",
        'data:image/png,"\n',
        "",
        "data:image/png," + "a" * 200_000,
    ):
        assert "<img" not in portrait(photo, "Ada", "x")


def test_services_away() -> None:
    troubles = (Trouble("Kafka", NOW - timedelta(minutes=5), "Connection refused"), Trouble("PostgreSQL", NOW, "gone"))
    test = page(snapshot(result({"Ada": 300}), troubles=troubles))
    kafka, postgresql = marked(test, "notice")
    assert kafka.startswith("Kafka has not answered since 20:55:10 (5 min).")
    assert "Connection refused" in kafka
    assert postgresql.startswith("PostgreSQL has not answered since 21:00:10")
    assert marked(test, "total-votes") == ["300"]


def test_postgresql_has_never_answered() -> None:
    """Nobody knows yet what may be seen of these numbers: they are not shown, and the page says what is missing."""
    test = page(Snapshot({"e": result({"Ada": 300})}, None, (Trouble("PostgreSQL", NOW, "gone"),)))
    assert "300" not in markup(test)
    assert marked(test, "notice")[0].startswith("PostgreSQL has not answered since 21:00:10")
    assert "It is being asked which elections there are." in marked(test, "waiting")[0]


def test_recounting() -> None:
    facts = Facts((election(),), 10, {"e": 1}, recounting="the checkpoint is lost", recounted_percent=42)
    test = page(snapshot(result({"Ada": 300}), facts=facts))
    assert marked(test, "recounting") == ["Recounting"]
    assert "the checkpoint is lost" in marked(test, "notice")[0]
    assert "counted again, 42% of them so far" in marked(test, "notice")[0]


def test_the_newest_election_is_shown_until_somebody_chooses() -> None:
    two = (election("f", "June"), election("e", "May"))
    box = {"snapshot": snapshot(result({"Ada": 300}), result({"Bo": 4}, "f"), elections=two), "now": NOW}
    test = page(box)
    assert marked(test, "election") == ["June"]
    test.sidebar.selectbox(key="chosen").select("e").run()
    assert test.query_params["election"] == "e"
    assert marked(test, "election") == ["May"]
    box["snapshot"] = snapshot(result({"Ada": 300}), elections=(election("g", "July"), *two))
    assert marked(test.run(), "election") == ["May"]


def test_a_newer_election_is_followed() -> None:
    box = {"snapshot": snapshot(result({"Ada": 300})), "now": NOW}
    test = page(box)
    box["snapshot"] = snapshot(result({"Ada": 300}), elections=(election("f", "June"), election()))
    assert marked(test.run(), "election") == ["June"]


def test_refresh_controls() -> None:
    test = page(snapshot(result({"Ada": 300})))
    slider = test.sidebar.slider(key="every")
    assert (slider.min, slider.max, slider.value) == (5, 60, 5)
    assert not test.sidebar.button(key="refresh").click().run().exception


def test_places_are_sorted_and_paged() -> None:
    places = tuple(Group(f"Place {number:02}", number, 50 - number) for number in range(30, 0, -1))
    test = page(snapshot(result({"Ada": 465}, places=places)), "Places")

    def shown() -> list[str]:
        table = next(one.proto.body for one in test.get("html") if "Votes and turnout of each county" in one.proto.body)
        return re.findall(r"<bdi>(Place \d+)</bdi>", table)

    assert (len(shown()), shown()[0]) == (10, "Place 30")
    test.selectbox(key="order-counties").select("Ascending").run()
    assert shown()[0] == "Place 01"
    test.selectbox(key="sort-counties").select("Registered").run()
    assert shown()[0] == "Place 30"
    test.selectbox(key="size-counties").select(25).run()
    assert len(shown()) == 25
    assert test.selectbox(key="size-counties").options == ["10", "25", "50", "100"]


def test_rows_without_a_value_come_last_in_both_directions() -> None:
    rows = (Group("a", 1), Group("b", 1, 4), Group("c", 1, 2))
    turnout = next(column for column in group_columns(result({"Ada": 300}), "County") if column.title == "Turnout")
    for descending, order in ((True, "cba"), (False, "bca")):
        sheet = arrange(rows, turnout, descending=descending, page=1, size=10)
        assert "".join(row.name for row in sheet.rows) == order
    last = arrange(rows, turnout, descending=True, page=9, size=2)
    assert (last.number, last.pages, len(last.rows)) == (2, 2, 1)


def test_two_hundred_candidates_of_a_poll_without_parties() -> None:
    names = {f"Option {number:03}": 200 - number for number in range(200)}
    shown = result(names, parties=dict.fromkeys(names, ""))
    test = page(snapshot(shown))
    assert "and 188 others" in markup(test)
    assert "no party known" not in markup(test)
    assert len(set(candidate_colours(shown).values())) > 5


def test_words() -> None:
    assert [percent(part) for part in (0, 0.0001, 0.5, 0.9999, 1)] == ["0.0%", "&lt;0.1%", "50.0%", "99.9%", "100.0%"]
    assert [length(timedelta(seconds=seconds)) for seconds in (-3, 5, 150, 8000, 400_000)] == ["0 s", "5 s", "2 min", "2 h", "4 days"]


def test_the_page_says_so_when_nobody_told_it_where_the_services_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"):
        monkeypatch.setenv(f"LIVETALLY_{name}", "")
    test = AppTest.from_file(SCRIPT, default_timeout=20).run()
    assert not test.exception
    assert "has not been told where Kafka and PostgreSQL are" in markup(test)


def test_nobody_answers_where_nothing_listens() -> None:
    assert not dashboard.answers("http://127.0.0.1:9")


@pytest.mark.parametrize("title", TITLES)
def test_a_simulation_says_so_on_every_page(title: str) -> None:
    test = page(snapshot(result({"Ada": 1}), elections=(election(kind="simulated"),)), title)
    assert marked(test, "simulation") == ["Simulation"]
    assert "This election is a simulation" in markup(test)


def test_with_too_few_votes_nobody_leads() -> None:
    few = page(snapshot(result({"Ada": 3, "Bo": 1})))
    assert marked(few, "leader-name") == []
    assert "Too early to say" in markup(few)
    assert "Nobody leads yet: 4 votes have been counted, too few to say." in marked(few, "sentence")[0]


def test_few_votes_are_enough_where_few_may_vote_and_when_it_is_over() -> None:
    family = Facts((election(),), 6, {"e": 2})
    assert marked(page(snapshot(result({"Ada": 3, "Bo": 1}), facts=family)), "leader-name") == ["Ada"]
    over = page(snapshot(result({"Ada": 3, "Bo": 1}), elections=(election(status="closed"),)))
    assert marked(over, "leader-name") == ["Ada"]
    assert "Most votes" in markup(over)


@pytest.mark.parametrize(
    ("agreement", "says"),
    [
        (Agreement("green", 300, 300, 300), "Ledger, topic and tally agree"),
        (Agreement("green", 300, 300, 300, behind=1234), "Agree; 1,234 votes on their way"),
        (Agreement("amber", 300, 300, 300, behind=1234), "Agree; 1,234 votes behind"),
        (Agreement("red", 300, 299, 299), "do not agree"),
        (Agreement(), "not checked yet"),
    ],
)
@pytest.mark.parametrize("title", TITLES)
def test_every_page_says_whether_it_can_be_believed(title: str, agreement: Agreement, says: str) -> None:
    test = page(snapshot(result({"Ada": 300}), agreement=agreement), title)
    assert says in marked(test, "agreement")[0]
    assert valued(test, "agreement", "state")[0] == agreement.state


def test_what_differs_is_named_on_every_page() -> None:
    where = "partition 2, offset 4711: the ledger has a vote, the topic has none"
    red: Badge = "red"
    wrong = Agreement(red, 300, 299, 299, differences=(Difference("ledger", "topic", where),))
    for title in TITLES:
        (notice,) = marked(page(snapshot(result({"Ada": 300}), agreement=wrong), title), "notice")
        assert where in notice
        assert "the ledger holds 300 votes, the topic 299, the tally 299" in notice


def test_what_has_changed_since_the_last_look() -> None:
    box = {"snapshot": snapshot(result({"Ada": 300, "Bo": 310})), "now": NOW}
    test = page(box)
    assert marked(test, "more-votes") == []
    box |= {"snapshot": snapshot(result({"Ada": 400, "Bo": 310})), "now": NOW + timedelta(seconds=5)}
    test.run()
    assert marked(test, "more-votes") == ["+100 since your last look, 5 s before"]
    assert valued(test, "rank-change", "climbed") == ["1", "-1"]
    assert "+7.2 points" in text(markup(test))
    assert "−7.2 points" in text(markup(test)), "Bo has won no vote, and lost a share all the same"
    box["now"] = NOW + timedelta(seconds=6)
    test.run()  # somebody has clicked: no new look
    assert marked(test, "more-votes") == ["+100 since your last look, 6 s before"]
    box["now"] = NOW + timedelta(seconds=11)
    test.run()
    assert marked(test, "more-votes") == []


def test_what_the_last_minute_brought() -> None:
    ada = Change("c0", 40, 0.012, 1, 1)
    lately = Changes(NOW - timedelta(seconds=60), NOW, 55, (ada,), (("Kent", 55),))
    test = page(snapshot(result({"Ada": 300, "Bo": 200}), last_minute={"e": lately}))
    assert valued(test, "last-minute") == ["55"]
    assert marked(test, "trend") == ["+1.2 points in the last minute"]
    assert "55 votes came in the last minute, 40 of them for Ada, whose share rose by 1.2 points." in marked(test, "sentence")[0]


def test_the_wall_has_the_same_numbers_and_nothing_to_press() -> None:
    test = page(snapshot(result({"Ada": 300, "Bo": 200}), elections=(election(kind="simulated"), election("f"))), view="wall")
    assert valued(test, "total-votes") == ["500"]
    assert marked(test, "leader-name") == ["Ada"]
    assert valued(test, "candidate", "votes") == ["300", "200"]
    assert marked(test, "simulation") == ["Simulation"]
    assert len(marked(test, "agreement")) == 1
    assert not [*test.button, *test.selectbox, *test.slider]


@pytest.mark.parametrize(
    "shown", [snapshot(elections=()), snapshot(result({})), snapshot(result({"Ada": 3, "Bo": 1})), snapshot(result({"Ada": 7, "Bo": 7}))]
)
def test_the_wall_when_nobody_leads(shown: Snapshot) -> None:
    assert marked(page(shown, view="wall"), "leader-name") == []


def test_without_an_election_the_browser_notices_too_that_no_refresh_comes() -> None:
    """What it looks for (`news.js`): when the last refresh was, when the next is due, and the line to show when it does not come."""
    for drawn, every_s in (
        (markup(page(snapshot(elections=()), every="20")), 20),
        (markup(page(snapshot(elections=()), view="wall")), REFRESH_S_MIN),
    ):
        assert f'data-refreshed="{NOW.isoformat()}" data-every-s="{every_s}"' in drawn
        assert 'data-testid="lost" hidden' in drawn


def test_an_address_shows_what_was_chosen() -> None:
    two = snapshot(result({"Ada": 300}), result({"Bo": 400}, "f"), elections=(election("f", "June"), election()))
    test = page(two, election="e", every="20")
    assert marked(test, "election") == ["May"]
    assert test.sidebar.slider(key="every").value == 20
    assert marked(page(two, election="nobody has this one"), "election") == ["June"]


def test_leaflets_are_read_by_name() -> None:
    shown = result({"Bo": 300, "Ada": 200})
    speaking = replace(shown, candidates=tuple(replace(one, biography=f"{one.name} sails.", platform="Tides.") for one in shown.candidates))
    first, second = marked(page(snapshot(speaking)), "leaflet")
    assert "Ada sails." in first
    assert "Tides." in second
