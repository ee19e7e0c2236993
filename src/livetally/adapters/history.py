"""How the result came about: every candidate's votes over time, from what the tally has kept by minute of voting."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries

EVERYWHERE = ""
POINTS_MAX = 500  # more than a chart has pixels for


@dataclass(frozen=True, slots=True)
class Series:
    """`votes[candidate][n]`: counted for a candidate from ballots cast before `ends[n]` (UTC), in steps of whole minutes.

    Where an election lasts so long that its beginning is kept by the hour, in steps of whole hours.
    """

    ends: list[datetime]
    votes: dict[str, list[int]]


class OffPace(NamedTuple):
    """Votes that are in every total and missing in the votes per minute."""

    late: int  # they came when their minute was closed; the past has them
    untimed: int  # they say no time of voting; the past does not have them either


class History:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("history")

    def series(self, election_id: str, state: str = EVERYWHERE, points_max: int = POINTS_MAX) -> Series:
        """Exact at each of its points; between them nothing is said. `state`: one of them alone."""
        where = {"election_id": election_id, "state": state}
        first, end, unit_minutes = self._connection.execute(self._sql["span"], where).fetchone() or (None, None, None)
        if first is None:
            return Series([], {})
        units = math.ceil((end - first) / timedelta(minutes=unit_minutes))
        units_per_step = math.ceil(units / points_max)
        steps, step_minutes = math.ceil(units / units_per_step), units_per_step * unit_minutes
        votes: dict[str, list[int]] = {}
        for step, candidate_id, total in self._connection.execute(
            self._sql["series"], where | {"first": first, "step_s": step_minutes * 60}
        ):
            known = votes.setdefault(candidate_id, [])
            known += [known[-1] if known else 0] * (step - len(known))
            known.append(total)
        for known in votes.values():
            known.extend(known[-1:] * (steps - len(known)))
        return Series([first + timedelta(minutes=step_minutes * (number + 1)) for number in range(steps)], votes)

    def off_pace(self, election_id: str) -> OffPace:
        row = self._connection.execute(self._sql["off_pace"], {"election_id": election_id}).fetchone()
        return OffPace(*row) if row else OffPace(0, 0)
