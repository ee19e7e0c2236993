"""The fault suite: whatever is killed, stopped, cut off or forged meanwhile, every ballot is decided once and published once.

    ./livetally test faults [--seed S] [--rounds N]

A round is one fault, or two at once, while ballots flow. Exit code 1 if anything differs, if a fault that was drawn was not reached,
or if voting did not go on within 30 s.
"""

import argparse
import sys

from faults import catalogue, table
from faults.ground import prepared
from faults.scene import opened
from faults.suite import finish, play, say

DEFAULT_SEED = 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--rounds", type=int, help="default: every fault once, in as few rounds as that takes")
    parser.add_argument("--only", choices=catalogue.FAULTS, metavar="FAULT", help="nothing but this one, again and again")
    arguments = parser.parse_args()
    rounds = catalogue.chosen(arguments.seed, arguments.rounds, arguments.only)
    say(f"seed {arguments.seed}, {len(rounds)} rounds; starting a broker and a database for them")
    with prepared() as ground, opened(ground, arguments.seed) as scene:
        played = play(scene, rounds, arguments.seed)
        played.append(finish(scene, ground))
        say(played[-1].line())
    return table.report(played)


if __name__ == "__main__":
    sys.exit(main())
