"""`livetally test`: every check that CI makes, the same way, cheapest first."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from livetally.commands.output import say
from livetally.core.errors import UsageError
from livetally.settings import environment_with, is_ci

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
CHECKS = (
    ("format", ("ruff", "format", "--check", ".")),
    ("lint", ("ruff", "check", ".")),
    ("types", ("mypy",)),
    ("imports", ("lint-imports",)),
)
# Dozens of Java processes that live for seconds: optimizing their code costs more than it gives.
SHORT_LIVED_JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1"}
FAULTS = "faults"
SUITES = {
    "quick": ("tests/unit",),
    # Two files at a time: most of them wait for services to start and stop.
    "all": ("tests", "--numprocesses", "2", "--dist", "loadfile"),
}


def test(arguments: argparse.Namespace) -> int:
    if not (ROOT / "tests").is_dir():
        raise UsageError("The tests are not part of the installed package. Run them from a checkout: `./livetally test`.")
    options = {"--seed": arguments.seed, "--rounds": arguments.rounds}
    given = [part for name, value in options.items() if value is not None for part in (name, str(value))]
    if arguments.which == FAULTS:
        break_things(given)
    if given:
        raise UsageError("--seed and --rounds are for the fault suite alone: `./livetally test faults --seed 1 --rounds 30`.")
    code = _check(arguments.which)
    if code == 0 and arguments.which == "all":
        say("── faults")
        break_things([])
    return code


def break_things(options: list[str]) -> NoReturn:
    """The fault suite, in the place of this process: nobody stands between it and a Ctrl+C, after which it has much to end."""
    path = os.pathsep.join(str(ROOT / folder) for folder in ("src", "tests"))
    sys.stdout.flush()
    environment = environment_with() | SHORT_LIVED_JAVA | {"PYTHONPATH": path}
    os.execve(sys.executable, [sys.executable, "-m", "faults", *options], environment)  # noqa: S606 (a program of ours, and no shell)


def _check(which: str) -> int:
    for name, command in CHECKS:
        say(f"── {name}")
        if subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, check=False).returncode != 0:
            say(f"{name} failed: {' '.join(command)}")
            return 1
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    say("── tests")
    left_out: list[str] = []
    if browser is None and which == "all" and not is_ci():
        say("Chromium is not installed, so these are left out (install it, on Debian: apt-get install chromium):")
        subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "browser"], cwd=ROOT, check=False, stdout=sys.stderr)
        left_out = ["-m", "not browser"]
    pytest = [sys.executable, "-m", "pytest", *SUITES[which], "--durations=15", *left_out]
    return subprocess.run(pytest, cwd=ROOT, env=environment_with() | SHORT_LIVED_JAVA, check=False).returncode
