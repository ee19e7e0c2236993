"""What the watcher must not let pass, and what is none of its business."""

import json
from typing import Any

import pytest

from livetally.core.tally import VIEWS
from livetally.core.wire import PER_MINUTE
from outsider import Seen
from recovery.shown import Said, Shown, beyond
from recovery.views import CANDIDATES, MINUTES, TOPICS, Votes

STATES = "aggregated_turnout_by_location"
NOON, ONE = "2026-05-07 12:00:00.000", "2026-05-07 12:01:00.000"


def message(group: tuple[str, ...], version: tuple[int, int], **fields: Any) -> Seen:
    value = {**fields, "election_id": group[0], "version": version}
    return Seen(0, 0, 0, json.dumps(group).encode(), json.dumps(value).encode(), {})


def votes(candidate_id: str, total: int, version: tuple[int, int]) -> tuple[str, Seen]:
    return CANDIDATES, message(("e", candidate_id), version, candidate_id=candidate_id, total_votes=total)


def minute(begins: str, total: int, version: tuple[int, int]) -> tuple[str, Seen]:
    return MINUTES, message(("e", "c0", begins), version, candidate_id="c0", window_start=begins, total_votes=total)


def faults(*messages: tuple[str, Seen]) -> list[str]:
    shown = Shown()
    return [fault for topic, one in messages for fault in shown.take(topic, one)[1]]


def test_the_topics_that_are_watched_are_all_that_carry_totals() -> None:
    assert set(TOPICS) == {view.topic for view in VIEWS} | {PER_MINUTE}


def test_what_grows_is_right_and_so_is_what_is_said_again() -> None:
    right = [votes("c0", 3, (1, 0)), votes("c1", 1, (1, 1)), votes("c0", 5, (1, 2)), votes("c0", 5, (1, 2)), votes("c0", 5, (2, 0))]
    assert faults(*right, minute(NOON, 4, (1, 2)), minute(NOON, 3, (2, 0)), minute(ONE, 1, (2, 0))) == []


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        (votes("c0", 4, (1, 3)), "goes backwards"),
        (votes("c0", 4, (2, 0)), "goes backwards"),
        (votes("c0", 6, (1, 2)), "something else of the same version"),
        (votes("c0", 5, (1, 1)), "is older"),
    ],
)
def test_what_is_older_or_less_or_otherwise_is_found(second: tuple[str, Seen], fault: str) -> None:
    (found,) = faults(votes("c0", 5, (1, 2)), second)
    assert fault in found


def test_a_minute_may_become_smaller_in_another_count_only() -> None:
    assert faults(minute(NOON, 4, (1, 2)), minute(NOON, 3, (1, 3))) != []


def test_an_older_count_beside_a_newer_one_is_found() -> None:
    assert any("had been shown" in fault for fault in faults(votes("c0", 5, (2, 0)), votes("c1", 1, (1, 9))))


def test_a_key_that_does_not_name_its_group_is_found() -> None:
    topic, one = votes("c0", 5, (1, 2))
    assert any("has the key" in fault for fault in faults((topic, one._replace(key=b'["e", "c1"]'))))


def test_what_another_count_does_not_take_back_stays() -> None:
    shown = Shown()
    for topic, one in (votes("c0", 3, (1, 0)), votes("c1", 2, (1, 0)), votes("c0", 4, (2, 0))):
        shown.take(topic, one)
    assert shown.totals(CANDIDATES) == {("e", "c0"): 4, ("e", "c1"): 2}
    shown.take(*votes("c1", 0, (2, 0)))
    assert shown.votes == 4


def test_more_than_the_ledger_has_is_found() -> None:
    rows = [Votes("e", "c0", "P", "Kent", "Deal", "female", age, NOON, 2) for age in (17, 18, 24, 65)]
    ledger = TOPICS[STATES].counted(rows)
    assert beyond(STATES, Said((1, 0), ("e", "Kent"), 8), ledger) is None
    assert beyond(STATES, Said((1, 0), ("e", "Kent"), 9), ledger) is not None
    assert beyond(STATES, Said((1, 0), ("e", "Devon"), 1), ledger) is not None
    ages = TOPICS["aggregated_turnout_by_age"].counted(rows)
    assert ages == {("e", "under 18"): 2, ("e", "18-24"): 4, ("e", "65+"): 2}
