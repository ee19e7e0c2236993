"""What stands where it is seen: notices on the wall, the turnout of an election that is over, parties that say no more than their candidates."""

import re
from dataclasses import replace
from datetime import timedelta

from livetally.show import address
from livetally.show.result import Group, Trouble
from livetally.show.trust import Agreement
from livetally.show.wall import CANDIDATES_MAX, NOTICES_MAX
from pages import NOW, election, marked, markup, page, result, snapshot, text, valued

AWAY = tuple(Trouble(service, NOW - timedelta(minutes=5), "refused") for service in ("Kafka", "PostgreSQL", "Spark"))
EIGHT = result({f"Candidate {number}": 100 - number for number in range(8)})


def test_the_wall_says_what_is_wrong_under_its_title_and_gives_bars_for_it() -> None:
    red = Agreement("red", 9, 8, 8)
    shown = page(snapshot(EIGHT, troubles=AWAY, agreement=red), view="wall")
    drawn = markup(shown)
    assert drawn.index("lt-wall-notices") < drawn.index("lt-wall-lead") < drawn.index("lt-wall-bars")
    assert [line.split(".")[0].split(" since")[0] for line in marked(shown, "notice")] == [
        "Ledger, topic and tally do not agree",
        "Kafka has not answered",
    ]
    assert "and 2 other notices on the page" in text(drawn)
    assert len(valued(shown, "candidate", "votes")) == CANDIDATES_MAX - NOTICES_MAX
    assert f"--lt-rows:{CANDIDATES_MAX - NOTICES_MAX + 1}" in drawn
    assert "and 4 others" in text(drawn)


def test_a_wall_without_an_election_says_what_is_wrong_too() -> None:
    assert len(marked(page(snapshot(elections=(), troubles=AWAY[:1]), view="wall"), "notice")) == 1


def test_every_page_and_the_wall_say_when_they_were_refreshed_and_when_the_next_is_due() -> None:
    for asked in ({"every": "20"}, {"view": "wall"}):
        drawn = markup(page(snapshot(EIGHT), address=asked))
        assert f'data-refreshed="{NOW.isoformat()}" data-every-s="{asked.get("every", "5")}"' in drawn
        assert re.search(r'data-testid="lost" hidden', drawn)
        assert '<span data-old-s="4">4 s old</span>' in drawn


def test_turnout_so_far_is_of_an_election_that_goes_on() -> None:
    assert "Turnout so far" in markup(page(snapshot(EIGHT)))
    over = markup(page(snapshot(EIGHT, elections=(election(status="closed"),))))
    assert "<dt>Turnout</dt>" in over
    assert "Turnout so far" not in over


def test_votes_per_party_are_drawn_where_they_say_more_than_the_candidates() -> None:
    alone = replace(result({"Ada": 60, "Bo": 40}), parties=(Group("Ada party", 60), Group("Bo party", 40)))
    shown = markup(page(snapshot(alone)))
    assert "figure-parties" not in shown
    assert "Each party has one candidate, so its votes are the candidate's." in shown
    together = replace(result({"Ada": 60, "Bo": 40}, parties={"Ada": "One", "Bo": "One"}), parties=(Group("One", 100),))
    shown = markup(page(snapshot(together)))
    assert "figure-parties" in shown
    assert "Each party has one candidate" not in shown


def test_a_link_of_the_map_keeps_what_is_chosen_of_the_table() -> None:
    asked = {
        "election": "e",
        "every": "20",
        "level": "Cities",
        "sort-cities": "Turnout",
        "page-cities": "3",
        "find-counties": "shire",
        "at": "x",
    }
    assert address.link("places", asked, county="Kent") == (
        "./places?election=e&every=20&level=Cities&find-counties=shire&sort-cities=Turnout&page-cities=3&county=Kent"
    )


def test_what_is_minor_stands_below_the_first_cell_too() -> None:
    places = (Group("Kent", 30, 90),)
    drawn = markup(page(snapshot(replace(EIGHT, places=places)), "Places"))
    row = re.search(r"<tr><td[^>]*><bdi>Kent</bdi>(.*?)</td>", drawn)
    assert row is not None
    assert re.findall(r"Share of all votes|Registered", text(row.group(1))) == ["Share of all votes", "Registered"]
