"""What `bench history` tells: one document for programs, some rows for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from harness.report import Row

GOALS = {"overall_ms": 100.0, "county_ms": 100.0}  # at most


@dataclass(frozen=True, slots=True)
class Asked:
    """One answer: how long it took, the points of its series, and the votes at its end."""

    took_ms: float
    points: int
    votes: int


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
        result |= {f"{name}_ms": round(max(took_ms), 1), f"{name}_median_ms": round(median(took_ms), 1), f"{name}_points": asked[0].points}
    return result | {
        "rows": found.rows,
        "votes": found.votes,
        "places": len(found.county),
        "others_share_of_machine": found.others_share,
        "goals": GOALS,
        "missed": [name for name, most in GOALS.items() if result[name] > most],
    }


def _faults(found: Found) -> list[str]:
    wrong = [
        f"everywhere: the series ends with {one.votes:,} votes, and {found.votes:,} were put in"
        for one in found.overall
        if one.votes != found.votes
    ]
    if (together := sum(one.votes for one in found.county)) != found.votes:
        wrong.append(f"the places together: their series end with {together:,} votes, and {found.votes:,} were put in")
    return wrong


def rows(result: Mapping[str, Any]) -> list[Row]:
    about = (("overall", "over all places"), ("county", f"one of {result['places']} places"))
    return [
        *(
            (
                f"{text}, the slowest · median",
                f"{result[f'{name}_ms']:.1f} · {result[f'{name}_median_ms']:.1f} ms",
                f"≤ {GOALS[f'{name}_ms']:.0f} ms",
            )
            for name, text in about
        ),
        ("rows of the table", f"{result['rows']:,}", ""),
        ("points of a series", f"{result['overall_points']:,}", ""),
        ("others on this machine meanwhile", f"{result['others_share_of_machine']:.0%}", "0%"),
        ("answers", "right" if result["ok"] else "WRONG", "right"),
    ]
