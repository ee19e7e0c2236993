"""What may be asked for when an election is made."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from livetally.core.elections import Election
from livetally.core.errors import ElectionError
from livetally.register.draft import check, faults_of

NOW = datetime(2026, 5, 7, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOARD = Election("board-2026", "Our board", "real", "draft", 42, None, None)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"election_id": "a"},
        {"election_id": "7" * 63},
        {"name": "Vorstand – Wahl 2026 «π» 投票"},
        {"roll": "states", "roll_states": ("Kent", "Fife")},
        {"opens_planned": NOW - HOUR, "closes_planned": NOW + HOUR},
        {"closes_planned": NOW + timedelta(microseconds=1)},
    ],
)
def test_what_can_be_made(fields: dict[str, Any]) -> None:
    assert faults_of(replace(BOARD, **fields), NOW) == {}


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        *(("election_id", {"election_id": text}) for text in ("", "-a", "a-", "A", "a b", "a/b", "ä", "a" * 64, "a\n", "..")),
        *(("name", {"name": text}) for text in ("", "  ", "a\x00b", "a\nb", "a\u202eb", "a\ud800", "n" * 201)),
        ("roll_states", {"roll": "states"}),
        ("roll_states", {"roll": "all", "roll_states": ("Kent",)}),
        ("roll_states", {"roll": "list", "roll_states": ("Kent",)}),
        ("roll_states", {"roll": "states", "roll_states": ("Kent", " ")}),
        ("closes_planned", {"closes_planned": NOW}),
        ("closes_planned", {"opens_planned": NOW + 2 * HOUR, "closes_planned": NOW + HOUR}),
    ],
)
def test_what_cannot_be_made_is_told_by_its_field(field: str, fields: dict[str, Any]) -> None:
    assert [*faults_of(replace(BOARD, **fields), NOW)] == [field]


def test_all_faults_are_told_together() -> None:
    with pytest.raises(ElectionError, match=r"cannot be an id.*the name takes.*at least one state.*Nothing was changed"):
        check(replace(BOARD, election_id="A", name="", roll="states"), NOW)
