"""`bench all` on benchmarks that take no time: one after another, each into its file, and what its exit code says."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
GOALS = {"votes_per_s": {"at_least": 100, "found": 120}, "p99_s": {"at_most": 1.5, "found": 2.0}}
GOOD: Mapping[str, Any] = {"faults": [], "goals": GOALS, "missed": [], "not_measured": []}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The script and what it needs, where other benchmarks can be put beside it."""
    (tmp_path / "all.py").write_text((BENCHMARKS / "all.py").read_text("utf-8"), "utf-8")
    (tmp_path / "harness").symlink_to(BENCHMARKS / "harness")
    return tmp_path


def stand_in(place: Path, name: str, document: Any, code: int = 0) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    (place / f"{name}.py").write_text(f"import sys\nprint({text!r})\nprint(sys.argv[1:], file=sys.stderr)\nsys.exit({code})\n", "utf-8")


def bench_all(place: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, str(place / "all.py"), "--json", f"--output={place / 'results'}", *options]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


def test_each_has_its_file_and_all_goals_reached_is_exit_code_0(place: Path) -> None:
    stand_in(place, "run", GOOD)
    stand_in(place, "show", GOOD)
    done = bench_all(place, "--only=run,show")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["ok"], [one["verdict"] for one in result["goals"]]) == (True, ["reached"] * 4)
    assert [(one["found"], one["wanted"]) for one in result["goals"][:2]] == [("120", "≥ 100"), ("2.0", "≤ 1.5")]
    assert json.loads((place / "results" / "show.json").read_text("utf-8")) == GOOD
    assert "['--json', '--seconds=1800']" in done.stderr, "long enough for every goal"


@pytest.mark.parametrize(
    ("document", "code", "verdict"),
    [
        ({**GOOD, "missed": ["p99_s"]}, 0, "MISSED"),
        ({**GOOD, "not_measured": ["p99_s"]}, 0, "NOT MEASURED"),
        ({**GOOD, "faults": ["a vote too many"]}, 1, "FAILED"),
        ({"missed_bars": ["recall 0.9 is below 0.95"]}, 1, "MISSED"),
        (GOOD, 1, "FAILED"),
        ({}, 0, "FAILED"),
        ("", 1, "FAILED"),
    ],
)
def test_whatever_is_not_reached_is_exit_code_1(place: Path, document: Any, code: int, verdict: str) -> None:
    stand_in(place, "run", document, code)
    stand_in(place, "api", GOOD)
    done = bench_all(place, "--only=run,api")
    result = json.loads(done.stdout)
    assert (done.returncode, result["ok"]) == (1, False)
    assert {one["verdict"] for one in result["goals"] if one["benchmark"] == "run"} - {"reached"} == {verdict}
    assert {one["verdict"] for one in result["goals"] if one["benchmark"] == "api"} == {"reached"}, "the next one is held all the same"


def test_results_of_an_earlier_time_are_not_overwritten(place: Path) -> None:
    (place / "results").mkdir()
    (place / "results" / "run.json").write_text("{}", "utf-8")
    done = bench_all(place, "--only=run")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not empty. Name another directory with --output" in done.stderr


def test_an_interruption_ends_all_of_it(place: Path) -> None:
    stand_in(place, "run", "", 130)
    stand_in(place, "api", GOOD)
    done = bench_all(place, "--only=run,api")
    assert (done.returncode, done.stdout) == (130, "")
    assert not (place / "results" / "api.json").exists()


def test_every_benchmark_with_goals_is_in_the_plan() -> None:
    judging = {
        path.stem.removesuffix("_figures") for path in (BENCHMARKS / "harness").glob("*_figures.py") if "judged(" in path.read_text("utf-8")
    }
    text = (BENCHMARKS / "all.py").read_text("utf-8")
    assert judging
    assert [name for name in judging if f'    "{name}": (' not in text] == []
