"""How many ballots a second the API acknowledges, with *record* and *tally* running, and how late those who listen hear of it.

    ./livetally bench api [--json] [--quick] [options]

docs/benchmarks.md says what each figure means. Exit code 1 if a ballot that was acknowledged is not in the ledger.
"""

import argparse
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from harness.announcements import Announcements, delays
from harness.api_clients import Ballot
from harness.api_figures import Found, document, rows
from harness.api_stack import ELECTION, Served, Sizes, api, hold_election, listening, serve
from harness.database import owner, row
from harness.electorate import register
from harness.holding import hold
from harness.recorder import recorders
from harness.saying import Phases
from harness.spark_process import spark_process
from harness.stand import Stand
from livetally.commands.backing import LIVETALLY
from livetally.core.elections import DEFAULT_SEED
from livetally.embedded.services import EVERYTHING

FULL = {"seconds": 20.0, "warm_seconds": 10.0, "listeners": 200, "codes_per_s": 4_000.0}
QUICK = {"seconds": 3.0, "warm_seconds": 2.0, "listeners": 20, "codes_per_s": 4_000.0}
SETTLES_S = 3.0  # a batch of the tally, and the tick of a stream
PARTS = 5  # twice warming up and twice without Kafka for half of the time; and once with everything
COUNTED_WITHIN_S = 180.0
LOOK_S = 0.1
BYTES_PER_VOTER, BYTES_BESIDES = 6_500, 3_000_000_000

COUNTED = "SELECT coalesce(sum(votes), 0)::bigint FROM cells JOIN tally_generations g USING (generation) WHERE g.state = 'shown' AND election_id = %s"
# Of these receipts, those whose ballot is a vote: by the ledger's own row, at the receipt's own place.
ACCEPTED = """
SELECT count(*) FROM unnest(%s::text[]) AS q (receipt) JOIN receipts r USING (receipt)
JOIN votes v ON v.voter_id = r.voter_id AND v.election_id = r.election_id
            AND v.ballot_partition = r.ballot_partition AND v.ballot_offset = r.ballot_offset
"""


class ApiBench:
    """The same API with Kafka and without it, one after the other, from the same clients."""

    def __init__(self, options: argparse.Namespace, on: Stand, phases: Phases) -> None:
        self._options = options
        self._stand = on
        self._phase = phases.phase
        self._sizes = Sizes(options.seconds, options.processes, options.connections)
        self._ballots: list[Ballot] = []
        self.found = Found()

    def run(self) -> Found:
        options, on = self._options, self._stand
        voters = _voters(options)
        with self._phase("register", f"registering {voters:,} people, and a code for each"):
            register(on, options.seed, voters)
            on.settle("voters")
            self._ballots = hold_election(on)
        with self._phase("bare", "the API without Kafka"):
            self.found.bare.append(self._without_kafka())
        with ExitStack() as until_the_end:
            recording = until_the_end.enter_context(recorders(on, on.roll_url))
            tally = until_the_end.enter_context(spark_process(on, "tally", [*LIVETALLY, "tally"], on.environment(on.roll_url)))
            process, port = until_the_end.enter_context(api(on))
            with self._phase("warm", "everything starts, and counts the first ballots"):
                warm = serve(process, port, self._take(options.warm_seconds), self._sizes.lasting(options.warm_seconds))
                self._await_counted(len(warm.acknowledged), tally.check)
            with self._phase("cast", f"{options.processes * options.connections} clients cast for {options.seconds:g} s"):
                programs = {"recorders": recording.pids, "tally": [tally.pid]}
                self.found.served = serve(process, port, self._take(options.seconds), self._sizes, **programs)
            with self._phase("count", "the last of them is counted"):
                self._await_counted(len(warm.acknowledged) + len(self.found.served.acknowledged), tally.check)
            with self._phase("listen", f"{options.listeners} listeners, while some vote for {options.seconds / 2:g} s"):
                slow = self._listen(process, port)
            self._check(warm, slow)
        with self._phase("bare again", "the API without Kafka"):
            self.found.bare.append(self._without_kafka())
        return self.found

    def _without_kafka(self) -> Served:
        seconds = self._options.seconds / 2
        with api(self._stand, bare=True) as (process, port):
            warm = self._sizes.lasting(self._options.warm_seconds / 2)
            serve(process, port, self._take(warm.seconds), warm)
            return serve(process, port, self._take(seconds), self._sizes.lasting(seconds))

    def _listen(self, process: "subprocess.Popen[bytes]", port: int) -> Served:
        """Few vote: what is measured is the way from an announced total to the last who listens, not how busy the machine is."""
        options, found = self._options, self.found
        seconds = options.seconds / 2
        with Announcements(self._stand.kafka) as announcements, listening(port, options.listeners) as heard:
            slow = serve(process, port, self._take(seconds), Sizes(seconds, 1, 1))
            time.sleep(SETTLES_S)  # what was announced at the end has its time to arrive
            listeners, end_ns = heard(), time.monotonic_ns()
            first_ns = min(sent for sent, _, _ in slow.acknowledged)
            announced = [one for one in announcements.seen if one[0] >= first_ns]
        found.stream_listeners = len(listeners)
        each = [delays(announced, seen, first_ns, end_ns, end_ns) for seen in listeners]
        found.stream_delays_s = [max(delay_s for _, delay_s in one) for one in zip(*each, strict=True)]
        for seen in listeners:
            if [total for _, total in seen] != sorted(total for _, total in seen):
                found.faults.append("a listener heard a number that was smaller than the one before")
        if not announced:
            found.faults.append("nothing was announced while they listened")
        return slow

    def _take(self, seconds: float) -> list[Ballot]:
        """Ballots that nobody has cast; more than can be cast in that time."""
        count = round(seconds * self._options.codes_per_s)
        taken, self._ballots = self._ballots[:count], self._ballots[count:]
        return taken

    def _await_counted(self, votes: int, check: Any) -> None:
        deadline_s = time.monotonic() + COUNTED_WITHIN_S
        with owner(self._stand.roll_url) as connection:
            while (counted := int(connection.execute(COUNTED, (ELECTION,)).fetchone()[0])) < votes:  # type: ignore[index] # one row
                check()
                if time.monotonic() > deadline_s:
                    self.found.faults.append(f"{votes - counted:,} acknowledged ballots were not counted within {COUNTED_WITHIN_S:.0f} s")
                    return
                time.sleep(LOOK_S)

    def _check(self, *others: Served) -> None:
        """By the ledger's rows, not by what the API says of itself."""
        found = self.found
        receipts = [receipt for served in (*others, found.served) for _, _, receipt in served.acknowledged]
        if len(set(receipts)) != len(receipts):
            found.faults.append("a receipt was given out twice")
        with owner(self._stand.roll_url) as connection:
            accepted = connection.execute(ACCEPTED, (receipts,)).fetchone()
            in_ledger = row(connection, f"SELECT count(*) FROM votes WHERE election_id = '{ELECTION}'")[0]  # noqa: S608 (a name of ours)
        found.lost = len(receipts) - int(accepted[0] if accepted else 0)
        if found.lost:
            found.faults.append(f"{found.lost:,} ballots were acknowledged and are not in the ledger")
        if in_ledger != len(receipts):
            found.faults.append(f"the ledger has {in_ledger:,} votes, and {len(receipts):,} were acknowledged")
        for served in (*others, found.served, *found.bare):
            found.faults += [f"the API refused a good ballot: {said}" for said in served.refused[:3]]


def main() -> int:
    options = _options()

    def measure(on: Stand, phases: Phases) -> tuple[dict[str, Any], float]:
        found = ApiBench(options, on, phases).run()
        return document(found), found.served.cost.others_share

    return hold("api", options, _voters(options) * BYTES_PER_VOTER + BYTES_BESIDES, EVERYTHING, measure, rows)


def _voters(options: argparse.Namespace) -> int:
    return round((options.seconds * 2.5 + options.warm_seconds * 2) * options.codes_per_s) + PARTS


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="livetally bench api", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output and nothing else")
    parser.add_argument("--quick", action="store_true", help="a sixth of the time: for trying, not for telling")
    parser.add_argument("--seconds", type=float, metavar="S", help="how long clients cast (default: 20)")
    parser.add_argument("--warm-seconds", type=float, metavar="S", help="how long before that, not counted (default: 10)")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="of clients (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=40, metavar="N", help="of each of them (default: %(default)s)")
    parser.add_argument("--codes-per-s", type=float, metavar="R", help="ballots kept ready for each second (default: 4000)")
    parser.add_argument("--listeners", type=int, metavar="N", help="of the stream of results (default: 200)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="S", help="who the people are (default: %(default)s)")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the temporary directory is made (default: where temporary files go)")
    options = parser.parse_args()
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.processes < 1 or options.connections < 1 or options.seconds <= 0:
        parser.error("there must be at least one client, and some time")
    return options


if __name__ == "__main__":
    sys.exit(main())
