"""The sheet: all that it has to say, and nothing that somebody wrote as anything but text."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from livetally.adapters.cells import Standing
from livetally.adapters.past import Head
from livetally.core.ballots import Reason
from livetally.core.elections import Election, Kind, Status
from livetally.register.sheet import REASONS, Sheet, draw

OPENED, CLOSED, NOW = (datetime(2026, 5, 7, hour, tzinfo=UTC) for hour in (8, 18, 19))
EVIL = "<script>alert(1)</script>&\"'"


def sheet(status: Status = "certified", kind: Kind = "real", name: str = "Our board", voted: int = 1300) -> Sheet:
    election = Election("board", name, kind, status, 1, OPENED, CLOSED, certified_at=NOW if status == "certified" else None)
    standings = [Standing("a", "Ann Arbor", "Greens", 1000), Standing("b", "Bob Tie", "", 300)]
    return Sheet(
        election,
        NOW,
        standings,
        voted,
        2000,
        {"not_open": 3, "already_voted_same": 1},
        [Head(0, 700, b"\xab" * 32), Head(1, 604, b"\xcd" * 32)],
    )


def text_of(html: str) -> str:
    parts: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            parts.append(data)

    Reader().feed(html.partition("</style>")[2])
    return re.sub(r"\s+", " ", " ".join(parts))


def test_the_sheet_says_all_that_is_signed() -> None:
    text = text_of(draw(sheet()))
    for said in (
        "Our board",
        "Opened 2026-05-07 08:00:00 UTC Closed 2026-05-07 18:00:00 UTC",
        "Certified 2026-05-07 19:00:00 UTC",
        "On the roll 2,000",
        "Voted 1,300",
        "Turnout 65.0%",
        "Ann Arbor Greens 1,000 76.9%",
        "Bob Tie – 300 23.1%",
        "All 1,300 100.0%",
        "cast before the opening, or at the closing time or later 3",
        "All 4",
        "0 700 " + "ab" * 32,
        "1 604 " + "cd" * 32,
        "Name, place, date, signature",
    ):
        assert said in text, said
    assert not any(stamp in text for stamp in ("SIMULATION", "NOT FINAL", "NOT COMPLETE"))


def test_what_is_not_final_not_complete_or_made_up_says_so() -> None:
    assert "SIMULATION" in text_of(draw(sheet(kind="simulated")))
    assert "NOT FINAL: this election is closed" in text_of(draw(sheet("open")))
    assert "NOT COMPLETE: 1,300 of 1,301 recorded votes" in text_of(draw(sheet(voted=1301)))


def test_names_are_text() -> None:
    drawn = draw(sheet(name=EVIL))
    assert EVIL not in drawn
    assert "<script" not in drawn
    assert EVIL in text_of(drawn)


def test_the_file_needs_nothing_besides() -> None:
    assert not re.search(r"(?:src|href)=|url\(|@import|https?:", draw(sheet()))


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.UNKNOWN_ELECTION])
def test_every_reason_has_words(reason: Reason) -> None:
    assert reason in REASONS
