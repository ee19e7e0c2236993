"""How long a list of a million people takes into the roll of an election, and how long it takes only to check it.

    ./livetally bench roll [--json] [--quick] [options]

docs/benchmarks.md says what each figure means. Exit code 1 if somebody is missing afterwards.
"""

import argparse
import csv
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from harness.cost import Meter, cost, peak_memory_bytes
from harness.database import owner, row
from harness.holding import hold
from harness.roll_figures import Found, Passed, document, rows
from harness.saying import Phases
from harness.stand import RECORDING, Stand
from livetally.adapters.kafka import reader
from livetally.adapters.reading import ends
from livetally.commands.backing import LIVETALLY
from livetally.core.elections import DEFAULT_SEED, Voter
from livetally.core.errors import ServiceError
from livetally.core.wire import VOTERS
from livetally.register.people import people

FULL_ROWS, QUICK_ROWS = 1_000_000, 100_000
ELECTION = "club"
WITHIN_S = 900.0
LOOK_S = 0.05
LOG_LINES = 10
BYTES_PER_ROW, BYTES_BESIDES = 4_500, 1_000_000_000
COLUMNS = Voter._fields[1:]  # without an id, as most lists come: it is then made of all that a row says

ON_ROLL = "SELECT count(*), count(*) FILTER (WHERE v.voter_id IS NOT NULL) FROM roll_entries r LEFT JOIN voters v USING (voter_id)"


class RollBench:
    """The real command, as an organiser calls it, on services that run already."""

    def __init__(self, options: argparse.Namespace, on: Stand, phases: Phases) -> None:
        self._options = options
        self._stand = on
        self._phase = phases.phase
        self._path = on.data_dir / "members.csv"

    def run(self) -> Found:
        options = self._options
        with self._phase("write", f"a file of {options.rows:,} people"):
            self._write()
        create = [*LIVETALLY, "election", "create", ELECTION, "--name", "The club", "--roll", "list"]
        subprocess.run(create, env=self._environment(), stdin=subprocess.DEVNULL, capture_output=True, check=True)
        said, told = self._stand.data_dir / "check.txt", self._stand.data_dir / "import.json"
        with self._phase("check", "import-roll --check"):
            check = self._pass(said, "--check")
        with self._phase("import", "import-roll"):
            importing = self._pass(told, "--json")
        return Found(options.rows, self._path.stat().st_size, check, importing, self._faults(said))

    def _write(self) -> None:
        with self._path.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(COLUMNS)
            lines.writerows(person[1:] for person in people(self._options.seed, 0, self._options.rows))

    def _pass(self, output: Path, flag: str) -> Passed:
        log = self._stand.data_dir / "import-roll.log"
        with output.open("wb") as told, log.open("wb") as errors:
            return self._timed([*LIVETALLY, "election", "import-roll", ELECTION, str(self._path), flag], told, errors)

    def _timed(self, argv: list[str], told: IO[bytes], errors: IO[bytes]) -> Passed:
        began_s = time.monotonic()
        process = subprocess.Popen(argv, env=self._environment(), stdin=subprocess.DEVNULL, stdout=told, stderr=errors)
        try:
            meter = Meter(command=[process.pid])
            first, peak = meter.read(), 0
            while _lives(process.pid):
                peak = max(peak, _peak(process.pid))
                if time.monotonic() > began_s + WITHIN_S:
                    raise ServiceError(f"`import-roll` has not come to an end within {WITHIN_S:.0f} s.")
                time.sleep(LOOK_S)  # nothing tells this process; it looks again
            last = meter.read()  # it is not waited for yet, so its account is still there
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            words = Path(errors.name).read_text("utf-8", errors="replace").splitlines()[-LOG_LINES:]
            raise ServiceError("`import-roll` has failed:\n" + "\n".join(words))
        return Passed(last.at_s - began_s, peak, cost(first, last))

    def _faults(self, said: Path) -> list[str]:
        """By the rows of the check's answer, of the roll and of the topic, not by what the command says of itself."""
        with said.open("rb") as lines:
            told = sum(1 for _ in lines)
        with owner(self._stand.roll_url) as connection:
            listed, known = row(connection, ON_ROLL)
        with closing(reader(self._stand.kafka)) as client:
            announced = sum(ends(client, VOTERS).values())
        wanted = self._options.rows
        found = {"told by --check": told, "on the roll": listed, "registered": known, "announced": announced}
        return [f"{count:,} people are {what}, and must be {wanted:,}" for what, count in found.items() if count != wanted]

    def _environment(self) -> dict[str, str]:
        return self._stand.environment(self._stand.roll_url)


def _lives(pid: int) -> bool:
    """A child that has ended stays what it is until it is waited for."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _peak(pid: int) -> int:
    try:
        return peak_memory_bytes(pid)
    except ServiceError:
        return 0  # ended just now; what it had before is known


def main() -> int:
    options = _options()

    def measure(on: Stand, phases: Phases) -> tuple[dict[str, Any], float]:
        result = document(RollBench(options, on, phases).run())
        return result, result["others_share_of_machine"]

    return hold("roll", options, options.rows * BYTES_PER_ROW + BYTES_BESIDES, RECORDING, measure, rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="livetally bench roll", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output and nothing else")
    parser.add_argument("--quick", action="store_true", help="a tenth of the people: for trying, not for telling")
    parser.add_argument("--rows", type=int, metavar="N", help="people in the file (default: 1000000)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="S", help="who the people are (default: %(default)s)")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the temporary directory is made (default: where temporary files go)")
    options = parser.parse_args()
    if options.rows is None:
        options.rows = QUICK_ROWS if options.quick else FULL_ROWS
    if options.rows < 1:
        parser.error("there must be at least one row")
    return options


if __name__ == "__main__":
    sys.exit(main())
