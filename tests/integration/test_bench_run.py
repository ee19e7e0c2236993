"""`bench run`, as small as it can be: every figure is there, the audit held, and what the tally keeps was looked at before it went."""

from typing import Any

import pytest

from benching import benched

VOTERS = 2_000


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return benched("run", [f"--voters={VOTERS}"], tmp_path_factory.mktemp("bench"))


def test_every_promised_figure_is_a_number(result: Any) -> None:
    promised = ("votes_per_s", "peak_memory_bytes", "votes", "ballots", "seconds", "checkpoint_bytes", "tally_table_bytes")
    assert {name: result[name] for name in promised if not (isinstance(result[name], int | float) and result[name] > 0)} == {}


def test_every_vote_is_in_the_count_and_the_audit_held(result: Any) -> None:
    assert (result["ok"], result["faults"], result["audit_ok"]) == (True, [], True)
    assert VOTERS / 2 < result["votes"] < VOTERS
    assert result["tallied"][-1][1] == result["votes"]


def test_what_was_missed_is_said(result: Any) -> None:
    """So few votes are over before they can be fast."""
    assert result["missed"] == ["votes_per_s"]


def test_what_is_kept_is_told_by_table(result: Any) -> None:
    """Spark keeps no state of its own: what has been counted is in PostgreSQL."""
    assert result["state_bytes"] == 0
    assert {name: result["table_bytes"][name] for name in ("votes", "history", "group_totals") if result["table_bytes"][name] <= 0} == {}
    assert result["tally_table_bytes"] < sum(result["table_bytes"].values())


def test_memory_is_told_by_program(result: Any) -> None:
    assert result["peak_memory_bytes_by_program"].keys() >= {"broker", "spark", "postgresql", "run"}
    assert sum(result["peak_memory_bytes_by_program"].values()) == result["peak_memory_bytes"]
