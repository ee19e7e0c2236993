"""What `bench record` tells: one document for programs, some rows for people."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from harness.contender import Peer
from harness.cost import HARNESS, Cost
from harness.goals import at_least, at_most, judged
from harness.latency import Latency
from harness.recorder import Fill
from harness.report import Row

PEERS = {"loop": "per_vote_loop", "rows": "rows_32"}
EARLY_SHARE = 10  # the retained rate compares a tenth of the votes at the end with the first tenth
CURVE_POINTS = 30
LOOP_RATIO_MIN, ROWS_RATIO_MIN, RETAINED_MIN, P50_MS_MAX, P99_MS_MAX, MEMORY_RATIO_MAX = 25, 3, 0.8, 50, 200, 1.1
GOALS = (
    at_least("ratio_to_loop", LOOP_RATIO_MIN),
    at_least("ratio_to_rows", ROWS_RATIO_MIN),
    at_least("retained_rate", RETAINED_MIN),
    at_most("latency_p50_ms", P50_MS_MAX),
    at_most("latency_p99_ms", P99_MS_MAX),
    at_most("peak_memory_ratio", MEMORY_RATIO_MAX),
)


@dataclass
class Found:
    """Everything that was measured; a part that was left out leaves nothing."""

    fills: list[Fill] = field(default_factory=list)
    backlog: tuple[int, int] = (0, 0)  # ballots and votes of the fill
    ledger_bytes: Mapping[str, int] = field(default_factory=dict)
    topic_bytes: Mapping[str, int] = field(default_factory=dict)
    small: Fill | None = None
    peers: dict[str, list[Peer]] = field(default_factory=lambda: {name: [] for name in PEERS})
    latency: Latency | None = None
    retained: Fill | None = None
    faults: list[str] = field(default_factory=list)


def document(found: Found) -> dict[str, Any]:
    rate = median(fill.votes_per_s for fill in found.fills)
    peak = max(fill.peak_memory_bytes for fill in found.fills)
    small = found.small.peak_memory_bytes if found.small else None
    retained = _retained(found.retained) if found.retained else None
    result: dict[str, Any] = {
        "ok": not found.faults,
        "faults": found.faults,
        "votes_per_s": round(rate),
        "ratio_to_loop": _ratio(rate, found.peers["loop"]),
        "ratio_to_rows": _ratio(rate, found.peers["rows"]),
        "retained_rate": retained["retained_rate"] if retained else None,
        "retained_by_processor_time": retained["retained_by_processor_time"] if retained else None,
        "latency_p50_ms": found.latency.percentiles_ms[50] if found.latency else None,
        "latency_p99_ms": found.latency.percentiles_ms[99] if found.latency else None,
        "peak_memory_bytes": peak,
        "peak_memory_bytes_at_a_tenth": small,
        "peak_memory_ratio": round(peak / small, 3) if small else None,
        "processor_ratio_to_loop": _processor_ratio(found, "loop"),
        "processor_ratio_to_rows": _processor_ratio(found, "rows"),
    }
    return (
        result
        | judged(GOALS, result)
        | {
            "fills": [_fill(fill) for fill in found.fills],
            "per_vote": _per_vote(found),
            "peers": {PEERS[name]: [_peer(peer) for peer in peers] for name, peers in found.peers.items()},
            "retained": retained,
            "latency": _latency(found.latency) if found.latency else None,
        }
    )


def _ratio(rate: float, peers: Sequence[Peer]) -> float | None:
    return round(rate / median(peer.votes_per_s for peer in peers), 2) if peers else None


def _processor_ratio(found: Found, name: str) -> float | None:
    """How many times the processor time of ours a vote costs the peer: what a busy machine changes least."""
    peers = found.peers[name]
    ours = median(_processor_us(fill.cost, fill.votes_in_time) for fill in found.fills)
    return round(median(_processor_us(peer.cost, peer.votes) for peer in peers) / ours, 2) if peers and ours else None


def _processor_us(spent: Cost, votes: int) -> float:
    return sum(us for name, us in spent.us_per(votes).items() if name != HARNESS)


def _fill(fill: Fill) -> dict[str, Any]:
    return {
        "votes_per_s": round(fill.votes_per_s),
        "ballots_per_s": round(fill.ballots_per_s),
        "votes": fill.samples[-1].accepted,
        "ballots": fill.samples[-1].ballots,
        "seconds": round(fill.seconds, 2),
        "seconds_before_first_batch": round(fill.samples[0].at_s - fill.spawned_at_s, 2),
        "peak_memory_bytes": fill.peak_memory_bytes,
        "processor_us_per_vote": fill.cost.us_per(fill.votes_in_time),
        "cores_busy": fill.cost.cores(),
        "others_share_of_machine": fill.cost.others_share,
    }


def _per_vote(found: Found) -> dict[str, Any]:
    """Bytes of the whole fill, by the votes in it; rejected ballots and stored rejections are charged to the votes."""
    ballots, votes = found.backlog
    ledger, topics = found.ledger_bytes, found.topic_bytes
    costs = [fill.cost.us_per(fill.votes_in_time) for fill in found.fills]
    return {
        "bytes": {
            "postgresql_heap": round(ledger["votes_heap"] / votes, 1),
            "postgresql_indexes": round(ledger["votes_indexes"] / votes, 1),
            "postgresql_all_tables": round(ledger["database"] / votes, 1),
            "postgresql_wal": round(ledger["wal"] / votes, 1),
            "kafka_votes_topic": round(topics["votes_topic"] / votes, 1),
            "kafka_rejected_ballots": round(topics["rejected_ballots"] / votes, 1),
            "kafka_ballot_read": round(topics["ballots_topic"] / ballots, 1),
        },
        "processor_us": {name: round(median(one[name] for one in costs), 2) for name in costs[0]},
    }


def _peer(peer: Peer) -> dict[str, Any]:
    return {
        "votes_per_s": round(peer.votes_per_s),
        "votes": peer.votes,
        "seconds": round(peer.seconds, 2),
        "bottleneck": peer.bottleneck,
        "processor_us_per_vote": peer.cost.us_per(peer.votes),
        "cores_busy": peer.cost.cores(),
        "others_share_of_machine": peer.cost.others_share,
    }


def _retained(fill: Fill) -> dict[str, Any]:
    votes = fill.samples[-1].accepted
    began, window = fill.began.accepted, votes // EARLY_SHARE
    early, late = _window(fill, began, began + window), _window(fill, votes - window, votes)
    step = votes / CURVE_POINTS
    return {
        "retained_rate": round(late["votes_per_s"] / early["votes_per_s"], 3),
        # The kernel counts in hundredths of a second: a small fill may have cost none.
        "retained_by_processor_time": round(early["processor_us_per_vote"] / (late["processor_us_per_vote"] or math.inf), 3),
        "early": early,
        "late": late,
        "rate_by_votes": {
            round(number * step): round(fill.rate_between(round((number - 1) * step), round(number * step)))
            for number in range(1, CURVE_POINTS + 1)
        },
    } | _fill(fill)


def _window(fill: Fill, first: int, last: int) -> dict[str, float]:
    votes, spent = fill.cost_between(first, last)
    return {
        "votes": last - first,
        "votes_per_s": round(fill.rate_between(first, last), 1),
        "processor_us_per_vote": round(_processor_us(spent, votes), 2),
        "others_share_of_machine": spent.others_share,
    }


def _latency(latency: Latency) -> dict[str, Any]:
    return {
        "ballots": latency.ballots,
        "seconds": round(latency.seconds, 1),
        **{f"p{percent}_ms": value for percent, value in latency.percentiles_ms.items()},
        "max_ms": latency.max_ms,
        "caster_late_ms": latency.late_ms,
    }


def rows(result: Mapping[str, Any]) -> list[Row]:
    """The figures that somebody promised something about, then what they are made of."""
    fill, bytes_, us = result["fills"][-1], result["per_vote"]["bytes"], result["per_vote"]["processor_us"]
    found: list[Row] = [
        ("votes per second", f"{result['votes_per_s']:,}", "50,000 where the loop makes 2,000"),
        ("times the per-vote loop", _text(result["ratio_to_loop"]), f"≥ {LOOP_RATIO_MIN}"),
        ("times 32 connections", _text(result["ratio_to_rows"]), f"≥ {ROWS_RATIO_MIN}"),
        ("the loop's processor time per vote, times ours", _text(result["processor_ratio_to_loop"]), ""),
        ("32 connections' processor time per vote, times ours", _text(result["processor_ratio_to_rows"]), ""),
        ("rate retained at the end", _text(result["retained_rate"]), f"≥ {RETAINED_MIN}"),
        ("the same, by processor time", _text(result["retained_by_processor_time"]), ""),
        ("latency p50, ms", _text(result["latency_p50_ms"]), f"≤ {P50_MS_MAX}"),
        ("latency p99, ms", _text(result["latency_p99_ms"]), f"≤ {P99_MS_MAX}"),
        ("peak memory, MB", f"{result['peak_memory_bytes'] / 1e6:,.0f}", ""),
        ("times that at a tenth", _text(result["peak_memory_ratio"]), f"≤ {MEMORY_RATIO_MAX}"),
    ]
    found += [
        (f"{name}, votes per second", " · ".join(f"{one['votes_per_s']:,}" for one in many), many[-1]["bottleneck"])
        for name, many in result["peers"].items()
        if many
    ]
    found += [(f"processor time per vote, {name}", f"{value:.1f} µs", "") for name, value in us.items()]
    found += [(f"per vote, {name.replace('_', ' ')}", f"{value:,.0f} bytes", "") for name, value in bytes_.items()]
    found.append(("others on this machine meanwhile", f"{fill['others_share_of_machine']:.0%}", "0%"))
    found.append(("counts", "right" if result["ok"] else "WRONG", "right"))
    return found


def _text(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,}"
