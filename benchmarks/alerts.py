"""What the alerts find and what they cry wolf about, in elections drawn by seed and held in compressed time.

    ./livetally bench alerts [--json] [--elections N] [--seed S]

docs/alerts.md says what is drawn and what each figure means. It needs no service. Exit code 1 if a bar is missed.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial

from harness import report
from harness.alert_day import ordinary_day
from harness.alert_figures import document, rows
from harness.alert_plants import plant
from harness.alert_trial import Outcome, hold
from harness.saying import Phases, progress, say
from livetally.commands.output import print_json
from livetally.core.alert_settings import THRESHOLDS

ELECTIONS = 20  # of each kind
SEED_PUBLISHED = 0x726898EB  # the first digits of the hash of the commit that froze the thresholds: nobody could have chosen it
SEEDS_APART = 10_000  # elections that one base seed has of its own, half of them planted
EXIT_MISSED, EXIT_INTERRUPTED = 1, 130


def trial(seed: int, is_planted: bool) -> Outcome:  # noqa: FBT001 (it is mapped over seeds)
    day = ordinary_day(seed)
    return hold(*(plant(day, seed) if is_planted else (day, ())), seed)


def trials(pool: ProcessPoolExecutor, seeds: Sequence[int], *, is_planted: bool) -> list[Outcome]:
    tell = progress("elections", len(seeds))
    outcomes = []
    for outcome in pool.map(partial(trial, is_planted=is_planted), seeds):
        outcomes.append(outcome)
        tell(len(outcomes))
    return outcomes


def main() -> int:
    options = _options()
    phases = Phases()
    first = options.seed * SEEDS_APART
    try:
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            with phases.phase("clean", f"{options.elections} clean elections, base seed {options.seed}"):
                clean = trials(pool, range(first, first + options.elections), is_planted=False)
            first += SEEDS_APART // 2
            with phases.phase("planted", f"{options.elections} planted elections"):
                planted = trials(pool, range(first, first + options.elections), is_planted=True)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    result = document(planted, clean)
    for fault in result["missed_bars"]:
        say(f"MISSED: {fault}")
    for alarm in result["false"]:
        say(f"false alarm: {alarm}")
    if options.json:
        print_json(result | {"seed": options.seed, "thresholds": asdict(THRESHOLDS), "phases_s": phases.seconds})
    else:
        report.print_rows(rows(result))
    return 0 if result["ok"] else EXIT_MISSED


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="livetally bench alerts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output and nothing else")
    parser.add_argument(
        "--elections", type=_elections, default=ELECTIONS, metavar="N", help="clean ones, and as many planted (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=SEED_PUBLISHED, metavar="S", help="which elections (default: %(default)s)")
    return parser.parse_args()


def _elections(text: str) -> int:
    number = int(text)
    if not 0 < number <= SEEDS_APART // 2:
        raise argparse.ArgumentTypeError(f"{number} is not between 1 and {SEEDS_APART // 2}")
    return number


if __name__ == "__main__":
    sys.exit(main())
