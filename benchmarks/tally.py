"""How fast *tally* counts a backlog of votes to all views, against the reference's shape in the same run.

    ./livetally bench tally [--json] [--quick] [options]

docs/benchmarks.md says what each figure means. Exit code 1 if a total is wrong: a fast count that is wrong is worth nothing.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from harness import tally_check
from harness.counting import Count, count
from harness.database import owner
from harness.electorate import register
from harness.footprint import directory_bytes, grown, table_bytes, topic_bytes
from harness.holding import hold
from harness.saying import Phases, say
from harness.spark_process import SparkProcess, spark_process
from harness.stand import Stand
from harness.tally_figures import Found, Tallied, document, rows
from harness.views import SIX, Views, peer_topic
from harness.votes import Known, more_candidates, publish, yesterday
from livetally.commands.backing import LIVETALLY
from livetally.core.elections import DEFAULT_SEED
from livetally.core.wire import CANDIDATES, VOTES, Topic, topics
from livetally.embedded.services import EVERYTHING
from livetally.settings import PREFIX

PARTS = ("peers", "retained")
FULL = {
    "votes": 1_000_000,
    "votes_short": 300_000,
    "votes_long": 3_000_000,
    "batch_votes": 400_000,
    "batch_votes_retained": 50_000,
    "registered": 100_000,
}
QUICK = {name: size // 10 for name, size in FULL.items()}
BYTES_PER_VOTE = 2_400
BYTES_BESIDES = 3_000_000_000  # the write-ahead log, and checkpoints
FEWEST_BATCHES = 2
FULL_BATCH_SHARE = 0.99  # the marks of transactions count towards a batch's limit; its last few votes would be a batch of their own
BENCHMARKS = Path(__file__).resolve().parent


class TallyBench:
    """Every contender finds the same: the votes on their topic, empty topics for its views, an empty database or checkpoint."""

    def __init__(self, options: argparse.Namespace, on: Stand, phases: Phases) -> None:
        self._options = options
        self._stand = on
        self._phase = phases.phase
        self.found = Found()

    def run(self) -> Found:
        options = self._options
        with self._phase("register", f"registering {options.registered:,} people and {options.candidates} candidates"):
            contest = register(self._stand, options.seed, options.registered, yesterday())
            self._contest, self._candidates = more_candidates(self._stand, contest, options.candidates)
            self._stand.settle("voters")
        known = self._publish(options.votes)
        self._peer(known)
        for _ in range(options.rounds):
            self.found.tallies.append(self._tally(known, options.batch_votes))
            self._peer(known)
        if "retained" in options.only:
            # In several batches each: one alone would be counted while the one before it is stored, and seem to cost half.
            self.found.short = self._tally(self._publish(options.votes_short), options.batch_votes_retained)
            self.found.long = self._tally(self._publish(options.votes_long), options.batch_votes_retained)
        return self.found

    def _publish(self, votes: int) -> Known:
        """A backlog of so many, behind those that are counted while everything warms up."""
        warm = self._warm_votes()
        with self._phase("publish", f"publishing {votes:,} votes, and {warm:,} before them to warm up with"):
            self._stand.make_anew([topic for topic in topics(self._stand.settings.ballot_partitions) if topic.name == VOTES])
            known = publish(self._stand, self._contest, self._candidates, warm + votes, self._options.hours)
            self.found.topic_bytes_per_vote = topic_bytes(self._stand.kafka_logs, VOTES) / known.votes
        return known

    def _warm_votes(self) -> int:
        return round(self._options.warm_batches * self._options.batch_votes * FULL_BATCH_SHARE)

    def _tally(self, known: Known, batch_votes: int) -> Tallied:
        on = self._stand
        checkpoints = on.data_dir / "checkpoints"
        shutil.rmtree(checkpoints, ignore_errors=True)
        on.make_anew(topic for topic in topics(on.settings.ballot_partitions) if topic.keep == "latest" and topic.name != CANDIDATES)
        with on.copy() as url, owner(url) as connection:
            before = table_bytes(connection)
            argv, environment = [*LIVETALLY, "tally"], on.environment(url) | _settings(batch_votes)
            with (
                self._phase("tally", f"tally, a backlog of {known.votes:,}"),
                Views(on.kafka, {view.name: view.topic for view in SIX}) as views,
                spark_process(on, "tally", argv, environment) as process,
            ):
                counted = self._count(process, views, known, batch_votes)
            self.found.faults += tally_check.faults(on.kafka, url, known, views)
            after = {name: size for name, size in grown(before, table_bytes(connection)).items() if size}
        state = sum(directory_bytes(path) for path in checkpoints.glob("*/state"))
        return Tallied(counted, len(known.cells), directory_bytes(checkpoints), state, after)

    def _peer(self, known: Known) -> None:
        if "peers" not in self._options.only:
            return
        on = self._stand
        checkpoints = on.data_dir / "peer-checkpoints"
        shutil.rmtree(checkpoints, ignore_errors=True)
        names = {view.name: peer_topic(view.name) for view in SIX}
        on.make_anew(Topic(name, 1, "all", "a view of the peer's, without keys as the reference's") for name in names.values())
        services = on.backing.services
        argv = [sys.executable, "-m", "peers.query_per_view", "--java-home", str(services.java_home)]
        argv += ["--jars", ",".join(map(str, services.spark_jars)), "--checkpoints", str(checkpoints)]
        environment = on.environment(on.roll_url) | _settings(self._options.batch_votes)
        environment["PYTHONPATH"] = os.pathsep.join(part for part in (str(BENCHMARKS), environment.get("PYTHONPATH")) if part)
        with (
            self._phase("peer", f"one query per view, a backlog of {known.votes:,}"),
            Views(on.kafka, names) as views,
            spark_process(on, "peer", argv, environment) as process,
        ):
            self.found.peers.append(self._count(process, views, known, self._options.batch_votes))
        self.found.faults += [f"one query per view: {fault}" for fault in tally_check.topic_faults(known, views)]

    def _count(self, process: SparkProcess, views: Views, known: Known, batch_votes: int) -> Count:
        warm_votes = self._warm_votes() - batch_votes // 2  # where a batch ends is not known so exactly
        counted = count(process, views, known.votes, warm_votes)
        say(f"   {counted.votes_per_s:,.0f} votes/s")
        return counted


def _settings(batch_votes: int) -> dict[str, str]:
    return {f"{PREFIX}TALLY_BATCH_VOTES_MAX": str(batch_votes)}


def main() -> int:
    options = _options()
    votes = max(options.votes, options.votes_long if "retained" in options.only else 0) + options.warm_batches * options.batch_votes

    def measure(on: Stand, phases: Phases) -> tuple[dict[str, Any], float]:
        found = TallyBench(options, on, phases).run()
        return document(found), max(count.cost.others_share for count in found.counts())

    return hold("tally", options, votes * BYTES_PER_VOTE + BYTES_BESIDES, EVERYTHING, measure, rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="livetally bench tally", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output and nothing else")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything: for trying, not for telling")
    parser.add_argument(
        "--only", type=_parts, default=PARTS, metavar="PART,…", help=f"besides the backlog: any of {', '.join(PARTS)}, or none"
    )
    parser.add_argument("--votes", type=int, metavar="N", help="backlog of the measured count (default: 1000000)")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="how often it is counted, the peer in between (default: 1)")
    parser.add_argument("--votes-short", type=int, metavar="N", help="the short backlog of the retained rate (default: 300000)")
    parser.add_argument("--votes-long", type=int, metavar="N", help="the long one (default: 3000000)")
    parser.add_argument("--warm-batches", type=int, default=2, metavar="N", help="full batches before the clock runs (default: 2)")
    parser.add_argument(
        "--batch-votes", type=int, metavar="N", help="LIVETALLY_TALLY_BATCH_VOTES_MAX, for both contenders (default: 400000)"
    )
    parser.add_argument("--batch-votes-retained", type=int, metavar="N", help="the same for the retained rate (default: 50000)")
    parser.add_argument("--candidates", type=int, default=8, metavar="N", help="who stand for election (default: %(default)s)")
    parser.add_argument("--hours", type=float, default=15.0, metavar="H", help="length of the election's day (default: 15, from 7 to 22)")
    parser.add_argument("--registered", type=int, metavar="N", help="people on the roll (default: 100000)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="S", help="who the people are (default: %(default)s)")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the temporary directory is made (default: where temporary files go)")
    options = parser.parse_args()
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if fault := _too_few_batches(options):
        parser.error(fault)
    return options


def _too_few_batches(options: argparse.Namespace) -> str | None:
    """What is timed must be several batches: of one alone only the moments between two of its announcements would be seen."""
    backlogs = [("votes", "batch_votes")]
    if "retained" in options.only:
        backlogs += [("votes_short", "batch_votes_retained"), ("votes_long", "batch_votes_retained")]
    for backlog, batch in backlogs:
        votes, most = getattr(options, backlog), getattr(options, batch)
        if votes < FEWEST_BATCHES * most:
            flags = [f"--{name.replace('_', '-')}" for name in (backlog, batch)]
            return f"{flags[0]} {votes}: at least {FEWEST_BATCHES} batches of {most} are needed for a rate. Take more votes, or a smaller {flags[1]}."
    return None


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(part for part in text.split(",") if part != "none")
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: there is {', '.join(PARTS)}, or none")
    return parts


if __name__ == "__main__":
    sys.exit(main())
