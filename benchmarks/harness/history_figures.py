"""What `bench history` tells: one document for programs, some rows for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from harness.goals import at_most, judged
from harness.latency import percentile
from harness.report import Row

PERCENT = 95  # of the answers are at least as fast as the figure that is judged
MS_MAX = 100.0
GOALS = (at_most("overall_ms", MS_MAX), at_most("county_ms", MS_MAX))


@dataclass(frozen=True, slots=True)
class Asked:
    """One answer: how long it took, the points of its series, the votes at its end, and those that are said not to be in it."""

    took_ms: float
    points: int
    votes: int
    off_pace: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """`overall`: over all places; `county`: each place once. `rows` are those of the table, `votes` what the election has."""

    overall: Sequence[Asked]
    county: Sequence[Asked]
    rows: int
    votes: int
    others_share: float = 0.0


def document(found: Found) -> dict[str, Any]:
    faults = _faults(found)
    result: dict[str, Any] = {"ok": not faults, "faults": faults}
    for name, asked in (("overall", found.overall), ("county", found.county)):
        took_ms = [one.took_ms for one in asked]
        result |= {
            f"{name}_ms": round(percentile(sorted(took_ms), PERCENT), 1),
            f"{name}_median_ms": round(median(took_ms), 1),
            f"{name}_slowest_ms": round(max(took_ms), 1),
            f"{name}_points": asked[0].points,
        }
    result |= {
        "rows": found.rows,
        "votes": found.votes,
        "places": len(found.county),
        "others_share_of_machine": found.others_share,
    }
    return result | judged(GOALS, result)


def _faults(found: Found) -> list[str]:
    wrong = [
        f"everywhere: the series ends with {one.votes:,} votes, and {found.votes:,} were put in"
        for one in found.overall
        if one.votes != found.votes
    ]
    if (together := sum(one.votes for one in found.county)) != found.votes:
        wrong.append(f"the places together: their series end with {together:,} votes, and {found.votes:,} were put in")
    if off_pace := {one.off_pace for one in (*found.overall, *found.county)} - {0}:
        wrong.append(f"{max(off_pace):,} votes are said to be missing in the votes by minute, and none is")
    return wrong


def rows(result: Mapping[str, Any]) -> list[Row]:
    about = (("overall", "over all places"), ("county", f"one of {result['places']} places"))
    return [
        *(
            (
                f"{text}, p{PERCENT} · median · slowest",
                " · ".join(f"{result[f'{name}_{which}ms']:.1f}" for which in ("", "median_", "slowest_")) + " ms",
                f"≤ {MS_MAX:.0f} ms",
            )
            for name, text in about
        ),
        ("rows of the table", f"{result['rows']:,}", ""),
        ("points of a series", f"{result['overall_points']:,}", ""),
        ("others on this machine meanwhile", f"{result['others_share_of_machine']:.0%}", "0%"),
        ("answers", "right" if result["ok"] else "WRONG", "right"),
    ]
