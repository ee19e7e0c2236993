"""What a benchmark calls missed: each of its goals can be missed, none is at its limit, and what nobody measured is not called reached.

Every case makes what a benchmark has found, with all figures at their limits, and then pushes one of them over it.
"""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
Make = Callable[..., Mapping[str, Any]]


@pytest.fixture(autouse=True)
def _harness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def module(name: str) -> Any:
    return importlib.import_module(f"harness.{name}")


def spent(processor_s: float = 1.0) -> Any:
    return module("cost").Cost(10.0, {"python": processor_s, "api": processor_s}, 0.0)


def tally(votes_per_s: float = 100_000, reference: float = 25_000, retained: float = 0.9, cells: int = 30_000) -> Mapping[str, Any]:
    figures, sample = module("tally_figures"), module("views").Sample

    def count(per_s: float) -> Any:
        samples = [sample(0.0, {"candidate": 0}), sample(10.0, {"candidate": round(10 * per_s)})]
        return module("counting").Count(samples, samples[0], 0.0, spent(), 1)

    def tallied(per_s: float) -> Any:
        return figures.Tallied(count(per_s), cells, 1, 0, {"history": 1})

    found = figures.Found([tallied(votes_per_s)], [count(reference)], tallied(10_000), tallied(10_000 * retained))
    return dict(figures.document(found))


def run(votes_per_s: float = 20_000, peak_memory_bytes: int = 4 * 1024**3) -> Mapping[str, Any]:
    watching, views = module("whole_run"), module("views")
    votes = round(10 * votes_per_s)
    seen = watching.Watched(
        shown=[views.Sample(12.0, {"candidate": votes})], first_ballot_s=2.0, ballots=votes, accepted=votes, exit_code=0
    )
    seen.measured = [watching.Measured(3.0, {"spark": module("process_tree").Usage(peak_memory_bytes, 1.0)})]
    return dict(module("run_figures").document(seen))


def latency(p50: float = 0.6, p95: float = 1.0, p99: float = 1.5) -> Mapping[str, Any]:
    """Of 100 ballots 50 take as long as the median, 45 as the 95th, and five as the 99th."""
    figures, arrival = module("latency_figures"), module("journey").Arrival
    took_ns = [round(one * 1e9) for one in [p50] * 50 + [p95] * 45 + [p99] * 5]
    pace = figures.Pace(1_000.0, [0] * 100, [arrival(ns // 2, ns // 2, ns) for ns in took_ns], 0.0, spent(), 1, 0)
    return dict(figures.document(figures.Found([pace])))


def show(p95: float = 6.0, first_view: float = 2.0, per_viewer: int = 5_000_000, a_minute: int = 100_000) -> Mapping[str, Any]:
    figures = module("show_figures")
    end_bytes = 100_000_000 + 20 * per_viewer
    samples = [(float(at_s), end_bytes - round((1_800 - at_s) / 60 * a_minute)) for at_s in range(0, 1_801, 2)]
    views = {"Results": [0.5, 0.6], "People": [first_view]}
    delays = {figures.BROWSER: [(float(at_s), 1.0 if at_s < 94 else p95) for at_s in range(100)]}
    found = figures.Found(20, 5.0, 1_000.0, delays, views, views, 100_000_000, samples)
    return dict(figures.document(found))


def api(
    ballots_per_s: float = 1_500, p99_ms: float = 150, bare: float = 3_000, lost: int = 0, stream_delay_s: float = 2.0
) -> Mapping[str, Any]:
    figures, stack = module("api_figures"), module("api_stack")

    def served(per_s: float) -> Any:
        answers = [(0, round((p99_ms if number >= per_s * 0.98 else 10) * 1e6), f"receipt {number}") for number in range(round(per_s))]
        return stack.Served(answers, [], 1.0, spent())

    found = figures.Found([served(bare), served(bare)], lost, 200, [0.1, stream_delay_s])
    found.served = served(ballots_per_s)
    return dict(figures.document(found))


def record(
    loop: float = 1_000, rows: float = 25_000 / 3, retained: float = 0.8, p50: float = 50, p99: float = 200, memory: float = 1.1
) -> Mapping[str, Any]:
    """25,000 votes a second."""
    figures, recorder, peer = module("record_figures"), module("recorder"), module("contender").Peer
    reading = module("cost").Reading

    def fill(rates: list[float], peak: int) -> Any:
        votes, at_s, samples = 0, 0.0, [recorder.Sample(0.0, 0, 0)]
        for rate in rates:
            votes, at_s = votes + 25_000, at_s + 25_000 / rate
            samples.append(recorder.Sample(at_s, votes, votes))
        readings = [(one.accepted, reading(one.at_s, {"python": one.at_s}, 0.0, 0.0)) for one in samples]
        return recorder.Fill(samples, 0.0, at_s, spent(), readings, peak)

    bytes_of = dict.fromkeys(("votes_heap", "votes_indexes", "database", "wal"), 1)
    topics = dict.fromkeys(("votes_topic", "rejected_ballots", "ballots_topic"), 1)
    found = figures.Found([fill([25_000.0], round(memory * 1_000_000))], (25_000, 25_000), bytes_of, topics, fill([25_000.0], 1_000_000))
    found.peers = {"loop": [peer(round(loop * 10), 10.0, spent())], "rows": [peer(round(rows * 10), 10.0, spent())]}
    found.latency = module("latency").Latency(100, 1.0, {50: p50, 95: p99, 99: p99}, p99, 0.0)
    found.retained = fill([25_000.0] * 9 + [25_000 * retained], 1)
    return dict(figures.document(found))


def history(overall: float = 100, county: float = 100) -> Mapping[str, Any]:
    figures = module("history_figures")
    found = figures.Found([figures.Asked(10, 5, 7), figures.Asked(overall, 5, 7)], [figures.Asked(county, 5, 7)], 1_000, 7)
    return dict(figures.document(found))


def roll(importing: float = 16_667, check: float = 16_667) -> Mapping[str, Any]:
    figures = module("roll_figures")
    passed = [figures.Passed(1_000_000 / per_s, 1, spent()) for per_s in (check, importing)]
    return dict(figures.document(figures.Found(1_000_000, 1, *passed)))


# What makes them, what pushes a figure just over its limit, and the goal that is missed then.
CASES: list[tuple[Make, dict[str, float], str]] = [
    (tally, {"votes_per_s": 99_990, "reference": 24_000}, "votes_per_s"),
    (tally, {"reference": 25_100}, "ratio_to_reference"),
    (tally, {"retained": 0.898}, "retained_rate"),
    (tally, {"cells": 29_999}, "cells"),
    (run, {"votes_per_s": 19_999}, "votes_per_s"),
    (run, {"peak_memory_bytes": 4 * 1024**3 + 1}, "peak_memory_bytes"),
    (latency, {"p50": 0.601}, "p50_s at 1000/s"),
    (latency, {"p95": 1.001}, "p95_s at 1000/s"),
    (latency, {"p99": 1.501}, "p99_s at 1000/s"),
    (show, {"p95": 6.001}, "p95_s"),
    (show, {"first_view": 2.001}, "first_view_s"),
    (show, {"per_viewer": 5_000_001}, "memory_per_viewer_bytes"),
    (show, {"a_minute": 100_100}, "memory_growth_bytes_per_minute"),
    (api, {"ballots_per_s": 1_499, "bare": 2_900}, "ballots_per_s"),
    (api, {"p99_ms": 150.1}, "p99_ms"),
    (api, {"bare": 3_010}, "ratio_to_bare"),
    (api, {"lost": 1}, "lost"),
    (api, {"stream_delay_s": 2.001}, "stream_delay_s"),
    (record, {"loop": 1_010}, "ratio_to_loop"),
    (record, {"rows": 8_400}, "ratio_to_rows"),
    (record, {"retained": 0.798}, "retained_rate"),
    (record, {"p50": 50.1}, "latency_p50_ms"),
    (record, {"p99": 200.1}, "latency_p99_ms"),
    (record, {"memory": 1.102}, "peak_memory_ratio"),
    (history, {"overall": 100.1}, "overall_ms"),
    (history, {"county": 100.1}, "county_ms"),
    (roll, {"importing": 16_600}, "rows_per_s"),
    (roll, {"check": 16_600}, "check_rows_per_s"),
]
MAKERS = list(dict.fromkeys(make for make, _, _ in CASES))


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_at_its_limit_every_goal_is_reached(make: Make) -> None:
    result = make()
    assert (result["missed"], result["not_measured"]) == ([], [])
    assert set(result["goals"]) == {goal for other, _, goal in CASES if other is make}, "each goal has its case below"


@pytest.mark.parametrize(("make", "over", "goal"), CASES, ids=[f"{make.__name__} {goal}" for make, _, goal in CASES])
def test_just_over_its_limit_a_goal_is_missed(make: Make, over: Mapping[str, float], goal: str) -> None:
    result = make(**over)
    assert (result["missed"], result["not_measured"]) == ([goal], [])
    assert result["goals"][goal]["found"] is not None


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_the_table_for_people_has_the_goals_beside_what_was_found(make: Make) -> None:
    rows = list(module(f"{make.__name__}_figures").rows(make()))
    assert all(isinstance(cell, str) for row in rows for cell in row)
    assert len([wanted for _, _, wanted in rows if any(digit in wanted for digit in "123456789")]) >= len(make()["goals"]) - 1, "lost is 0"


def test_who_saw_nothing_has_reached_nothing() -> None:
    result = module("show_figures").document(module("show_figures").Found(20, 5.0))
    assert set(result["not_measured"]) == set(result["goals"])
    assert result["goals"]


def test_a_page_that_stood_still_once_shows_in_the_curve() -> None:
    still = [(float(at_s), 30.0 - (at_s - 60) if 60 <= at_s < 90 else 2.5) for at_s in range(120)]
    curve = module("show_figures").document(module("show_figures").Found(2, 5.0, delays={"Chromium": still, "session 1": still}))
    assert [delay_s for _, delay_s in curve["longest_delay_s_by_s"]][29:32] == [2.5, 30.0, 28.0]
    assert curve["longest_delay_s_by_s"][-1] == (118.0, 2.5)


def test_whether_memory_grows_is_not_judged_by_a_minute() -> None:
    figures = module("show_figures")
    minute = [(float(at_s), 100_000_000 + at_s * 1_000_000) for at_s in range(0, 61, 2)]
    result = figures.document(figures.Found(20, 5.0, samples=minute))
    assert result["memory_growth_bytes_per_minute"] == 60_000_000
    assert "memory_growth_bytes_per_minute" in result["not_measured"]


def test_what_is_over_in_the_first_third_is_no_growth() -> None:
    samples = [(float(at_s), 100_000_000 + min(at_s, 600) * 100_000) for at_s in range(0, 1_801, 2)]
    assert module("show_figures").growth_per_minute(samples) == 0


def test_a_part_that_was_left_out_is_said() -> None:
    figures, sample = module("tally_figures"), module("views").Sample
    samples = [sample(0.0, {"candidate": 0}), sample(10.0, {"candidate": 1_000_000})]
    counted = module("counting").Count(samples, samples[0], 0.0, spent(), 1)
    result = figures.document(figures.Found([figures.Tallied(counted, 30_000, 1, 0, {})]))
    assert (result["missed"], result["not_measured"]) == ([], ["ratio_to_reference", "retained_rate"])
