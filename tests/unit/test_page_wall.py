"""The wall in every state that an election can be in: what a hall reads from it, and that names do nothing to it."""

import re
from datetime import UTC
from html import escape
from html.parser import HTMLParser
from typing import Any

import pytest

from livetally.core.tally import UNKNOWN
from livetally.show.first_look import first_look
from livetally.show.live import PAGES
from livetally.show.result import Facts, Result, Snapshot, Trouble, Unreadable
from livetally.show.scene import Moment
from livetally.show.sources import sources_for
from livetally.show.trust import Agreement, Difference
from livetally.show.wall import CANDIDATES_MAX
from livetally.show.words import number, percent
from pages import ADMIN, HOSTILE, NOW, SVG, Told, election, marked, markup, page, result, snapshot, text, valued, whole

HARMLESS = "Ann"
LONG_OR_RIGHT_TO_LEFT = ["x" * 5_000, "שלום עולם " * 100, "\u202eAnn\u202c"]
FIGURES = ("total-votes", "turnout", "last-minute", "total-voters", "total-candidates")


class Tags(HTMLParser):
    """What a browser would make of it, without the text: every element, and the names of its attributes."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.pictures: list[str | None] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))
        if tag == "img":
            self.pictures.append(dict(attrs)["src"])


def drawn(shown: Snapshot) -> str:
    """As the server sends it; what Streamlit draws in its place is the same, see below."""
    sources = sources_for(lambda: shown, Told(), lambda: NOW, lambda: ADMIN)
    html = first_look(sources, PAGES[0], Moment(NOW, UTC), {"view": "wall"})
    return html[html.index("<main") : html.index("</main>") + len("</main>")]


def named(name: str, photo: str = SVG, **more: Any) -> Snapshot:
    """Everybody and everything has this name."""
    shown = result({name: 30, "Bo": 20}, parties={name: name, "Bo": name}, photo=photo)
    return snapshot(shown, elections=(election(name=name, kind="simulated"),), **more)


def notices(name: str) -> list[dict[str, Any]]:
    """Everything wrong that says what others have said of it, as many at once as a wall shows."""
    red = Agreement("red", 9, 8, 8, differences=(Difference("ledger", "topic", name),))
    recounting = Facts((election(name=name, kind="simulated"),), 1000, {"e": 2}, recounting=name, recounted_percent=42)
    return [
        {"agreement": red, "troubles": (Trouble("Kafka", NOW, name),)},
        {"facts": recounting, "unreadable": Unreadable(3, name)},
    ]


def bars(html: str) -> list[tuple[str, str, str, str]]:
    """Name, votes and share as one reads them, and the width in percent."""
    found = re.findall(
        r'<span class="lt-wall-name">(.*?)</span><span class="lt-votes">(.*?)</span><span class="lt-share">(.*?)</span>'
        r'<div class="lt-track"><div class="lt-fill" style="width:([\d.]+)%',
        html,
    )
    return [(text(name), votes, text(share), width) for name, votes, share, width in found]


@pytest.mark.parametrize("name", HOSTILE)
def test_the_first_look_and_every_later_one_are_the_same_wall(name: str) -> None:
    shown = named(name, **notices(name)[0])
    assert drawn(shown) in markup(page(shown, view="wall"))


@pytest.mark.parametrize("name", [*(one for one in HOSTILE if one), *LONG_OR_RIGHT_TO_LEFT])
@pytest.mark.parametrize("wrong", [0, 1])
def test_names_change_no_more_of_the_wall_than_themselves(name: str, wrong: int) -> None:
    """The same elements with the same attributes, the same text around the name, and no direction of writing that spreads beyond it."""
    html, harmless = (drawn(named(one, **notices(one)[wrong])) for one in (name, HARMLESS))
    assert Tags(html).found == Tags(harmless).found
    assert text(html) == text(harmless).replace(HARMLESS, name)
    assert html.count(escape(name)) == html.count(f"<bdi>{escape(name)}</bdi>") == text(harmless).count(HARMLESS)


def test_a_name_that_is_empty_leaves_the_numbers_where_they_are() -> None:
    html = drawn(named(""))
    assert bars(html) == [("", "30", "60.0%", "100.00"), ("Bo", "20", "40.0%", "66.67")]
    assert "10 votes ahead (20.0 points)" in text(html)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_portrait_is_a_picture_or_an_initial_and_nothing_else(name: str) -> None:
    photo = f'data:image/png,"{name}'
    tags, plain = Tags(drawn(named(HARMLESS, photo))), Tags(drawn(named(HARMLESS)))
    assert tags.pictures == ([photo] if photo.isascii() else [])
    assert [one for one in tags.found if one[0] != "img"].count(("span", "class", "aria-hidden")) == (not photo.isascii())
    assert [one for one in tags.found if one not in {("img", "class", "alt", "src"), ("span", "class", "aria-hidden")}] == [
        one for one in plain.found if one[0] != "img"
    ]


@pytest.mark.parametrize(
    "shown",
    [
        result({"Ada": 60_000, "Bo": 30_000, "Cy": 9_999, "Di": 1}),
        result({"Ada": 0, "Bo": 7, "Cy": 1_234_567}),
        result({"Ada": 7, "Bo": 7, "Cy": 1}),
        result({f"{one} May": 3 * one for one in range(30)}),
        whole({"Ada": 250, "Bo": 200, "Cy": 50}),
    ],
    ids=["three digits and one", "nobody for the first", "a tie", "thirty", "a whole one"],
)
def test_its_numbers_are_those_of_the_snapshot_and_of_the_other_pages(shown: Result) -> None:
    known = snapshot(shown, facts=Facts((election(),), 2_000_000, {"e": len(shown.candidates)}))
    test = page(known, view="wall")
    most = shown.candidates[0].votes
    assert bars(markup(test)) == [
        (one.name, number(one.votes), text(percent(one.votes / shown.total_votes)), f"{100 * one.votes / most:.2f}")
        for one in shown.candidates[:CANDIDATES_MAX]
    ]
    assert valued(test, "candidate", "votes") == [str(one.votes) for one in shown.candidates[:CANDIDATES_MAX]]
    assert (valued(test, "total-votes"), valued(test, "total-voters")) == ([str(shown.total_votes)], ["2000000"])
    assert marked(test, "turnout") == [text(percent(shown.total_votes / 2_000_000))]
    beside = page(known)
    assert [marked(test, one) for one in (*FIGURES, "leader-name", "margin")] == [
        marked(beside, one) for one in (*FIGURES, "leader-name", "margin")
    ]


def test_the_next_refresh_has_the_next_numbers() -> None:
    box: dict[str, Any] = {"snapshot": snapshot(result({"Ada": 300, "Bo": 200}))}
    test = page(box, view="wall")
    box["snapshot"] = snapshot(result({"Ada": 300, "Bo": 350}))
    test.run()
    assert (marked(test, "leader-name"), marked(test, "total-votes")) == (["Bo"], ["650"])
    assert marked(test, "margin") == ["50 votes ahead (7.7 points)"]
    assert valued(test, "candidate", "votes") == ["350", "300"]


def test_one_candidate_alone_is_ahead_of_nobody() -> None:
    test = page(snapshot(result({"Ada": 1})), view="wall")
    assert (marked(test, "leader-name"), marked(test, "margin")) == (["Ada"], ["the only candidate"])
    assert bars(markup(test)) == [("Ada", "1", "100.0%", "100.00")]
    assert "lt-rest" not in markup(test)


def test_where_nobody_has_a_vote_there_are_no_bars() -> None:
    test = page(snapshot(result({"Ada": 0, "Bo": 0})), view="wall")
    assert marked(test, "waiting")[0].startswith("Nothing has been counted yet")
    assert (bars(markup(test)), marked(test, "leader-name"), marked(test, "margin")) == ([], [], [])
    assert [marked(test, one) for one in ("total-votes", "turnout", "total-candidates")] == [["0"], ["0.0%"], ["2"]]


@pytest.mark.parametrize("party", ["", UNKNOWN])
def test_a_poll_without_parties_and_portraits_has_initials_and_no_word_about_parties(party: str) -> None:
    html = drawn(snapshot(result({"Monday": 30, "Friday": 20}, parties={"Monday": party, "Friday": party}, photo="")))
    assert "party" not in text(html).lower()
    assert ("<img" in html, "lt-swatch" in html) == (False, False)
    assert re.findall(r'<span class="lt-portrait lt-initial [^>]*>(.)</span>', html) == ["M"]
    assert [name for name, *_ in bars(html)] == ["Monday", "Friday"]


def test_of_two_hundred_candidates_it_draws_the_first_and_says_how_many_more_there_are() -> None:
    test = page(snapshot(result({f"{one:03} May": 200 - one for one in range(200)})), view="wall")
    html = markup(test)
    assert [name for name, *_ in bars(html)] == [f"{one:03} May" for one in range(CANDIDATES_MAX)]
    assert marked(test, "total-candidates") == ["200"]
    assert "and 194 others" in text(html)
    assert f"--lt-rows:{CANDIDATES_MAX + 1}" in html
    assert len(html) < 20_000


def test_two_hundred_who_are_level_are_a_tie() -> None:
    html = drawn(snapshot(result({f"{one:03} May": 1 for one in range(200)})))
    assert "A tie between 200 candidates1 vote each, 0.5% of all" in text(html)
    assert len(bars(html)) == CANDIDATES_MAX


@pytest.mark.parametrize(("count", "rest"), [(CANDIDATES_MAX, []), (CANDIDATES_MAX + 1, ["and 1 other"])])
def test_nobody_is_left_out_without_a_word(count: int, rest: list[str]) -> None:
    html = drawn(snapshot(result({f"{one} May": 90 - one for one in range(count)})))
    assert len(bars(html)) == CANDIDATES_MAX
    assert re.findall(r'<li class="lt-rest">(.*?)</li>', html) == rest


@pytest.mark.parametrize("status", ["closed", "certified"])
def test_when_it_is_over_somebody_has_most_votes_however_few_they_are(status: str) -> None:
    votes = result({"Ada": 4, "Bo": 2})
    over = page(snapshot(votes, elections=(election(status=status),)), view="wall")
    said_of_it = text(markup(over))
    assert (marked(over, "status"), marked(over, "leader-name")) == ([status.capitalize()], ["Ada"])
    assert "Most votesAda" in said_of_it
    assert ("Turnout so far" in said_of_it, "Leading" in said_of_it) == (False, False)
    before = page(snapshot(votes), view="wall")
    assert (marked(before, "status"), marked(before, "leader-name")) == (["Open"], [])
    assert "Too early to sayOnly 6 votes counted" in text(markup(before))


def test_while_votes_are_counted_again_the_numbers_from_before_stay() -> None:
    shown = result({f"{one} May": 90 - one for one in range(8)})
    again = Facts((election(),), 1000, {"e": 8}, recounting="the checkpoint is lost", recounted_percent=42)
    test = page(snapshot(shown, facts=again), view="wall")
    assert marked(test, "recounting") == ["Recounting"]
    (says,) = marked(test, "notice")
    assert says.startswith(
        "All votes are being counted again, 42% of them so far. Until that has caught up, these are the numbers from before."
    )
    assert valued(test, "total-votes") == [str(shown.total_votes)]
    assert valued(test, "candidate", "votes") == [str(90 - one) for one in range(CANDIDATES_MAX - 1)]
    assert "and 3 others" in text(markup(test))
