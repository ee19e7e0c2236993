"""`bench history`, as small as it can be: every figure is there, and every answer was the votes that had been put in."""

from typing import Any

import pytest

from benching import benched

VOTES, MINUTES, CANDIDATES, ELECTIONS = 2_000, 60, 2, 2
SIZES = f"--votes={VOTES} --hours=1 --candidates={CANDIDATES} --elections={ELECTIONS}".split()


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return benched("history", SIZES, tmp_path_factory.mktemp("bench"))


def test_every_promised_figure_is_a_number(result: Any) -> None:
    promised = ("overall_ms", "overall_median_ms", "overall_slowest_ms", "county_ms", "county_median_ms", "county_slowest_ms")
    assert {name: result[name] for name in promised if not (isinstance(result[name], int | float) and result[name] > 0)} == {}
    assert isinstance(result["missed"], list)


def test_the_whole_past_was_asked_for(result: Any) -> None:
    assert (result["ok"], result["faults"], result["votes"]) == (True, [], VOTES)
    assert result["rows"] == MINUTES * CANDIDATES * ELECTIONS * (result["places"] + 1)
    assert (result["overall_points"], result["county_points"]) == (MINUTES, MINUTES)
