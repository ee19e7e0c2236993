"""`livetally bench NAME`: the scripts of `benchmarks/`, one command each."""

import argparse
import subprocess
import sys
from pathlib import Path

from livetally.core.errors import UsageError

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


def bench(arguments: argparse.Namespace) -> int:
    names = sorted(path.stem for path in BENCHMARKS.glob("*.py"))
    if not names:
        raise UsageError("The benchmarks are not part of the installed package. Run them from a checkout: `./livetally bench NAME`.")
    if arguments.name not in names:
        raise UsageError(f"There is no benchmark {arguments.name!r}. There are: {', '.join(names)}.")
    options = ["--json"] if arguments.json else []
    return subprocess.run([sys.executable, str(BENCHMARKS / f"{arguments.name}.py"), *options], check=False).returncode
