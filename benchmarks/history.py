"""How long PostgreSQL takes to say how a result came about, when a day-long election with a million votes lies behind it.

    ./livetally bench history [--json] [--quick] [options]

docs/benchmarks.md says what each figure means. Exit code 1 if an answer is not the votes that were put in.
"""

import argparse
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

from harness.cost import Meter, cost
from harness.database import owner
from harness.history_figures import Asked, Found, document, rows
from harness.holding import hold
from harness.saying import Phases
from harness.stand import Stand
from livetally.adapters.history import EVERYWHERE, History
from livetally.adapters.postgres import connect
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.core.elections import Candidate, Election
from livetally.embedded.services import DATABASE
from livetally.register.places import counties

FULL = {"votes": 1_000_000, "hours": 24}
QUICK = {name: size // 10 for name, size in FULL.items()}
BYTES_PER_ROW, BYTES_BESIDES = 700, 1_000_000_000

COUNT: LiteralString = """
INSERT INTO tally_generations (fingerprint, state, reason) VALUES ('bench', 'shown', 'bench history') RETURNING generation
"""
# Minute by minute, as the tally meets them. Every place, every candidate and every minute has a row; the votes are spread evenly over them.
PLACES: LiteralString = """
INSERT INTO history (generation, election_id, state, from_time, candidate_id, span_minutes, votes, late, batch)
SELECT %(generation)s, election_id, state, %(first)s + make_interval(mins => minute), candidate_id, 1,
       (number + 1) * %(votes)s::bigint / %(cells)s - number * %(votes)s::bigint / %(cells)s, 0, minute
FROM (
    SELECT minute, k.election_id, state, k.candidate_id,
           row_number() OVER (PARTITION BY k.election_id ORDER BY minute, state, k.candidate_id) - 1 AS number
    FROM generate_series(0, %(minutes)s - 1) AS minute, unnest(%(states)s::text[]) AS state, candidates k
) AS cells
ORDER BY minute, election_id, state, candidate_id
"""
EVERYWHERE_TOO: LiteralString = """
INSERT INTO history (generation, election_id, state, from_time, candidate_id, span_minutes, votes, late, batch)
SELECT generation, election_id, '', from_time, candidate_id, 1, sum(votes), sum(late), max(batch)
FROM history GROUP BY generation, election_id, from_time, candidate_id ORDER BY from_time
"""
# A row is met by several batches: what it was before stays in the table until that is vacuumed.
CHANGED: LiteralString = "UPDATE history SET batch = batch + 1"
TOTALS: LiteralString = """
INSERT INTO group_totals (generation, election_id, view, group_1, group_2, candidate_id, votes, batch)
SELECT generation, election_id, 'candidate', candidate_id, '', '', sum(votes), max(batch) FROM history WHERE state = ''
GROUP BY generation, election_id, candidate_id
"""


class HistoryBench:
    """A table filled as a day of the tally leaves it, and asked as `livetally history`, the API and the page ask it."""

    def __init__(self, options: argparse.Namespace, on: Stand, phases: Phases) -> None:
        self._options = options
        self._stand = on
        self._phase = phases.phase
        self._elections = [f"election-{number}" for number in range(options.elections)]
        self._states = [county.name for county in counties()]

    def run(self) -> Found:
        options = self._options
        with self._phase("fill", f"a past of {options.hours} hours, {options.votes:,} votes, {len(self._states)} places"):
            count = self._fill()
        meter = Meter()
        first = meter.read()
        asked = "asking for everywhere and for one place, in turns, until every place has been asked for"
        with self._phase("ask", asked), closing(connect(self._stand.roll_url, "history", Rights.LOOK)) as ours:
            past = History(ours)
            both = [(self._ask(past, EVERYWHERE), self._ask(past, state)) for state in self._states]
        overall, county = ([one[side] for one in both] for side in (0, 1))
        return Found(overall, county, count, options.votes, cost(first, meter.read()).others_share)

    def _fill(self) -> int:
        options = self._options
        first = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
        minutes = options.hours * 60
        with owner(self._stand.roll_url) as connection:
            (generation,) = connection.execute(COUNT).fetchone() or (0,)
            for election_id in self._elections:
                _hold(Roll(connection), election_id, options.candidates)
            connection.execute(
                PLACES,
                {
                    "generation": generation,
                    "first": first,
                    "minutes": minutes,
                    "votes": options.votes,
                    "cells": minutes * len(self._states) * options.candidates,
                    "states": self._states,
                },
            )
            for statement in (EVERYWHERE_TOO, CHANGED, TOTALS):
                connection.execute(statement)
            self._stand.settle("history")
            connection.execute("ANALYZE")
            (count,) = connection.execute("SELECT count(*) FROM history").fetchone() or (0,)
        return int(count)

    def _ask(self, past: History, state: str) -> Asked:
        """All that a chart and its page are made of: the span, the series, and how many votes the pace does not know."""
        election_id = self._elections[0]
        began_s = time.perf_counter()
        series = past.series(election_id, state)
        off_pace = past.off_pace(election_id)
        took_ms = (time.perf_counter() - began_s) * 1e3
        return Asked(took_ms, len(series.ends), sum(votes[-1] for votes in series.votes.values()), sum(off_pace))


def _hold(roll: Roll, election_id: str, candidates: int) -> None:
    roll.add_election(Election(election_id, election_id, "simulated", "draft", 1, None, None))
    ids = (f"{election_id}-candidate-{number}" for number in range(candidates))
    roll.add_candidates([Candidate(one, f"Name {one}", f"Party {one}", "A life.", "A plan.", "", election_id) for one in ids])


def main() -> int:
    options = _options()
    minutes, groups = options.hours * 60, (len(counties()) + 1) * options.candidates * options.elections

    def measure(on: Stand, phases: Phases) -> tuple[dict[str, Any], float]:
        found = HistoryBench(options, on, phases).run()
        return document(found), found.others_share

    return hold("history", options, minutes * groups * BYTES_PER_ROW + BYTES_BESIDES, frozenset({DATABASE}), measure, rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="livetally bench history", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output and nothing else")
    parser.add_argument("--quick", action="store_true", help="a tenth of the votes in a tenth of the day: for trying, not for telling")
    parser.add_argument("--votes", type=int, metavar="N", help="votes of each election (default: 1000000)")
    parser.add_argument("--hours", type=int, metavar="H", help="how long each of them lasted (default: 24)")
    parser.add_argument("--candidates", type=int, default=3, metavar="N", help="who stand for election (default: %(default)s)")
    parser.add_argument(
        "--elections", type=int, default=1, metavar="N", help="elections of the same day; one of them is asked for (default: %(default)s)"
    )
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the temporary directory is made (default: where temporary files go)")
    options = parser.parse_args()
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if min(options.votes, options.hours, options.candidates, options.elections) < 1:
        parser.error("there must be at least one of everything: votes, hours, candidates, elections")
    return options


if __name__ == "__main__":
    sys.exit(main())
