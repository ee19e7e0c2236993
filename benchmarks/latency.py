"""How long a ballot takes from being cast until the announced total has it in it, with all stages at a steady pace.

    ./livetally bench latency [--json] [--quick] [options]

docs/benchmarks.md says what each figure means. Exit code 1 if a total is wrong.
"""

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.backlog import Backlog
from harness.cost import Cost, Meter, cost
from harness.database import owner, row
from harness.electorate import register
from harness.holding import hold
from harness.journey import Journey
from harness.latency import cast_steadily
from harness.latency_figures import Found, Pace, document, rows
from harness.recorder import Recorders, recorders
from harness.saying import Phases
from harness.spark_process import SparkProcess, spark_process
from harness.stand import Stand
from livetally.commands.backing import LIVETALLY
from livetally.core.elections import DEFAULT_SEED
from livetally.core.errors import ServiceError
from livetally.embedded.services import EVERYTHING

FULL = {"seconds": 60.0, "warm_seconds": 15.0}
QUICK = {"seconds": 6.0, "warm_seconds": 4.0}
FIRST_BALLOTS, FIRST_PER_S = 1_000, 500.0  # everybody wakes up: connections are made, Spark generates its code
FIRST_WITHIN_S, LAST_WITHIN_S = 180.0, 60.0  # Java and Spark start meanwhile; later something has gone wrong
BYTES_PER_VOTER = 5_500  # roll, ledger, topics
BYTES_BESIDES = 3_000_000_000  # the write-ahead log, and checkpoints

VOTES = "SELECT (SELECT count(*) FROM votes), (SELECT coalesce(sum(votes), 0)::bigint FROM cells)"


@dataclass
class Stack:
    """What runs, and who watches it. `programs`: whose processor time is asked for."""

    recording: Recorders
    tally: SparkProcess
    journey: Journey
    programs: dict[str, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.programs = {"recorders": self.recording.pids}


@dataclass(frozen=True, slots=True)
class Cast:
    """Ballots that have all arrived: who cast them, when, and how far the caster was behind its own pace."""

    voter_ids: Sequence[str]
    sent_ns: Sequence[int]
    late_ns: int
    cost: Cost


class LatencyBench:
    """Two recorders and the tally run all the time; the paces follow each other."""

    def __init__(self, options: argparse.Namespace, on: Stand, phases: Phases) -> None:
        self._options = options
        self._stand = on
        self._phase = phases.phase
        self._choices: Counter[str] = Counter()
        self.found = Found()

    def run(self) -> Found:
        options, on = self._options, self._stand
        voters = FIRST_BALLOTS + sum(_ballots(options, per_s) for per_s in options.rates)
        with self._phase("register", f"registering {voters:,} people"):
            backlog = Backlog(register(on, options.seed, voters), voters)
            on.settle("voters")
        with ExitStack() as until_the_end:
            recording = until_the_end.enter_context(recorders(on, on.roll_url))
            tally = until_the_end.enter_context(spark_process(on, "tally", [*LIVETALLY, "tally"], on.environment(on.roll_url)))
            journey = until_the_end.enter_context(Journey(on.kafka, on.roll_url))
            stack = Stack(recording, tally, journey)
            with self._phase("start", "everything starts, and counts the first ballots"):
                self._cast(stack, backlog, FIRST_BALLOTS, FIRST_PER_S, FIRST_WITHIN_S)
            stack.programs |= {"spark": [tally.java_pid()]}
            for per_s in options.rates:
                with self._phase(f"{per_s:g} a second", f"{per_s:,.0f} ballots a second for {options.seconds:.0f} s"):
                    self.found.paces.append(self._pace(stack, backlog, per_s))
            self._check(backlog, journey)
        return self.found

    def _pace(self, stack: Stack, backlog: Backlog, per_s: float) -> Pace:
        journey = stack.journey
        batches, missed = journey.batches, journey.batches_missed
        cast = self._cast(stack, backlog, _ballots(self._options, per_s), per_s, LAST_WITHIN_S)
        uncounted = round(per_s * self._options.warm_seconds)
        return Pace(
            per_s=per_s,
            sent_ns=cast.sent_ns[uncounted:],
            arrivals=[journey.arrival(voter_id) for voter_id in cast.voter_ids[uncounted:]],
            late_s=cast.late_ns / 1e9,
            cost=cast.cost,
            batches=journey.batches - batches,
            batches_missed=journey.batches_missed - missed,
        )

    def _cast(self, stack: Stack, backlog: Backlog, count: int, per_s: float, within_s: float) -> Cast:
        """Cast so many ballots, and follow them until each has arrived."""
        ballots = backlog.good(count)
        self._choices.update(candidate_id for _, candidate_id in ballots)
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        election_id = backlog.contest.election.election_id
        caster = context.Process(target=cast_steadily, args=(self._stand.kafka, election_id, ballots, per_s, theirs), daemon=True)
        caster.start()
        try:
            meter = Meter(alone={"tally": [stack.tally.pid]}, caster=[caster.pid or 0], **stack.programs)
            first = meter.read()
            deadline_s = time.monotonic() + count / per_s + within_s
            while (arrived := stack.journey.announced.total()) < backlog.votes:
                stack.journey.look()
                stack.tally.check()
                if time.monotonic() > deadline_s:
                    raise ServiceError(f"{backlog.votes - arrived:,} ballots have not arrived within {within_s:.0f} s")
            stack.journey.ask()
            last = meter.read()  # the caster is not joined yet, so its account is still there
            sent_ns, late_ns = ours.recv()
        finally:
            caster.terminate()
            caster.join()
        return Cast([voter_id for voter_id, _ in ballots], sent_ns, late_ns, cost(first, last))

    def _check(self, backlog: Backlog, journey: Journey) -> None:
        """By the plain count of the choices, not by what the stages say of themselves."""
        with owner(self._stand.roll_url) as connection:
            in_ledger, in_cells = row(connection, VOTES)
        found: dict[str, tuple[object, object]] = {
            "votes in the ledger": (backlog.votes, in_ledger),
            "votes in the cells": (backlog.votes, in_cells),
            "announced totals": (self._choices, journey.announced),
        }
        self.found.faults += [
            f"{what}: {is_there}, and must be {wanted}" for what, (wanted, is_there) in found.items() if wanted != is_there
        ]
        self.found.faults += journey.faults()


def main() -> int:
    options = _options()
    voters = sum(_ballots(options, per_s) for per_s in options.rates)

    def measure(on: Stand, phases: Phases) -> tuple[dict[str, Any], float]:
        found = LatencyBench(options, on, phases).run()
        return document(found), max(pace.cost.others_share for pace in found.paces)

    return hold("latency", options, voters * BYTES_PER_VOTER + BYTES_BESIDES, EVERYTHING, measure, rows)


def _ballots(options: argparse.Namespace, per_s: float) -> int:
    return round(per_s * (options.warm_seconds + options.seconds))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="livetally bench latency", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output and nothing else")
    parser.add_argument("--quick", action="store_true", help="a tenth of the time: for trying, not for telling")
    parser.add_argument(
        "--rates", type=_rates, default=(1_000.0, 5_000.0), metavar="R,…", help="ballots a second, one after the other (default: 1000,5000)"
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="time of each pace (default: 60)")
    parser.add_argument("--warm-seconds", type=float, metavar="S", help="time of each pace before it, not counted (default: 15)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="S", help="who the people are (default: %(default)s)")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the temporary directory is made (default: where temporary files go)")
    options = parser.parse_args()
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def _rates(text: str) -> tuple[float, ...]:
    try:
        rates = tuple(float(part) for part in text.split(","))
    except ValueError:
        rates = ()
    if not rates or min(rates) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of rates; 1000,5000 is one")
    return rates


if __name__ == "__main__":
    sys.exit(main())
