"""What `bench latency` tells: one document for programs, some rows for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from harness.cost import Cost
from harness.goals import at_most, judged
from harness.journey import Arrival
from harness.latency import percentile
from harness.report import Row

PERCENTS = (50, 95, 99)
GOALS_S = {50: 0.6, 95: 1.0, 99: 1.5}


@dataclass(frozen=True, slots=True)
class Pace:
    """Ballots cast at a steady pace. `sent_ns` and `arrivals` are of those that are counted, in the order in which they were cast."""

    per_s: float
    sent_ns: Sequence[int]
    arrivals: Sequence[Arrival]
    late_s: float  # how far the caster was behind its own pace, at most
    cost: Cost  # from the first ballot, not counted, to the last arrival
    batches: int
    batches_missed: int


@dataclass
class Found:
    paces: list[Pace] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def document(found: Found) -> dict[str, Any]:
    rates = {f"{pace.per_s:g}": _pace(pace) for pace in found.paces}
    result: dict[str, Any] = {"ok": not found.faults, "faults": found.faults}
    for percent in PERCENTS:
        result[f"p{percent}_s"] = {rate: one[f"p{percent}_s"] for rate, one in rates.items()}
    found_s = {(percent, rate): one[f"p{percent}_s"] for percent in PERCENTS for rate, one in rates.items()}
    named = {f"p{percent}_s at {rate}/s": (GOALS_S[percent], took_s) for (percent, rate), took_s in found_s.items()}
    goals = [at_most(name, limit_s) for name, (limit_s, _) in named.items()]
    return result | judged(goals, {name: took_s for name, (_, took_s) in named.items()}) | {"rates": rates}


def _pace(pace: Pace) -> dict[str, Any]:
    pairs = list(zip(pace.sent_ns, pace.arrivals, strict=True))
    whole = _spread([one.announced_ns - sent for sent, one in pairs])
    stages = {
        "record": _spread([one.vote_ns - sent for sent, one in pairs]),
        "tally": _spread([one.announced_ns - one.vote_ns for _, one in pairs]),
        "tally_until_stored": _spread([one.stored_ns - one.vote_ns for _, one in pairs]),
        "tally_until_announced": _spread([one.announced_ns - one.stored_ns for _, one in pairs]),
    }
    for stage in stages.values():
        stage["share"] = round(stage["mean_s"] / whole["mean_s"], 3)
    return {
        "ballots": len(pairs),
        "seconds": round((pace.sent_ns[-1] - pace.sent_ns[0]) / 1e9, 2),
        **whole,
        "stages": stages,
        "batches": pace.batches,
        "batches_missed": pace.batches_missed,
        "caster_late_s": round(pace.late_s, 3),
        "cores_busy": pace.cost.cores(),
        "others_share_of_machine": pace.cost.others_share,
    }


def _spread(took_ns: Sequence[int]) -> dict[str, float]:
    took_s = sorted(one / 1e9 for one in took_ns)
    return {
        **{f"p{percent}_s": round(percentile(took_s, percent), 3) for percent in PERCENTS},
        "max_s": round(took_s[-1], 3),
        "mean_s": round(fmean(took_s), 3),
    }


def rows(result: Mapping[str, Any]) -> list[Row]:
    found: list[Row] = []
    for rate, one in result["rates"].items():
        found += [
            (f"{rate}/s, cast to announced, p{percent}", f"{one[f'p{percent}_s']:.3f} s", f"≤ {GOALS_S[percent]} s") for percent in PERCENTS
        ]
        found += [
            (
                f"{rate}/s, {name.replace('_', ' ')}",
                " · ".join(f"{stage[f'p{percent}_s']:.3f}" for percent in PERCENTS),
                f"{stage['share']:.0%} of the mean",
            )
            for name, stage in one["stages"].items()
        ]
        found.append((f"{rate}/s, others on this machine meanwhile", f"{one['others_share_of_machine']:.0%}", "0%"))
    found.append(("counts", "right" if result["ok"] else "WRONG", "right"))
    return found
