"""`bench alerts`, as small as it can be: every figure is there, the same seed gives the same, and a missed bar is a failure."""

import importlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from livetally.core.alerts import Rule

ROOT = Path(__file__).resolve().parents[2]
FIGURES = {
    *("planted", "found", "recall", "precision", "delay_s_median", "delay_s_max", "smaller_places"),
    *("false_alarms", "clean_elections", "raised_again"),
}


def bench() -> Any:
    done = subprocess.run(
        [str(ROOT / "livetally"), "bench", "alerts", "--json", "--elections=1", "--seed=7"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"phases_s": None}


def test_every_figure_is_there_and_the_same_again() -> None:
    result = bench()
    assert (result["ok"], result["missed_bars"], result["seed"]) == (True, [], 7)
    assert (result["clean_elections"], result["planted_elections"], result["planted"]) == (1, 1, len(Rule))
    assert result["rules"].keys() == set(Rule)
    for one in (result, *result["rules"].values()):
        assert one.keys() >= FIGURES
        assert one["clean_elections"] == 1
    assert result["delay_s_max"] == max(one["delay_s_max"] for one in result["rules"].values())
    assert result["thresholds"]["surprise_min"] > 0
    assert bench() == result


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module


def test_what_is_missed_late_or_false_misses_a_bar(harness: Any) -> None:
    figures, plants, trial = (harness(f"harness.alert_{name}") for name in ("figures", "plants", "trial"))

    def outcome(delay_s: float | None, false: int = 0) -> Any:
        planted = tuple(plants.Plant(rule, "Kent", "", 50.0, 55.0, 5.0, is_small=False) for rule in Rule)
        found = dict.fromkeys(planted, delay_s) if delay_s is not None else {}
        alarm = trial.Raised(alert=type("Alarm", (), {"rule": Rule.BURST, "evidence": "nothing"})(), minute=3)
        return trial.Outcome(planted, found, false=[alarm] * false)

    clean = [trial.Outcome(()) for _ in range(20)]
    good = [outcome(60.0)] * 20
    assert figures.document(good, clean)["ok"]
    missed = figures.document([*good[:18], outcome(None), outcome(None)], clean)
    assert (missed["ok"], missed["recall"], len(missed["missed"])) == (False, 0.9, 2 * len(Rule))
    late = figures.document([*good, outcome(121.0)], clean)
    assert (late["ok"], late["delay_s_max"], len(late["missed_bars"])) == (False, 121.0, 1 + len(Rule))
    alarmed = [trial.Outcome((), false=outcome(None, false=1).false), *clean[1:]]
    assert figures.document(good, alarmed)["ok"]
    twice = figures.document(good, [alarmed[0], alarmed[0], *clean[2:]])
    assert (twice["ok"], twice["false_alarms"]) == (False, 2)
    assert figures.document([*good[1:], outcome(60.0, false=1)], clean)["false_alarms_beside_plants"] == 1
