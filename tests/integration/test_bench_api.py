"""`bench api`, as small as it can be: every figure is there, and every ballot that was acknowledged is in the ledger."""

from typing import Any

import pytest

from benching import benched

LISTENERS = 5
SIZES = f"--seconds=4 --warm-seconds=2 --processes=1 --connections=4 --codes-per-s=3000 --listeners={LISTENERS}".split()


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return benched("api", SIZES, tmp_path_factory.mktemp("bench"))


def test_every_promised_figure_is_a_number(result: Any) -> None:
    promised = ("ballots_per_s", "p50_ms", "p99_ms", "ratio_to_bare", "processor_ratio_to_bare", "stream_delay_s")
    assert {name: result[name] for name in promised if not (isinstance(result[name], int | float) and result[name] >= 0)} == {}
    assert result["ballots_per_s"] > 0


def test_nothing_that_was_acknowledged_is_lost(result: Any) -> None:
    assert (result["ok"], result["faults"], result["lost"]) == (True, [], 0)
    assert result["ballots"] > 0


def test_the_clients_processor_time_is_told_apart(result: Any) -> None:
    for costs in (result["processor_us_per_ballot"], result["bare_processor_us_per_ballot"]):
        assert costs.keys() >= {"api", "clients", "postgresql", "broker"}
        assert costs["api"] > 0
        assert costs["clients"] > 0


def test_all_listeners_heard_all_of_it(result: Any) -> None:
    assert result["stream_listeners"] == LISTENERS
    assert result["stream_updates"] > 0
