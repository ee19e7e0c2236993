"""What `bench roll` tells: one document for programs, some rows for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cost import Cost
from harness.goals import at_least, judged
from harness.report import Row

ROWS_IN_A_MINUTE = 1_000_000
ROWS_PER_S_MIN = round(ROWS_IN_A_MINUTE / 60)
GOALS = (at_least("rows_per_s", ROWS_PER_S_MIN), at_least("check_rows_per_s", ROWS_PER_S_MIN))


@dataclass(frozen=True, slots=True)
class Passed:
    """The command with all of the file, from its start to its end. `peak_memory_bytes`: of the command itself."""

    seconds: float
    peak_memory_bytes: int
    cost: Cost


@dataclass(frozen=True, slots=True)
class Found:
    rows: int
    file_bytes: int
    check: Passed
    importing: Passed
    faults: list[str] = field(default_factory=list)


def document(found: Found) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ok": not found.faults,
        "faults": found.faults,
        "rows": found.rows,
        "file_bytes": found.file_bytes,
        **_passed(found, found.importing, ""),
        **_passed(found, found.check, "check_"),
    }
    result["others_share_of_machine"] = max(found.importing.cost.others_share, found.check.cost.others_share)
    return result | judged(GOALS, result)


def _passed(found: Found, one: Passed, prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}rows_per_s": round(found.rows / one.seconds),
        f"{prefix}seconds": round(one.seconds, 1),
        f"{prefix}peak_memory_bytes": one.peak_memory_bytes,
        f"{prefix}processor_us_per_row": one.cost.us_per(found.rows),
    }


def rows(result: Mapping[str, Any]) -> list[Row]:
    found: list[Row] = [("rows of the file", f"{result['rows']:,}", "")]
    for prefix, what in (("", "import-roll"), ("check_", "import-roll --check")):
        found += [
            (f"{what}, rows a second", f"{result[f'{prefix}rows_per_s']:,}", f"≥ {ROWS_PER_S_MIN:,}"),
            (f"{what}, seconds", f"{result[f'{prefix}seconds']:,.1f}", ""),
            (f"{what}, its memory at most", f"{result[f'{prefix}peak_memory_bytes'] / 1e6:,.0f} MB", ""),
        ]
        found += [
            (f"{what}, processor time per row, {name}", f"{us:.1f} µs", "") for name, us in result[f"{prefix}processor_us_per_row"].items()
        ]
    found.append(("others on this machine meanwhile", f"{result['others_share_of_machine']:.0%}", "0%"))
    found.append(("counts", "right" if result["ok"] else "WRONG", "right"))
    return found
