"""The board in a terminal: what it says in every state, and how it ends."""

import io
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
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


def on_screen(written: str) -> list[str]:
    """The lines of a terminal after all of this has been written to it: it knows the signs that move the cursor up and erase its line."""
    lines, row = [""], 0
    for part in re.findall(r"\x1b\[[?\d]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", written):
        match part:
            case "\n":
                row += 1
                lines += [""] * (row + 1 - len(lines))
            case "\x1b[1A":
                row -= 1
            case "\x1b[2K":
                lines[row] = ""
            case "\r" | "\x1b[?25l" | "\x1b[?25h":  # hides the cursor, shows it again
                pass
            case _:
                assert "\x1b" not in part
                lines[row] += part
    return lines


CALM = snapshot({"Ada": 300, "Bo": 200}, agreement=Agreement("green", 500, 500, 500))
MANY = {f"Name {number:02}": number for number in range(30)}
AWAY = tuple(Trouble(service, NOW, "gone") for service in ("Kafka", "PostgreSQL", "Spark"))
WRONG = ("37% of them so far", *(f"{one.service} has not answered since 21:00:10 UTC" for one in AWAY), "Ctrl+C ends this")
PLACES = tuple(f"candidate {one}: the ledger has 3 votes, the topic 2" for one in "abc")
RED = Agreement("red", differences=tuple(Difference("ledger", "topic", one, "e") for one in PLACES))


def wrong(agreement: Agreement) -> Snapshot:
    """Everything that a screen has to warn of, and more candidates than it has room for."""
    facts = Facts((OPEN,), 1_000, {"e": len(MANY)}, recounting="the checkpoint is lost", recounted_percent=37)
    return replace(snapshot(MANY, troubles=AWAY, agreement=agreement), facts=facts)


def terminal(width: int, height: int) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height, color_system=None, _environ={"TERM": "xterm"})


@pytest.mark.parametrize(("width", "height"), [(100, 24), (80, 24), (60, 24), (100, 40)])
def test_a_screen_that_is_redrawn_keeps_its_warnings_and_how_fresh_it_is(width: int, height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = (CALM, ["Ada leads with 60.0%", "agree on 500 votes", "Ctrl+C ends this"])
    looks = [
        calm,
        (wrong(Agreement("amber", 435, 435, 435, behind=1_234)), ["agree on 435 votes, 1,234 are on their way", *WRONG]),
        (wrong(Agreement()), ["whether ledger, topic and tally agree is not known yet", *WRONG]),
        (wrong(RED), ["DO NOT AGREE", *PLACES, *WRONG]),
        calm,
    ]
    moments, stop, console = (NOW + timedelta(seconds=second) for second in range(60)), threading.Event(), terminal(width, height)
    screens: list[list[str]] = []

    def look() -> Snapshot:
        screens.append(on_screen(console.file.getvalue()))  # type: ignore[attr-defined] # as the look before has left it
        if len(screens) <= len(looks):
            return looks[len(screens) - 1][0]
        stop.set()
        return CALM

    monkeypatch.setattr(watch, "REDRAW_S", 0.001)
    monkeypatch.setattr(watch, "datetime", SimpleNamespace(now=lambda _zone: next(moments)))
    watch.follow(look, None, console, stop)
    for second, (screen, (shown, said)) in enumerate(zip(screens[1:], looks, strict=True)):
        text = " ".join(" ".join(screen).split())  # long lines are wrapped
        assert [one for one in [*said, f"Newest number: {4 + second} s ago"] if one not in text] == []
        assert text.count("May (open) SIMULATION") == 1, "what was there before is still there"
        assert ("Name 29 " in text, "has not answered" in text) == ((shown is not CALM),) * 2
        assert all(cell_len(one) <= width for one in screen)
        if shown is not CALM:
            assert len(screen) == height, "it is to be full, and nothing is to have scrolled away"


def test_a_redrawing_that_cannot_go_on_gives_the_cursor_back() -> None:
    console = terminal(80, 24)
    with pytest.raises(ElectionError, match="'x'"):
        watch.follow(lambda: CALM, "x", console, threading.Event())
    assert console.file.getvalue().endswith("\x1b[?25h")  # type: ignore[attr-defined]
