"""The figures of `bench api`: as one document, and as a table for people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from harness.api_stack import Served
from harness.goals import at_least, at_most, judged
from harness.report import Row

BALLOTS_PER_S_MIN, P99_MS_MAX, RATIO_MIN, STREAM_DELAY_S_MAX = 1_500.0, 150.0, 0.5, 2.0
GOALS = (
    at_least("ballots_per_s", BALLOTS_PER_S_MIN),
    at_most("p99_ms", P99_MS_MAX),
    at_least("ratio_to_bare", RATIO_MIN),
    at_most("lost", 0),
    at_most("stream_delay_s", STREAM_DELAY_S_MAX),
)


@dataclass
class Found:
    served: Served = field(init=False)
    bare: list[Served] = field(default_factory=list)
    lost: int = 0
    stream_listeners: int = 0
    stream_delays_s: list[float] = field(default_factory=list)  # of each update: until the last listener had it
    faults: list[str] = field(default_factory=list)


def document(found: Found) -> dict[str, Any]:
    served = found.served
    bare_per_s = fmean(one.ballots_per_s for one in found.bare)
    figures: dict[str, Any] = {
        "ballots_per_s": round(served.ballots_per_s, 1),
        **_delays(served),
        "ratio_to_bare": round(served.ballots_per_s / bare_per_s, 3),
        "processor_ratio_to_bare": round(_api_us(found.bare) / _api_us([served]), 3),
        "bare_ballots_per_s": [round(one.ballots_per_s, 1) for one in found.bare],
        "ballots": len(served.acknowledged),
        "lost": found.lost,
        "stream_listeners": found.stream_listeners,
        "stream_delay_s": round(max(found.stream_delays_s), 3) if found.stream_delays_s else None,
        "stream_updates": len(found.stream_delays_s),
        "processor_us_per_ballot": served.cost.us_per(len(served.acknowledged)),
        "bare_processor_us_per_ballot": found.bare[-1].cost.us_per(len(found.bare[-1].acknowledged)),
        "cores_busy": served.cost.cores(),
        "others_share_of_machine": served.cost.others_share,
    }
    return figures | {"ok": not found.faults, "faults": found.faults} | judged(GOALS, figures)


def rows(result: Mapping[str, Any]) -> Iterable[Row]:
    yield "acknowledged ballots a second", f"{result['ballots_per_s']:,.0f}", f"{BALLOTS_PER_S_MIN:,.0f}"
    yield "  half of them within", f"{result['p50_ms']:.0f} ms", ""
    yield "  99 of 100 within", f"{result['p99_ms']:.0f} ms", f"{P99_MS_MAX:.0f} ms"
    yield "  without Kafka", " · ".join(f"{one:,.0f}" for one in result["bare_ballots_per_s"]), ""
    yield "  the one by the other", f"{result['ratio_to_bare']:.2f}", f"{RATIO_MIN:.2f}"
    yield "  by processor time of the API", f"{result['processor_ratio_to_bare']:.2f}", ""
    yield "acknowledged and not in the ledger", f"{result['lost']:,}", "0"
    if result["stream_delay_s"] is not None:
        yield (
            f"update to the last of {result['stream_listeners']} listeners",
            f"{result['stream_delay_s']:.2f} s",
            f"{STREAM_DELAY_S_MAX:g} s",
        )
    for name, used in result["processor_us_per_ballot"].items():
        yield f"processor time per ballot: {name}", f"{used:.0f} µs", ""


def _delays(served: Served) -> dict[str, float]:
    delays = served.delays_ms()
    return {f"p{share}_ms": round(delays[min(len(delays) - 1, len(delays) * share // 100)], 1) for share in (50, 95, 99)}


def _api_us(served: list[Served]) -> float:
    return fmean(one.cost.processor_s["api"] / len(one.acknowledged) * 1e6 for one in served)
