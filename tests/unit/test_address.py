"""The address says what one sees, and nonsense in it does no harm."""

import pytest
from streamlit.testing.v1 import AppTest

from livetally.show.result import Group
from pages import TITLES, Told, election, marked, markup, page, result, snapshot, valued

MANY = tuple(Group(f"Place {number:02}", number + 1, 99) for number in range(95))


def shown(address: dict[str, str] | None = None) -> AppTest:
    return page(snapshot(result({"Ada": 4560}, places=MANY)), "Places", address=address)


def caption(test: AppTest) -> str:
    return next(one for one in markup(test).split("<caption>") if one.startswith("Votes and turnout of each county")).split("<")[0]


def test_a_page_of_a_table() -> None:
    test = shown({"page-counties": "3"})
    assert caption(test) == "Votes and turnout of each county 21–30 of 95"


def test_its_length_and_order() -> None:
    test = shown({"size-counties": "50", "order-counties": "Ascending", "sort-counties": "Votes"})
    assert caption(test) == "Votes and turnout of each county 1–50 of 95"
    assert "Place 00" in markup(test).split("<caption>Votes and turnout of each county")[1]


def test_leafing_through() -> None:
    test = shown()
    test.session_state["page-counties"] = 4
    test.run()
    assert caption(test) == "Votes and turnout of each county 31–40 of 95"


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize(
    "address",
    [
        {"election": "<b>"},
        {"every": "nine"},
        {"every": "0"},
        {"colour": "Mauve", "county": "Nowhere", "city": "Nowhere", "level": "Streets"},
        {"page-counties": "99999999999999999999", "size-counties": "7"},
        {"page-counties": "-1", "page-all": "٣", "leaflet": "0"},
        {"at": "yesterday", "view": "ceiling"},
        {"find-counties": "x" * 5000},
    ],
)
def test_nonsense_does_no_harm(title: str, address: dict[str, str]) -> None:
    test = page(snapshot(result({"Ada": 4560}, places=MANY)), title, Told(), address)
    assert valued(test, "total-votes") == ["4560"]


def test_an_election_that_is_gone_is_the_newest() -> None:
    both = snapshot(result({"Ada": 300}), elections=(election("f", "June"), election()))
    assert marked(page(both, election="g"), "election") == ["June"]
