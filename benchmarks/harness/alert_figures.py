"""What `bench alerts` tells: one document for programs, some rows for people, and which bars were missed."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from harness.alert_plants import PACE_NEEDED, Plant
from harness.alert_trial import Outcome, Raised
from harness.report import Row
from livetally.core.alerts import Rule

RECALL_MIN = 0.95
FALSE_ALARMS_PER_CLEAN_ELECTION_MAX = 1 / 20
DELAY_S_MAX = 120.0


def document(planted: Sequence[Outcome], clean: Sequence[Outcome]) -> dict[str, Any]:
    rules = {str(rule): _figures(planted, clean, rule) for rule in Rule}
    whole = _figures(planted, clean, None)
    result = {
        **whole,
        "planted_elections": len(planted),
        "never_cleared": sum(len(outcome.never_cleared) for outcome in (*planted, *clean)),
        "false": [_told(one) for outcome in (*clean, *planted) for one in outcome.false],
        "missed": [
            _planted(plant) for outcome in planted for plant in outcome.plants if not plant.is_small and plant not in outcome.delays_s
        ],
        "rules": rules,
    }
    missed = missed_bars(result)
    return {"ok": not missed, "missed_bars": missed} | result


def missed_bars(result: Mapping[str, Any]) -> list[str]:
    """Over all, and for each rule: one that finds nothing must not hide behind the others."""
    missed = []
    for name, one in {"all rules": result, **result["rules"]}.items():
        if one["recall"] is None or one["recall"] < RECALL_MIN:
            missed.append(f"{name}: recall {one['recall']} is below {RECALL_MIN}")
        if one["delay_s_max"] is not None and one["delay_s_max"] > DELAY_S_MAX:
            missed.append(f"{name}: found after {one['delay_s_max']} s, later than {DELAY_S_MAX:.0f} s")
    if result["false_alarms"] > FALSE_ALARMS_PER_CLEAN_ELECTION_MAX * result["clean_elections"]:
        missed.append(f"{result['false_alarms']} false alarms in {result['clean_elections']} clean elections")
    return missed


def _figures(planted: Sequence[Outcome], clean: Sequence[Outcome], rule: Rule | None) -> dict[str, Any]:
    """Of one rule, or of all."""

    def of(alerts: Iterable[Raised]) -> int:
        return sum(rule in {None, one.alert.rule} for one in alerts)

    large, small = (_found(planted, rule, is_small=is_small) for is_small in (False, True))
    beside = sum(of(outcome.false) for outcome in planted)
    right = sum(delay_s is not None for delay_s in large + small)
    false = sum(of(outcome.false) for outcome in clean)
    return {
        **_recall(large),
        "precision": round(right / (right + beside + false), 4) if right + beside + false else None,
        "false_alarms": false,
        "clean_elections": len(clean),
        "false_alarms_beside_plants": beside,
        "raised_again": sum(of(outcome.again) for outcome in planted),
        "secondary": sum(of(outcome.secondary) for outcome in planted),
        "smaller_places": _recall(small),
    } | ({"pace_needed_per_minute": PACE_NEEDED[rule]} if rule else {})


def _found(planted: Sequence[Outcome], rule: Rule | None, *, is_small: bool) -> list[float | None]:
    """The delay of each plant, None if it was missed."""
    return [
        outcome.delays_s.get(plant)
        for outcome in planted
        for plant in outcome.plants
        if plant.is_small is is_small and rule in {None, plant.rule}
    ]


def _recall(delays_s: Sequence[float | None]) -> dict[str, Any]:
    found = [delay_s for delay_s in delays_s if delay_s is not None]
    return {
        "planted": len(delays_s),
        "found": len(found),
        "recall": round(len(found) / len(delays_s), 4) if delays_s else None,
        "delay_s_median": round(median(found), 1) if found else None,
        "delay_s_max": round(max(found), 1) if found else None,
    }


def _told(one: Raised) -> str:
    return f"minute {one.minute}, {one.alert.rule}: {one.alert.evidence}"


def _planted(plant: Plant) -> str:
    return f"minute {plant.begins:.1f}, {plant.rule} in {plant.place}, strength {plant.strength:.2f}"


def rows(result: Mapping[str, Any]) -> list[Row]:
    found: list[Row] = []
    for name, one in {"all": result, **result["rules"]}.items():
        found += [
            (f"{name}: recall", f"{_percent(one['recall'])} of {one['planted']}", f"≥ {RECALL_MIN:.0%}"),
            (f"{name}: precision", _percent(one["precision"]), ""),
            (f"{name}: delay, median · longest", f"{one['delay_s_median']} · {one['delay_s_max']} s", f"≤ {DELAY_S_MAX:.0f} s"),
            (f"{name}: false alarms, clean · beside plants", f"{one['false_alarms']} · {one['false_alarms_beside_plants']}", ""),
        ]
        if small := one["smaller_places"]["planted"]:
            text = f"{_percent(one['smaller_places']['recall'])} of {small} · {one['smaller_places']['delay_s_median']} s"
            found.append((f"{name}: recall · median delay in smaller places", text, ""))
    found.append(("false alarms in clean elections", f"{result['false_alarms']} in {result['clean_elections']}", "≤ 1 in 20"))
    return found


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
