"""What a benchmark has promised: the limit of a figure, and whether what was found is on the right side of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure's limit: the least that it may be, or the most."""

    name: str
    limit: float
    is_most: bool

    def is_reached(self, found: float) -> bool:
        return found <= self.limit if self.is_most else found >= self.limit


def at_least(name: str, limit: float) -> Goal:
    return Goal(name, limit, is_most=False)


def at_most(name: str, limit: float) -> Goal:
    return Goal(name, limit, is_most=True)


def judged(goals: Iterable[Goal], figures: Mapping[str, Any]) -> dict[str, Any]:
    """For the document: every goal with its limit and what was found, which were missed, and which nobody knows.

    A figure that is None was left out or could not be measured: that goal is neither reached nor missed, and it is said.
    """
    goals = list(goals)
    known = [goal for goal in goals if figures[goal.name] is not None]
    return {
        "goals": {goal.name: {"at_most" if goal.is_most else "at_least": goal.limit, "found": figures[goal.name]} for goal in goals},
        "missed": [goal.name for goal in known if not goal.is_reached(figures[goal.name])],
        "not_measured": [goal.name for goal in goals if goal not in known],
    }
