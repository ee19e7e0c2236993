"""What `bench show` tells: one document for programs, some rows for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

from harness.latency import percentile
from harness.report import Row

PERCENTS = (50, 95, 99)
BEYOND_REFRESH_S = 1.0  # what the way to the page may take besides waiting for the next refresh
FIRST_VIEW_S_MAX = 2.0
MEMORY_PER_VIEWER_BYTES_MAX = 5_000_000
GROWTH_BYTES_MAX = 5_000_000  # while everybody looks on: one viewer's worth is noise, more would go on and on
MEGABYTE = 1_000_000

Sample = tuple[float, int]  # seconds, bytes


@dataclass
class Found:
    """`alone_bytes`: the server's memory before the viewers came, one having been there and gone; `samples`: while all of them looked."""

    viewers: int = 0
    refresh_s: float = 0.0
    per_s: float = 0.0
    browser_delays_s: list[float] = field(default_factory=list)
    session_delays_s: list[float] = field(default_factory=list)
    first_views_s: list[float] = field(default_factory=list)  # until the numbers can be read
    live_s: list[float] = field(default_factory=list)  # until Streamlit has drawn the same, and one can choose
    alone_bytes: int = 0
    samples: list[Sample] = field(default_factory=list)
    bytes_per_refresh: float = 0.0
    cores_busy: Mapping[str, float] = field(default_factory=dict)
    others_share: float = 0.0
    journey_p95_s: float | None = None
    faults: list[str] = field(default_factory=list)


def document(found: Found) -> dict[str, Any]:
    every = found.browser_delays_s + found.session_delays_s
    half = len(found.samples) // 2
    memory = max((used for _, used in found.samples), default=0)
    result: dict[str, Any] = {
        "ok": not found.faults,
        "faults": found.faults,
        "viewers": found.viewers,
        "refresh_s": found.refresh_s,
        "ballots_per_s": found.per_s,
        "announcements": len(found.browser_delays_s),
        **{f"p{percent}_s": _percentile(every, percent) for percent in PERCENTS},
        "browser": {f"p{percent}_s": _percentile(found.browser_delays_s, percent) for percent in PERCENTS},
        "sessions": {f"p{percent}_s": _percentile(found.session_delays_s, percent) for percent in PERCENTS},
        "first_view_s": round(max(found.first_views_s, default=0.0), 3),
        "first_view_median_s": round(median(found.first_views_s), 3) if found.first_views_s else 0.0,
        "live_s": round(max(found.live_s, default=0.0), 3),
        "live_median_s": round(median(found.live_s), 3) if found.live_s else 0.0,
        "first_views": len(found.first_views_s),
        "server_alone_bytes": found.alone_bytes,
        "server_peak_bytes": memory,
        "memory_per_viewer_bytes": round((memory - found.alone_bytes) / found.viewers) if found.viewers else 0,
        "memory_growth_bytes": round(_mean(found.samples[half:]) - _mean(found.samples[:half])) if half else 0,
        "memory_watched_s": round(found.samples[-1][0] - found.samples[0][0], 1) if found.samples else 0.0,
        "bytes_per_refresh": round(found.bytes_per_refresh),
        "cores_busy": found.cores_busy,
        "others_share_of_machine": found.others_share,
    }
    return result | {"missed": _missed(result)}


def _missed(result: Mapping[str, Any]) -> list[str]:
    goals = {
        "p95_s": result["refresh_s"] + BEYOND_REFRESH_S,
        "first_view_s": FIRST_VIEW_S_MAX,
        "memory_per_viewer_bytes": MEMORY_PER_VIEWER_BYTES_MAX,
        "memory_growth_bytes": GROWTH_BYTES_MAX,
    }
    return [name for name, most in goals.items() if result[name] > most]


def rows(result: Mapping[str, Any]) -> list[Row]:
    refresh_s = result["refresh_s"]
    return [
        (
            f"announced to shown, {result['viewers']} viewers, p50 · p95 · p99",
            " · ".join(f"{result[f'p{percent}_s']:.2f}" for percent in PERCENTS) + " s",
            f"p95 ≤ {refresh_s + BEYOND_REFRESH_S:g} s, {refresh_s:g} s of it the refresh interval",
        ),
        ("the same in Chromium alone, p95", f"{result['browser']['p95_s']:.2f} s", ""),
        ("first view in Chromium, the slowest", f"{result['first_view_s']:.2f} s", f"≤ {FIRST_VIEW_S_MAX:g} s"),
        ("until one can choose something there, the slowest", f"{result['live_s']:.2f} s", ""),
        (
            "the server's memory per viewer",
            f"{result['memory_per_viewer_bytes'] / MEGABYTE:.1f} MB",
            f"≤ {MEMORY_PER_VIEWER_BYTES_MAX / MEGABYTE:g} MB",
        ),
        (
            f"its growth over {result['memory_watched_s']:.0f} s",
            f"{result['memory_growth_bytes'] / MEGABYTE:.1f} MB",
            f"≤ {GROWTH_BYTES_MAX / MEGABYTE:g} MB",
        ),
        ("the server before the viewers came", f"{result['server_alone_bytes'] / MEGABYTE:.0f} MB", ""),
        ("sent to a viewer with each refresh", f"{result['bytes_per_refresh'] / 1000:.0f} kB", ""),
        ("cores busy with the page", f"{result['cores_busy'].get('page', 0.0):.2f}", ""),
        ("others on this machine meanwhile", f"{result['others_share_of_machine']:.0%}", "0%"),
    ]


def _percentile(delays_s: Sequence[float], percent: float) -> float:
    return round(percentile(sorted(delays_s), percent), 3) if delays_s else 0.0


def _mean(samples: Sequence[Sample]) -> float:
    return fmean(used for _, used in samples)
