"""Every benchmark that has a goal, one after another, and which goals were reached.

    ./livetally bench all [--json] [--quick] [--only NAME,…] [--output DIR]

Each writes its document to a file of its own. Takes two hours. Exit code 1 if a goal was missed or not measured, or if something was wrong.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.saying import say
from livetally.commands.output import print_json, print_table
from livetally.core.errors import UsageError

BENCHMARKS = Path(__file__).resolve().parent
EXIT_MISSED, EXIT_INTERRUPTED = 1, 130
REACHED, MISSED, NOT_MEASURED, FAILED = "reached", "MISSED", "NOT MEASURED", "FAILED"

# In this order, and with what each needs so that all of its goals are judged; the other options are a benchmark's own defaults.
PLAN: Mapping[str, Sequence[str]] = {
    "run": (),
    "latency": (),
    "api": (),
    "show": ("--seconds=1800",),
    "tally": (),
    "record": (),
    "history": (),
    "roll": (),
    "alerts": (),
}
QUICKLY: Mapping[str, Sequence[str]] = {"alerts": ("--elections=2",)}  # which has no `--quick`


@dataclass(frozen=True, slots=True)
class Judged:
    """One goal of one benchmark. `found` and `wanted` as text for people."""

    benchmark: str
    goal: str
    found: str
    wanted: str
    verdict: str


def main() -> int:
    options = _options()
    try:
        output = _directory(options.output)
        judged = [one for name in options.only for one in _held(name, options, output)]
    except UsageError as error:
        say(f"bench all: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    if options.json:
        print_json({"ok": _is_well(judged), "directory": str(output), "goals": [asdict(one) for one in judged]})
    else:
        print_table(
            ("benchmark", "goal", "found", "wanted", ""),
            [(one.benchmark, one.goal, one.found, one.wanted, one.verdict) for one in judged],
            frozenset({"found"}),
        )
        say(f"The documents are in {output}.")
    return 0 if _is_well(judged) else EXIT_MISSED


def verdicts(name: str, document: Mapping[str, Any]) -> Iterator[Judged]:
    """What a document says of each of its goals, and of each of its faults."""
    for fault in document.get("faults", ()):
        yield Judged(name, "counts", fault, "right", FAILED)
    for bar in document.get("missed_bars", ()):
        yield Judged(name, "bars", bar, "", MISSED)
    if document.get("missed_bars") == []:
        yield Judged(name, "bars", "none missed", "", REACHED)
    for goal, one in document.get("goals", {}).items():
        wanted = f"≤ {one['at_most']:,}" if "at_most" in one else f"≥ {one['at_least']:,}"
        verdict = NOT_MEASURED if goal in document["not_measured"] else MISSED if goal in document["missed"] else REACHED
        yield Judged(name, goal, "" if one["found"] is None else f"{one['found']:,}", wanted, verdict)


def _held(name: str, options: argparse.Namespace, output: Path) -> list[Judged]:
    """A benchmark, in a process of its own, so that nothing of one is left for the next."""
    say(f"════ {name}")
    path = output / f"{name}.json"
    with path.open("wb") as file:
        process = subprocess.Popen([sys.executable, str(BENCHMARKS / f"{name}.py"), *_arguments(name, options)], stdout=file)
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.wait()  # Ctrl+C has reached it too; it stops its services
            raise
    if code == EXIT_INTERRUPTED:
        raise KeyboardInterrupt
    try:
        document = json.loads(path.read_text("utf-8"))
    except ValueError:
        return [Judged(name, "", f"exit code {code}, and no document", "", FAILED)]
    found = list(verdicts(name, document))
    if code and all(one.verdict == REACHED for one in found):
        found.append(Judged(name, "", f"exit code {code}", "", FAILED))
    return found or [Judged(name, "", "the document names no goal", "", FAILED)]


def _arguments(name: str, options: argparse.Namespace) -> list[str]:
    how = QUICKLY.get(name, ("--quick",)) if options.quick else PLAN[name]
    where = [f"--dir={options.dir}"] if options.dir and name != "alerts" else []  # which keeps nothing anywhere
    return ["--json", *how, *where]


def _is_well(judged: Iterable[Judged]) -> bool:
    return all(one.verdict == REACHED for one in judged)


def _directory(path: Path) -> Path:
    """Results of an earlier time are not overwritten."""
    path.mkdir(parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise UsageError(f"{path} is not empty. Name another directory with --output, or delete this one.")
    return path.resolve()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="livetally bench all", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output and nothing else")
    parser.add_argument(
        "--quick", action="store_true", help="everything smaller: for trying, not for telling; not every goal is measured then"
    )
    parser.add_argument("--only", type=_names, default=tuple(PLAN), metavar="NAME,…", help=f"some of {', '.join(PLAN)}")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("bench-results"),
        metavar="DIR",
        help="an empty directory for the documents (default: %(default)s)",
    )
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where temporary directories are made (default: where temporary files go)")
    return parser.parse_args()


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - set(PLAN):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: there is {', '.join(PLAN)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
