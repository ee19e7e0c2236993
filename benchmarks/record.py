"""How fast *record* fills a ledger from a backlog, against two peers in the same run.

    ./livetally bench record [--json] [--quick] [options]

docs/benchmarks.md says what each figure means. Exit code 1 if a count is wrong: a fast ledger that is wrong is worth nothing.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from harness import latency
from harness.backlog import BAD_PER_BLOCK, BLOCK, Backlog
from harness.check import faults
from harness.contender import run_peer
from harness.database import owner
from harness.electorate import Contest, register
from harness.footprint import grown, ledger_bytes, topic_bytes
from harness.holding import hold
from harness.record_figures import PEERS, Found, document, rows
from harness.recorder import recorders
from harness.saying import Phases, say
from harness.stand import RECORDING, Stand
from livetally.core.elections import DEFAULT_SEED
from livetally.core.wire import BALLOTS, REJECTED, VOTERS, VOTES

PARTS = ("peers", "memory", "latency", "retained")
FULL = {"ballots": 1_000_000, "votes_retained": 3_000_000, "peer_seconds": 20.0, "latency_seconds": 30.0}
QUICK = {"ballots": 100_000, "votes_retained": 300_000, "peer_seconds": 5.0, "latency_seconds": 10.0}
BYTES_PER_VOTER = 4_500  # roll, ledger, and the topics with what is deleted only later
BYTES_BESIDES = 3_000_000_000  # the write-ahead log, and a backlog that is recorded more than once


class RecordBench:
    """Every contender finds the same: everybody registered, the ballots on their topic, the ledger and the outputs empty."""

    def __init__(self, options: argparse.Namespace, on: Stand, phases: Phases) -> None:
        self._options = options
        self._stand = on
        self._phase = phases.phase
        self._steady = _steady(options) if "latency" in options.only else 0
        self._voters = max(options.ballots, options.ballots - options.ballots // BLOCK * BAD_PER_BLOCK + self._steady)
        self.found = Found()

    def run(self) -> Found:
        options = self._options
        contest = self._register(self._voters)
        backlog = Backlog(contest, max(self._voters, options.votes_retained))
        self._cast(backlog, ballots=options.ballots // 10)
        if "memory" in options.only:
            self._memory(backlog)
        self._cast(backlog, ballots=options.ballots)
        self._peers(PEERS)
        for number in range(options.rounds):
            self._fill(backlog, is_last=number == options.rounds - 1)
            self._peers(reversed(PEERS))
        if "retained" in options.only:
            self._register(options.votes_retained)
            self._cast(backlog, votes=options.votes_retained)
            self._retained(backlog)
        return self.found

    def _register(self, voters: int) -> Contest:
        with self._phase("register", f"registering {voters:,} people"):
            contest = register(self._stand, self._options.seed, voters)
            self._stand.settle("voters")
        return contest

    def _cast(self, backlog: Backlog, *, ballots: int = 0, votes: int = 0) -> None:
        with self._phase("cast", f"casting up to {max(ballots, votes):,} {'ballots' if ballots else 'votes'}"):
            backlog.cast(self._stand.kafka, ballots=ballots, votes=votes)

    def _memory(self, backlog: Backlog) -> None:
        with (
            self._contest() as url,
            self._phase("memory", f"record, a backlog of {backlog.ballots:,}: its memory"),
            recorders(self._stand, url) as running,
        ):
            self.found.small = running.fill(backlog.ballots)

    def _peers(self, names: Iterable[str]) -> None:
        for name in names if "peers" in self._options.only else ():
            with self._contest() as url, self._phase(name, f"{PEERS[name]}, for {self._options.peer_seconds:.0f} s"):
                peer = run_peer(self._stand, url, PEERS[name], self._options.peer_seconds)
                self.found.peers[name].append(peer)
                say(f"   {peer.votes_per_s:,.0f} votes/s; {peer.bottleneck}")

    def _fill(self, backlog: Backlog, *, is_last: bool) -> None:
        with self._contest() as url, recorders(self._stand, url) as running:
            with self._phase("record", f"record, a backlog of {backlog.ballots:,}"), owner(url) as connection:
                before = ledger_bytes(connection)
                fill = running.fill(backlog.ballots)
                self.found.fills.append(fill)
                self.found.ledger_bytes = grown(before, ledger_bytes(connection))
                self.found.topic_bytes = {topic: topic_bytes(self._stand.kafka_logs, topic) for topic in (VOTERS, BALLOTS, VOTES, REJECTED)}
                self.found.backlog = (backlog.ballots, backlog.votes)
                say(f"   {fill.votes_per_s:,.0f} votes/s")
            self._check(url, backlog)
            if is_last and self._steady:
                self._latency(backlog)

    def _latency(self, backlog: Backlog) -> None:
        per_s = self._options.latency_rate
        with self._phase("latency", f"{self._steady:,} ballots, {per_s:,.0f} a second"):
            election_id = backlog.contest.election.election_id
            self.found.latency = latency.measure(self._stand.kafka, election_id, backlog.good(self._steady), per_s)

    def _retained(self, backlog: Backlog) -> None:
        on = self._stand
        on.empty_outputs()
        with recorders(on, on.roll_url) as running:  # the last one: it needs no copy
            with self._phase("retained", f"record, a backlog of {backlog.ballots:,}"):
                self.found.retained = running.fill(backlog.ballots)
            self._check(on.roll_url, backlog)

    @contextmanager
    def _contest(self) -> Iterator[str]:
        """The URL of a copy of the database for one contender, and empty outputs."""
        with ExitStack() as until_the_end:
            with self._phase("copy", "a fresh copy of the database, empty outputs"):
                self._stand.empty_outputs()
                url = until_the_end.enter_context(self._stand.copy())
            yield url

    def _check(self, url: str, backlog: Backlog) -> None:
        with self._phase("check", "counting what was recorded"):
            self.found.faults += faults(self._stand, url, backlog)


def main() -> int:
    options = _options()
    voters = max(options.ballots, options.votes_retained if "retained" in options.only else 0)

    def measure(on: Stand, phases: Phases) -> tuple[dict[str, Any], float]:
        found = RecordBench(options, on, phases).run()
        shape = {"recorders": on.settings.recorders, "ballot_partitions": on.settings.ballot_partitions}
        return document(found) | {"sizes": shape}, max(fill.cost.others_share for fill in found.fills)

    return hold("record", options, voters * BYTES_PER_VOTER + BYTES_BESIDES, RECORDING, measure, rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="livetally bench record", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output and nothing else")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything: for trying, not for telling")
    parser.add_argument(
        "--only", type=_parts, default=PARTS, metavar="PART,…", help=f"besides the fill: any of {', '.join(PARTS)}, or none"
    )
    parser.add_argument("--ballots", type=int, metavar="N", help="backlog of the measured fill (default: 1000000)")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="how often it is filled, peers in between (default: 1)")
    parser.add_argument("--peer-seconds", type=float, metavar="S", help="time for each peer, before and after each fill (default: 20)")
    parser.add_argument("--votes-retained", type=int, metavar="N", help="votes of the long fill (default: 3000000)")
    parser.add_argument("--latency-seconds", type=float, metavar="S", help="time of the steady pace (default: 30)")
    parser.add_argument(
        "--latency-rate", type=float, default=1_000.0, metavar="R", help="ballots a second of the steady pace (default: 1000)"
    )
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="S", help="who the people are (default: %(default)s)")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the temporary directory is made (default: where temporary files go)")
    options = parser.parse_args()
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    steady = _steady(options)
    if "retained" in options.only and options.votes_retained < options.ballots + steady:
        parser.error(f"--votes-retained must be at least {options.ballots + steady:,.0f}: the long fill goes on where the others were")
    return options


def _steady(options: argparse.Namespace) -> int:
    return round(options.latency_rate * (latency.WARM_UP_S + options.latency_seconds))


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(part for part in text.split(",") if part != "none")
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: there is {', '.join(PARTS)}, or none")
    return parts


if __name__ == "__main__":
    sys.exit(main())
