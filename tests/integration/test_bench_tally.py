"""`bench tally`, as small as it can be: every figure is there, and both contenders counted the same votes to the same totals."""

from typing import Any

import pytest

from benching import benched

VOTES, SHORT, LONG, BATCH, WARM = 3_000, 2_000, 6_000, 1_000, 1_980
BATCHES = [f"--batch-votes={BATCH}", f"--batch-votes-retained={BATCH}"]
SIZES = [f"--votes={VOTES}", f"--votes-short={SHORT}", f"--votes-long={LONG}", *BATCHES, "--registered=500", "--candidates=4", "--hours=1"]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return benched("tally", SIZES, tmp_path_factory.mktemp("bench"))


def test_every_promised_figure_is_a_number(result: Any) -> None:
    promised = ("votes_per_s", "ratio_to_reference", "retained_rate", "cells", "checkpoint_bytes", "postgresql_bytes", "peak_memory_bytes")
    assert {name: result[name] for name in promised if not (isinstance(result[name], int | float) and result[name] > 0)} == {}


def test_what_was_missed_is_said(result: Any) -> None:
    """So few votes lie in fewer cells than the goal names."""
    assert "cells" in result["missed"]


def test_each_vote_has_its_cost(result: Any) -> None:
    counted = [*result["tallies"], *result["reference"], *result["retained"].values()]
    assert [one for one in counted if not one["processor_us_per_vote"].keys() >= {"python", "spark", "postgresql", "broker"}] == []
    assert [one for one in counted if not one["processor_us_per_vote"]["spark"] > 0] == []


def test_what_was_counted_is_what_had_to_be(result: Any) -> None:
    assert (result["ok"], result["faults"]) == (True, [])
    (tallied,) = result["tallies"]
    before, after = result["reference"]
    assert [one["votes"] for one in (before, tallied, after)] == [WARM + VOTES] * 3
    assert [result["retained"][size]["votes"] for size in ("short", "long")] == [WARM + SHORT, WARM + LONG]


def test_the_first_batch_is_not_timed(result: Any) -> None:
    (tallied,) = result["tallies"]
    assert 0 < tallied["votes_in_time"] <= VOTES


def test_a_vote_is_as_large_as_a_real_one(result: Any) -> None:
    assert result["bytes_per_vote_message"] > 1_800


def test_fsync_is_on(result: Any) -> None:
    assert result["machine"]["postgresql_settings"]["fsync"] == "on"
