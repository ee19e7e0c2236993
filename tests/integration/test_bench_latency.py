"""`bench latency`, as small as it can be: every figure is there, and every ballot was followed to the total that has it in it."""

from typing import Any

import pytest

from benching import benched

RATES, SECONDS = (50, 100), 3
SIZES = ["--rates=" + ",".join(map(str, RATES)), f"--seconds={SECONDS}", "--warm-seconds=1"]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return benched("latency", SIZES, tmp_path_factory.mktemp("bench"))


def test_every_promised_figure_is_a_number(result: Any) -> None:
    for name in ("p50_s", "p95_s", "p99_s"):
        assert result[name].keys() == {str(rate) for rate in RATES}
        assert min(result[name].values()) > 0
    assert len(result["goals"]) == 3 * len(RATES)


def test_every_ballot_has_arrived(result: Any) -> None:
    assert (result["ok"], result["faults"]) == (True, [])
    assert {rate: one["ballots"] for rate, one in result["rates"].items()} == {str(rate): rate * SECONDS for rate in RATES}


def test_each_stage_has_its_share(result: Any) -> None:
    for one in result["rates"].values():
        assert one["stages"].keys() == {"record", "tally", "tally_until_stored", "tally_until_announced"}
        assert one["stages"]["record"]["share"] + one["stages"]["tally"]["share"] == pytest.approx(1, abs=0.01)
        assert one["p50_s"] <= one["p95_s"] <= one["p99_s"] <= one["max_s"]
        assert one["batches"] > 0
