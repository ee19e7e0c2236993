"""What `bench run` tells: one document for programs, some rows for people."""

from collections.abc import Mapping
from typing import Any

from harness.goals import at_least, at_most, judged
from harness.process_tree import Usage
from harness.report import Row
from harness.whole_run import Measured, Watched

VOTES_PER_S_MIN, PEAK_MEMORY_BYTES_MAX = 20_000, 4 * 1024**3
TALLY_TABLES = ("cells", "group_totals", "history", "registered_groups", "alerts", "judged", "tally_generations", "tally_positions")
GOALS = (at_least("votes_per_s", VOTES_PER_S_MIN), at_most("peak_memory_bytes", PEAK_MEMORY_BYTES_MAX))


def document(seen: Watched) -> dict[str, Any]:
    seconds = seen.last_vote_s - seen.first_ballot_s
    rate = round(seen.accepted / seconds)
    peak = max(seen.measured, key=lambda one: one.pss_bytes)
    faults = faults_of(seen)
    result: dict[str, Any] = {
        "ok": not faults,
        "faults": faults,
        "votes_per_s": rate,
        "peak_memory_bytes": peak.pss_bytes,
        "audit_ok": seen.exit_code == 0,
        "votes": seen.accepted,
        "ballots": seen.ballots,
        "seconds": round(seconds, 2),
        "checkpoint_bytes": seen.checkpoint_bytes,
        "state_bytes": seen.state_bytes,
        "tally_table_bytes": sum(seen.table_bytes.get(name, 0) for name in TALLY_TABLES),
    }
    return (
        result
        | judged(GOALS, result)
        | {
            "peak_memory_bytes_by_program": {name: one.pss_bytes for name, one in sorted(peak.programs.items())},
            "peak_memory_bytes_by_phase": {name: max((one.pss_bytes for one in part), default=0) for name, part in _phases(seen).items()},
            "table_bytes": dict(sorted(seen.table_bytes.items())),
            "cores_busy": _cores(_phases(seen)["vote"]),
            "tallied": [[round(one.at_s - seen.first_ballot_s, 2), one.least] for one in seen.shown if one.at_s > seen.first_ballot_s],
        }
    )


def faults_of(seen: Watched) -> list[str]:
    found = []
    if seen.exit_code != 0:
        found.append(f"the audit does not hold, or the run has failed: its exit code is {seen.exit_code}")
    found += [
        f"view {view}: {votes:,} votes are announced, and {seen.accepted:,} were accepted"
        for view, votes in seen.shown[-1].shown.items()
        if votes != seen.accepted
    ]
    return found


def _phases(seen: Watched) -> dict[str, list[Measured]]:
    """What was measured before the first ballot, until the last vote was tallied, and while it was audited."""
    first, last = seen.first_ballot_s, seen.last_vote_s
    return {
        "register": [one for one in seen.measured if one.at_s < first],
        "vote": [one for one in seen.measured if first <= one.at_s <= last],
        "audit": [one for one in seen.measured if one.at_s > last],
    }


def _cores(voting: list[Measured]) -> dict[str, float]:
    """How many cores each program kept busy, between the first and the last look while votes were cast and counted."""
    if len(voting) < 2:  # noqa: PLR2004 (a difference needs two)
        return {}
    first, last = voting[0], voting[-1]
    return {
        name: round((one.processor_s - first.programs.get(name, Usage()).processor_s) / (last.at_s - first.at_s), 2)
        for name, one in sorted(last.programs.items())
    }


def rows(result: Mapping[str, Any]) -> list[Row]:
    found = [
        ("votes per second, first cast to last tallied", f"{result['votes_per_s']:,}", f"≥ {VOTES_PER_S_MIN:,}"),
        (
            "peak memory of everything, MiB",
            f"{result['peak_memory_bytes'] / 1024**2:,.0f}",
            f"≤ {PEAK_MEMORY_BYTES_MAX / 1024**2:,.0f}",
        ),
        ("votes", f"{result['votes']:,}", ""),
        ("seconds", f"{result['seconds']:,.1f}", ""),
        ("checkpoint at the end, kB", f"{result['checkpoint_bytes'] / 1e3:,.0f}", ""),
        ("… of it Spark's state, kB", f"{result['state_bytes'] / 1e3:,.0f}", ""),
        ("tables of the tally at the end, MB", f"{result['tally_table_bytes'] / 1e6:,.1f}", ""),
    ]
    found += [
        (f"peak memory, phase {name}, MiB", f"{size / 1024**2:,.0f}", "") for name, size in result["peak_memory_bytes_by_phase"].items()
    ]
    found += [
        (f"… at its peak, {name}, MiB", f"{size / 1024**2:,.0f}", "") for name, size in result["peak_memory_bytes_by_program"].items()
    ]
    found += [(f"cores busy, {name}", f"{cores:.2f}", "") for name, cores in result["cores_busy"].items()]
    found.append(("audit", "holds" if result["audit_ok"] else "DOES NOT HOLD", "holds"))
    found.append(("counts", "right" if result["ok"] else "WRONG", "right"))
    return found
