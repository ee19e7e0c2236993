"""The board in a terminal: what it says in every state, and how it ends."""

import io
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from livetally.commands import watch
from livetally.commands.board_view import bar, drawing, line
from livetally.core.elections import Election
from livetally.core.errors import ElectionError
from livetally.show.result import Change, Changes, Facts, Result, Snapshot, Standing, Trouble, lead_of, ranked
from livetally.show.trust import Agreement, Difference

NOW = datetime(2026, 5, 4, 21, 0, 10, tzinfo=UTC)


OPEN = Election("e", "May", "simulated", "open", 1, None, None)


def snapshot(votes: dict[str, int], election: Election = OPEN, registered: int = 1_000, **more: Any) -> Snapshot:
    standings = ranked(Standing(name, name, f"{name} party", "", "", "", count) for name, count in votes.items())
    result = Result("e", sum(votes.values()), standings, lead_of(standings), as_of=NOW - timedelta(seconds=4))
    return Snapshot({"e": result}, Facts((election,), registered, {"e": len(votes)}), **more)


def drawn(shown: Snapshot, width: int = 100, lines: int = 40) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None, markup=False)
    console.print(drawing(shown, None, NOW, width, lines))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(cell_len(one) <= width for one in text.splitlines())
    return str(text)


def test_one_look_says_who_leads_by_how_much_and_how_fresh_it_is() -> None:
    minute = Changes(NOW - timedelta(seconds=60), NOW, 40, (Change("Ada", 30, 0.01, 1, 1),))
    text = drawn(snapshot({"Bo": 200, "Ada": 300}, last_minute={"e": minute}, agreement=Agreement("green", 500, 500, 500)))
    assert "May (open) SIMULATION" in text
    assert "Ada leads with 60.0%, 100 votes ahead" in text
    assert "500 votes of 1,000 registered, a turnout of 50.0%" in text
    assert "Newest number: 4 s ago · 40 votes in the last 60 s" in text
    assert "agree on 500 votes" in text
    assert "+30" in text
    assert text.index("Ada ") < text.index("Bo ")


def test_a_real_election_is_not_called_a_simulation() -> None:
    assert "SIMULATION" not in drawn(snapshot({"Ada": 1}, replace(OPEN, kind="real")))


def test_with_too_few_votes_nobody_leads() -> None:
    text = drawn(snapshot({"Ada": 1, "Bo": 0}))
    assert "Nobody leads yet: 1 vote counted, too few to say" in text
    assert "ahead" not in text
    assert "Ada leads with 75.0%, 2 votes ahead" in drawn(snapshot({"Ada": 3, "Bo": 1}, registered=6))  # where few may vote, few are enough
    assert "Ada is the only candidate and has 1 vote" in drawn(snapshot({"Ada": 1}))


@pytest.mark.parametrize(
    "over",
    [
        replace(OPEN, status="closed"),
        replace(OPEN, status="certified"),
        replace(OPEN, closes_at=NOW - timedelta(seconds=1)),  # nobody has said so yet
    ],
    ids=["closed", "certified", "its time is over"],
)
def test_when_it_is_over_nobody_leads_any_more(over: Election) -> None:
    text = drawn(snapshot({"Ada": 2, "Bo": 1}, over))
    assert "Ada has most votes, 66.7%, 1 vote ahead" in text
    assert "leads" not in text
    assert f"May ({over.status_at(NOW)}) SIMULATION" in text
    assert "(open)" not in text


def test_a_tie_and_no_vote() -> None:
    assert "A tie: Ada and Bo with 5 votes each" in drawn(snapshot({"Bo": 5, "Ada": 5}))
    assert "Nobody leads" in drawn(snapshot({"Bo": 0, "Ada": 0}))
    assert "waiting for the numbers" in drawn(Snapshot())
    assert "there is no election yet" in drawn(Snapshot({}, Facts((), 0, {})))


def test_of_many_who_are_level_a_few_are_named() -> None:
    assert "A tie: Ada and Bo and Cy with 5 votes each" in drawn(snapshot({"Bo": 5, "Ada": 5, "Cy": 5}))
    assert "A tie: Ada, Bo, Cy and 1 other with 5 votes each" in drawn(snapshot({"Bo": 5, "Ada": 5, "Cy": 5, "Dee": 5}))
    assert "A tie: 00, 01, 02 and 197 others with 1 vote each" in drawn(snapshot({f"{number:02}": 1 for number in range(200)}))


def test_what_is_wrong_is_said() -> None:
    red = Agreement("red", differences=(Difference("ledger", "topic", "candidate a: the ledger has 3 votes", "e"),))
    text = drawn(snapshot({"Ada": 3}, agreement=red, troubles=(Trouble("Kafka", NOW, "gone"),)))
    assert "DO NOT AGREE" in text
    assert "candidate a: the ledger has 3 votes" in text
    assert "Kafka has not answered since 21:00:10 UTC" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_names_of_people_do_nothing_to_a_terminal(width: int) -> None:
    text = drawn(snapshot({"\x1b[2J[red]Eve[/red]": 3, "\u202egnp.exe": 2, "名" * 200: 1}), width)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]Eve" in text


def test_of_two_hundred_candidates_as_many_as_fit() -> None:
    text = drawn(snapshot({f"Name {number:03}": number for number in range(200)}), lines=24)
    assert "… and 185 more" in text
    assert len(text.splitlines()) <= 24


def test_no_line_is_kept_free_when_all_candidates_fit() -> None:
    exactly = drawn(snapshot({f"Name {number:03}": number for number in range(16)}), lines=24)
    assert "more" not in exactly
    assert len(exactly.splitlines()) == 24
    assert "… and 2 more" in drawn(snapshot({f"Name {number:03}": number for number in range(17)}), lines=24)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_what_is_wrong_and_how_fresh_it_is_have_room_before_candidates(width: int) -> None:
    differences = tuple(Difference("ledger", "topic", f"candidate {one}: the ledger has 3 votes, the topic 2", "e") for one in "abc")
    troubles = tuple(Trouble(service, NOW, "gone") for service in ("Kafka", "PostgreSQL"))
    shown = snapshot(
        {f"Name {number:02}": number for number in range(30)}, agreement=Agreement("red", differences=differences), troubles=troubles
    )
    text = drawn(shown, width, lines=24)
    assert len(text.splitlines()) == 24
    said = ("Name 29 ", "candidate c", "Newest number: 4 s ago", "Kafka has not answered", "PostgreSQL has not answered", "Ctrl+C")
    assert [one for one in said if one not in text] == []


def test_on_a_screen_too_small_for_both_candidates_give_way() -> None:
    shown = snapshot({"Ada": 300, "Bo": 200}, troubles=(Trouble("Kafka", NOW, "gone"),))
    text = drawn(shown, lines=10)
    assert "… and 2 more" in text
    assert len(text.splitlines()) == 10


@pytest.mark.parametrize(("part", "shown"), [(0, ""), (0.001, "▏"), (0.5, "█████"), (1, "██████████")])
def test_a_bar_is_as_long_as_its_part(part: float, shown: str) -> None:
    assert bar(part, 10) == shown


def test_where_nothing_can_be_redrawn_a_line_is_added_when_something_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LINE_EVERY_S", 0.001)
    monkeypatch.setattr(watch, "REDRAW_S", 0.001)
    stop = threading.Event()
    looks = iter([Snapshot(), snapshot({"Ada": 1}), snapshot({"Ada": 1}), snapshot({"Ada": 2, "Bo": 1})])

    def look() -> Snapshot:
        shown = next(looks, None)
        if shown is None:
            stop.set()
            return snapshot({"Ada": 2, "Bo": 1})
        return shown

    console = Console(file=io.StringIO())
    watch.follow(look, None, console, stop)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines == [line(snapshot({"Ada": 1}), None), line(snapshot({"Ada": 2, "Bo": 1}), None)]
    assert lines[1].startswith("May SIMULATION: 3 votes · turnout 0.3% · Ada 2 (66.7%) · Bo 1 (33.3%)")


def test_an_election_that_does_not_exist_is_named() -> None:
    with pytest.raises(ElectionError, match="'x'"):
        watch.follow(lambda: snapshot({"Ada": 1}), "x", Console(file=io.StringIO()), threading.Event())
