"""What `bench tally` tells: one document for programs, some rows for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from harness.cost import HARNESS, Cost
from harness.counting import Count
from harness.goals import at_least, judged
from harness.report import Row

ENDS_SHARE = 10  # a tenth of the long backlog at its end, by the first tenth
VOTES_PER_S_MIN, RATIO_MIN, RETAINED_MIN, CELLS_MIN = 100_000, 4, 0.9, 30_000
GOALS = (
    at_least("votes_per_s", VOTES_PER_S_MIN),
    at_least("ratio_to_reference", RATIO_MIN),
    at_least("retained_rate", RETAINED_MIN),
    at_least("cells", CELLS_MIN),
)


@dataclass(frozen=True, slots=True)
class Tallied:
    """A count by *tally*, and what it left behind."""

    count: Count
    cells: int
    checkpoint_bytes: int
    state_bytes: int  # of the checkpoint: what Spark keeps of the votes that it has seen
    table_bytes: Mapping[str, int]  # what has grown in PostgreSQL


@dataclass
class Found:
    """Everything that was measured; a part that was left out leaves nothing."""

    tallies: list[Tallied] = field(default_factory=list)
    peers: list[Count] = field(default_factory=list)
    short: Tallied | None = None
    long: Tallied | None = None
    topic_bytes_per_vote: float = 0.0
    faults: list[str] = field(default_factory=list)

    def counts(self) -> list[Count]:
        ours = [*self.tallies, *(one for one in (self.short, self.long) if one)]
        return [*(one.count for one in ours), *self.peers]


def document(found: Found) -> dict[str, Any]:
    rate = median(one.count.votes_per_s for one in found.tallies)
    last = found.tallies[-1]
    result: dict[str, Any] = {
        "ok": not found.faults,
        "faults": found.faults,
        "votes_per_s": round(rate),
        "ratio_to_reference": _ratio(rate, found.peers),
        "retained_rate": _retained_rate(found),
        "retained_by_processor_time": _retained_by_processor_time(found),
        "processor_ratio_to_reference": _processor_ratio(found),
        "cells": last.cells,
        "checkpoint_bytes": last.checkpoint_bytes,
        "state_bytes": last.state_bytes,
        "postgresql_bytes": _kept(last),
        "processor_us_per_vote": last.count.cost.us_per(last.count.votes_in_time),
        "peak_memory_bytes": max(one.count.peak_memory_bytes for one in found.tallies),
        "bytes_per_vote_message": round(found.topic_bytes_per_vote, 1),
    }
    return (
        result
        | judged(GOALS, result)
        | {
            "tallies": [_tallied(one) for one in found.tallies],
            "reference": [_count(one) for one in found.peers],
            "retained": {"short": _tallied(found.short), "long": _tallied(found.long) | _ends(found.long.count)}
            if found.short and found.long
            else None,
        }
    )


def _ratio(rate: float, peers: Sequence[Count]) -> float | None:
    return round(rate / median(one.votes_per_s for one in peers), 2) if peers else None


def _processor_ratio(found: Found) -> float | None:
    """How many times the processor time of ours a vote costs the peer: what a busy machine changes least."""
    if not found.peers:
        return None
    ours = median(_processor_us(one.count) for one in found.tallies)
    return round(median(map(_processor_us, found.peers)) / ours, 2)


def _retained_rate(found: Found) -> float | None:
    return round(found.long.count.votes_per_s / found.short.count.votes_per_s, 3) if found.short and found.long else None


def _retained_by_processor_time(found: Found) -> float | None:
    return round(_processor_us(found.short.count) / _processor_us(found.long.count), 3) if found.short and found.long else None


def _processor_us(count: Count) -> float:
    return _without_harness(count.cost) / count.votes_in_time * 1e6


def _without_harness(spent: Cost) -> float:
    return sum(used for name, used in spent.processor_s.items() if name != HARNESS)


def _kept(one: Tallied) -> int:
    return sum(size for name, size in one.table_bytes.items() if name != "wal")


def _tallied(one: Tallied) -> dict[str, Any]:
    return _count(one.count) | {
        "cells": one.cells,
        "checkpoint_bytes": one.checkpoint_bytes,
        "state_bytes": one.state_bytes,
        "postgresql_bytes": _kept(one),
        "postgresql_bytes_by_table": dict(one.table_bytes),
    }


def _count(count: Count) -> dict[str, Any]:
    return {
        "votes_per_s": round(count.votes_per_s),
        "votes": round(count.samples[-1].votes),
        "votes_in_time": count.votes_in_time,
        "seconds": round(count.seconds, 2),
        "seconds_before": round(count.began.at_s - count.spawned_at_s, 2),
        "processor_us_per_vote": count.cost.us_per(count.votes_in_time),
        "processor_us_per_vote_in_all": round(_processor_us(count), 2),
        "cores_busy": count.cost.cores(),
        "others_share_of_machine": count.cost.others_share,
        "peak_memory_bytes": count.peak_memory_bytes,
        "shown": [[round(one.at_s - count.spawned_at_s, 2), round(one.votes)] for one in count.samples],
    }


def _ends(count: Count) -> dict[str, Any]:
    """Within the long backlog: the last tenth of the votes by the first."""
    first, last = count.began.votes, count.samples[-1].votes
    window = (last - first) / ENDS_SHARE
    early, late = count.rate_between(first, first + window), count.rate_between(last - window, last)
    return {"rate_of_first_tenth": round(early), "rate_of_last_tenth": round(late), "last_tenth_by_first": round(late / early, 3)}


def rows(result: Mapping[str, Any]) -> list[Row]:
    """The figures that somebody promised something about, then what they are made of."""
    last = result["tallies"][-1]
    found = [
        ("votes per second to all views", f"{result['votes_per_s']:,}", f"≥ {VOTES_PER_S_MIN:,}"),
        ("times one query per view", _text(result["ratio_to_reference"]), f"≥ {RATIO_MIN}"),
        ("… by processor time", _text(result["processor_ratio_to_reference"]), ""),
        ("rate of the long backlog by that of the short", _text(result["retained_rate"]), f"≥ {RETAINED_MIN}"),
        ("… by processor time", _text(result["retained_by_processor_time"]), ""),
        ("cells", f"{result['cells']:,}", f"≥ {CELLS_MIN:,}"),
        ("one query per view, votes per second", " · ".join(f"{one['votes_per_s']:,}" for one in result["reference"]), ""),
        ("bytes of a vote on its topic", f"{result['bytes_per_vote_message']:,.0f}", ""),
    ]
    found += [(f"processor time per vote, {name}", f"{us:.1f} µs", "") for name, us in result["processor_us_per_vote"].items()]
    found += [
        (f"{what} behind {one['votes']:,} votes", f"{one[name] / 1e6:,.2f} MB", "")
        for one in [last, *(result["retained"] or {}).values()]
        for what, name in (("checkpoint", "checkpoint_bytes"), ("PostgreSQL", "postgresql_bytes"))
    ]
    found.append(("peak memory of Python and Spark, MB", f"{result['peak_memory_bytes'] / 1e6:,.0f}", ""))
    found.append(("others on this machine meanwhile", f"{last['others_share_of_machine']:.0%}", "0%"))
    found.append(("counts", "right" if result["ok"] else "WRONG", "right"))
    return found


def _text(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,}"
