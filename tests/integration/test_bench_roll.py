"""`bench roll`, as small as it can be: every figure is there, and everybody in the file is on the roll."""

from typing import Any

import pytest

from benching import benched

ROWS = 500


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return benched("roll", [f"--rows={ROWS}"], tmp_path_factory.mktemp("bench"))


def test_every_promised_figure_is_a_number(result: Any) -> None:
    figures = ("rows_per_s", "seconds", "peak_memory_bytes")
    promised = (*figures, *(f"check_{name}" for name in figures))
    assert {name: result[name] for name in promised if not (isinstance(result[name], int | float) and result[name] > 0)} == {}
    assert result["processor_us_per_row"].keys() >= {"command", "postgresql", "broker"}


def test_everybody_in_the_file_is_on_the_roll(result: Any) -> None:
    assert (result["ok"], result["faults"], result["rows"]) == (True, [], ROWS)
