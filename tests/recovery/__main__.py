"""The recovery suite: whenever the tally is killed, and whatever happens to its checkpoint, every vote is counted once.

    ./livetally test recovery [--seed S] [--rounds N]
    PYTHONPATH=src:tests .venv/bin/python -m recovery --must-haves

A round is one fault while votes flow. All the while somebody watches every aggregated topic: no total may ever go backwards, or be above
the ledger. When a round has come to rest, topics and tables are compared with SQL over the ledger. Exit code 1 if anything differs, if a
fault that was drawn was not reached, or if the count did not go on within three minutes.
"""

import argparse
import sys

from faults.__main__ import DEFAULT_SEED
from faults.ground import prepared
from faults.suite import say
from recovery import catalogue, table
from recovery.scene import opened
from recovery.suite import play


def main() -> int:
    parser = argparse.ArgumentParser(prog="recovery", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--rounds", type=int, help="default: every fault once")
    parser.add_argument("--only", choices=catalogue.FAULTS, metavar="FAULT", help="nothing but this one, again and again")
    parser.add_argument("--must-haves", action="store_true", help=f"what CI plays: {', '.join(catalogue.MUST_HAVES)}")
    arguments = parser.parse_args()
    rounds = catalogue.MUST_HAVES if arguments.must_haves else catalogue.chosen(arguments.seed, arguments.rounds, arguments.only)
    say(f"seed {arguments.seed}, {len(rounds)} rounds; starting a broker and a database for them")
    with prepared() as ground, opened(ground, arguments.seed) as scene:
        played = play(scene, rounds, arguments.seed)
        messages = scene.watcher.messages
    return table.report(played, messages)


if __name__ == "__main__":
    sys.exit(main())
