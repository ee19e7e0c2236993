"""What the watcher of the alerts must not let pass."""

import json
from typing import Any

import pytest

from outsider import Seen
from recovery.alarms import Alarms

NOON, ONE, TWO = (f"2026-05-07 12:0{minute}:00.000" for minute in range(3))


def alert(state: str, begins: str, ends: str, batch: int, seen: float = 90.0, subject: str = "Kent") -> Seen:
    fields: dict[str, Any] = {"election_id": "e", "rule": "burst", "subject": subject, "state": state, "from": begins, "to": ends}
    value = {**fields, "seen": seen, "version": [1, batch]}
    return Seen(0, 0, 0, json.dumps(["e", "burst", "Kent"]).encode(), json.dumps(value).encode(), {})


def faults(*messages: Seen) -> list[str]:
    alarms = Alarms()
    return [fault for message in messages for fault in alarms.take(message)]


def test_raised_updated_told_again_cleared_and_later_another_one_is_right() -> None:
    first = [alert("raised", NOON, ONE, 1), alert("raised", NOON, TWO, 2, 180.0), alert("raised", NOON, TWO, 2, 180.0)]
    assert faults(*first, alert("cleared", NOON, TWO, 3, 180.0), alert("raised", TWO, TWO, 4)) == []


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        (alert("raised", NOON, ONE, 1, 70.0), "is older"),
        (alert("raised", ONE, TWO, 3), "another alert of the same thing"),
        (alert("raised", NOON, TWO, 2, subject="Devon"), "has the key"),
    ],
)
def test_what_is_older_or_raised_a_second_time_is_found(second: Seen, fault: str) -> None:
    (found,) = faults(alert("raised", NOON, TWO, 2), second)
    assert fault in found


def test_what_is_over_does_not_come_back() -> None:
    (found,) = faults(alert("cleared", NOON, TWO, 2), alert("raised", NOON, TWO, 3))
    assert "although it was over" in found
