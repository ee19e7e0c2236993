"""What `bench show` tells: one document for programs, some rows for people."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from harness.goals import Goal, at_most, judged
from harness.latency import percentile
from harness.report import Row

PERCENTS = (50, 95, 99)
BEYOND_REFRESH_S = 1.0  # what the way to the page may take besides waiting for the next refresh
FIRST_VIEW_S_MAX = 2.0
MEMORY_PER_VIEWER_BYTES_MAX = 5_000_000
# A day of 15 hours may add no more than what 20 viewers are allowed. What comes to an end by itself (each group's first vote, what is kept
# once) is over in the first third of the time, which is not compared. Medians of some minutes still differ by a megabyte without anything
# that grows, so it takes half an hour until the limit stands out from that.
GROWTH_BYTES_PER_MINUTE_MAX = 100_000
GROWTH_WATCHED_S_MIN = 1_790.0  # of `--seconds 1800`, from the first sample to the last
WINDOWS = 3  # of the time: the last is compared with the one before it
CURVE_POINTS = 60
MEGABYTE = 1_000_000

Sample = tuple[float, int]  # seconds, bytes
BROWSER = "Chromium"


@dataclass
class Found:
    """`alone_bytes`: the server's memory before the viewers came, one having been there and gone; `samples`: while all of them looked."""

    viewers: int = 0
    refresh_s: float = 0.0
    per_s: float = 0.0
    delays: dict[str, list[tuple[float, float]]] = field(
        default_factory=dict
    )  # of each viewer: announced at (seconds), shown after (seconds)
    first_views_s: dict[str, list[float]] = field(default_factory=dict)  # of each page, until the numbers can be read
    live_s: dict[str, list[float]] = field(default_factory=dict)  # until Streamlit has drawn the same, and one can choose
    alone_bytes: int = 0
    samples: list[Sample] = field(default_factory=list)
    bytes_per_refresh: float = 0.0
    cores_busy: Mapping[str, float] = field(default_factory=dict)
    others_share: float = 0.0
    journey_p95_s: float | None = None
    faults: list[str] = field(default_factory=list)


def document(found: Found) -> dict[str, Any]:
    browser = [delay_s for _, delay_s in found.delays.get(BROWSER, [])]
    sessions = [delay_s for name, one in found.delays.items() if name != BROWSER for _, delay_s in one]
    memory = max((used for _, used in found.samples), default=None)
    result: dict[str, Any] = {
        "ok": not found.faults,
        "faults": found.faults,
        "viewers": found.viewers,
        "refresh_s": found.refresh_s,
        "ballots_per_s": found.per_s,
        "announcements": len(browser),
        **{f"p{percent}_s": _percentile(browser + sessions, percent) for percent in PERCENTS},
        "browser": {f"p{percent}_s": _percentile(browser, percent) for percent in PERCENTS},
        "sessions": {f"p{percent}_s": _percentile(sessions, percent) for percent in PERCENTS},
        "longest_delay_s_by_s": _longest(list(found.delays.values())),
        **_views(found),
        "server_alone_bytes": found.alone_bytes,
        "server_peak_bytes": memory,
        "memory_per_viewer_bytes": None if memory is None else round((memory - found.alone_bytes) / found.viewers),
        "memory_growth_bytes_per_minute": growth_per_minute(found.samples),
        "memory_watched_s": round(found.samples[-1][0] - found.samples[0][0], 1) if found.samples else 0.0,
        "memory_bytes_by_s": _curve(found.samples),
        "bytes_per_refresh": round(found.bytes_per_refresh),
        "cores_busy": found.cores_busy,
        "others_share_of_machine": found.others_share,
    }
    long_enough = result["memory_watched_s"] >= GROWTH_WATCHED_S_MIN
    judgeable = result | ({} if long_enough else {"memory_growth_bytes_per_minute": None})
    return result | judged(goals(found.refresh_s), judgeable)


def goals(refresh_s: float) -> list[Goal]:
    return [
        at_most("p95_s", refresh_s + BEYOND_REFRESH_S),
        at_most("first_view_s", FIRST_VIEW_S_MAX),
        at_most("memory_per_viewer_bytes", MEMORY_PER_VIEWER_BYTES_MAX),
        at_most("memory_growth_bytes_per_minute", GROWTH_BYTES_PER_MINUTE_MAX),
    ]


def growth_per_minute(samples: Sequence[Sample]) -> int | None:
    """From the last but one third of the time to the last: the difference of their medians, by the time between them."""
    size = len(samples) // WINDOWS
    if not size:
        return None
    before, last = samples[-2 * size : -size], samples[-size:]
    grown = median(used for _, used in last) - median(used for _, used in before)
    minutes = (median(at_s for at_s, _ in last) - median(at_s for at_s, _ in before)) / 60
    return round(grown / minutes)


def _views(found: Found) -> dict[str, Any]:
    """The slowest over all pages, and each page by itself."""
    every, live = ([took_s for one in pages.values() for took_s in one] for pages in (found.first_views_s, found.live_s))
    return {
        "first_view_s": _most(every),
        "first_view_median_s": _median(every),
        "live_s": _most(live),
        "live_median_s": _median(live),
        "first_views": {
            page: {
                "views": len(took_s),
                "first_view_s": _most(took_s),
                "first_view_median_s": _median(took_s),
                "live_s": _most(found.live_s[page]),
                "live_median_s": _median(found.live_s[page]),
            }
            for page, took_s in found.first_views_s.items()
        },
    }


def rows(result: Mapping[str, Any]) -> list[Row]:
    refresh_s, per_viewer, growth = (result[name] for name in ("refresh_s", "memory_per_viewer_bytes", "memory_growth_bytes_per_minute"))
    return [
        (
            f"announced to shown, {result['viewers']} viewers, p50 · p95 · p99",
            " · ".join(_text(result[f"p{percent}_s"]) for percent in PERCENTS) + " s",
            f"p95 ≤ {refresh_s + BEYOND_REFRESH_S:g} s, {refresh_s:g} s of it the refresh interval",
        ),
        ("the same in Chromium alone, p95", _text(result["browser"]["p95_s"], "s"), ""),
        ("first view in Chromium, the slowest", _text(result["first_view_s"], "s"), f"≤ {FIRST_VIEW_S_MAX:g} s"),
        *(
            (f"  {page}, slowest · median", f"{_text(one['first_view_s'], 's')} · {_text(one['first_view_median_s'], 's')}", "")
            for page, one in result["first_views"].items()
        ),
        ("until one can choose something there, the slowest", _text(result["live_s"], "s"), ""),
        (
            "the server's memory per viewer",
            "not measured" if per_viewer is None else f"{per_viewer / MEGABYTE:.1f} MB",
            f"≤ {MEMORY_PER_VIEWER_BYTES_MAX / MEGABYTE:g} MB",
        ),
        (
            f"its growth a minute, at the end of {result['memory_watched_s']:.0f} s",
            "not measured" if growth is None else f"{growth / 1000:,.0f} kB",
            f"≤ {GROWTH_BYTES_PER_MINUTE_MAX / 1000:.0f} kB, judged from {GROWTH_WATCHED_S_MIN:.0f} s on",
        ),
        ("the server before the viewers came", f"{result['server_alone_bytes'] / MEGABYTE:.0f} MB", ""),
        ("sent to a viewer with each refresh", f"{result['bytes_per_refresh'] / 1000:.0f} kB", ""),
        ("cores busy with the page", f"{result['cores_busy'].get('page', 0.0):.2f}", ""),
        ("others on this machine meanwhile", f"{result['others_share_of_machine']:.0%}", "0%"),
    ]


def _curve(samples: Sequence[Sample]) -> list[tuple[float, int]]:
    return [(round(at_s - samples[0][0], 1), used) for at_s, used in samples[:: max(1, len(samples) // CURVE_POINTS)]]


def _longest(viewers: Sequence[Sequence[tuple[float, float]]]) -> list[tuple[float, float]]:
    """Of each piece of the time the longest that any viewer waited: whether the page was late all the time, or stood still once."""
    every = sorted(one for viewer in viewers for one in viewer)
    size = math.ceil(len(every) / CURVE_POINTS)
    pieces = [every[first : first + size] for first in range(0, len(every), max(1, size))]
    return [(round(piece[0][0], 1), round(max(delay_s for _, delay_s in piece), 2)) for piece in pieces]


def _percentile(delays_s: Sequence[float], percent: float) -> float | None:
    return round(percentile(sorted(delays_s), percent), 3) if delays_s else None


def _most(took_s: Sequence[float]) -> float | None:
    return round(max(took_s), 3) if took_s else None


def _median(took_s: Sequence[float]) -> float | None:
    return round(median(took_s), 3) if took_s else None


def _text(seconds: float | None, unit: str = "") -> str:
    return "not measured" if seconds is None else f"{seconds:.2f} {unit}".rstrip()
