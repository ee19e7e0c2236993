"""`livetally bench NAME`: the scripts of `benchmarks/`, one command each."""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from livetally.core.errors import UsageError

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


def bench(arguments: argparse.Namespace) -> NoReturn:
    """This process becomes the benchmark, so that Ctrl+C reaches it and nothing else: it stops the services that it has started."""
    names = sorted(path.stem for path in BENCHMARKS.glob("*.py"))
    if not names:
        raise UsageError("The benchmarks are not part of the installed package. Run them from a checkout: `./livetally bench NAME`.")
    if arguments.name not in names:
        raise UsageError(f"There is no benchmark {arguments.name!r}. There are: {', '.join(names)}.")
    options = [*(["--json"] if arguments.json else []), *arguments.options]
    os.execv(sys.executable, [sys.executable, str(BENCHMARKS / f"{arguments.name}.py"), *options])  # noqa: S606 (no shell is wanted)
