"""How fast a whole election is held, from the first ballot to the last vote on the page, and what it takes in memory.

    ./livetally bench run [--json] [--quick] [options]

It starts `livetally run --rate max --exit-when-done` itself, with all five stages, and watches from outside. docs/benchmarks.md says what
each figure means. Exit code 1 if the audit does not hold or an announced total is wrong.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from harness.holding import EXIT_INTERRUPTED, tell
from harness.machine import machine
from harness.run_figures import document, rows
from harness.saying import Phases, say
from harness.whole_run import watch
from livetally.core.elections import DEFAULT_SEED
from livetally.core.errors import LivetallyError, UsageError
from livetally.embedded import placing
from livetally.embedded.interrupts import Interrupts

FULL_VOTERS, QUICK_VOTERS = 1_000_000, 100_000
BYTES_PER_VOTER = 6_000  # roll, ledger, topics
BYTES_BESIDES = 3_000_000_000  # the write-ahead log, and checkpoints


def main() -> int:
    options = _options()
    phases = Phases()
    directory = Path(tempfile.mkdtemp(prefix="livetally-bench-", dir=options.dir))
    data_dir = directory / "data"
    try:
        _check_room(directory, options.voters * BYTES_PER_VOTER + BYTES_BESIDES)
        with Interrupts(), phases.phase("run", f"livetally run, {options.voters:,} voters"):
            seen = watch(
                data_dir, options.voters, options.seed, lambda connection: machine(connection, placing.database_directory(data_dir))
            )
    except LivetallyError as error:
        say(f"bench run: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        if data_dir.exists():
            placing.remove(data_dir)  # as root the database lies elsewhere
        shutil.rmtree(directory)
    result = document(seen) | {"sizes": vars(options) | {"dir": None}, "machine": seen.about, "phases_s": phases.seconds}
    return tell(result, rows, as_json=options.json)


def _check_room(directory: Path, bytes_needed: int) -> None:
    if (free := shutil.disk_usage(directory).free) < bytes_needed:
        raise UsageError(
            f"This benchmark writes up to {bytes_needed / 1e9:.1f} GB, and {directory.parent} has {free / 1e9:.1f} GB free. "
            "Name another place with --dir, or choose fewer voters."
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="livetally bench run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output and nothing else")
    parser.add_argument("--quick", action="store_true", help="a tenth of the voters: for trying, not for telling")
    parser.add_argument("--voters", type=int, metavar="N", help="people who are registered; about seven in ten vote (default: 1000000)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="S", help="who the people are (default: %(default)s)")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the temporary directory is made (default: where temporary files go)")
    options = parser.parse_args()
    if options.voters is None:
        options.voters = QUICK_VOTERS if options.quick else FULL_VOTERS
    return options


if __name__ == "__main__":
    sys.exit(main())
