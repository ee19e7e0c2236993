"""`livetally test`: every check that CI makes, the same way, cheapest first."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from livetally.commands.output import say
from livetally.commands.prepare import prepare
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
FAULTS, RECOVERY = "faults", "recovery"
MUST_HAVES = ("--must-haves",)  # of what breaks the tally: a round takes half a minute, as Spark has to start
SUITES = {
    "quick": ("tests/unit",),
    # Three files at a time on two cores: most of them wait for services to start and stop. Those that take longest come first.
    "all": ("tests", "--numprocesses", "3", "--dist", "loadfile", "--no-loadscope-reorder"),
}


def test(arguments: argparse.Namespace) -> int:
    if not (ROOT / "tests").is_dir():
        raise UsageError("The tests are not part of the installed package. Run them from a checkout: `./livetally test`.")
    options = {"--seed": arguments.seed, "--rounds": arguments.rounds}
    given = [part for name, value in options.items() if value is not None for part in (name, str(value))]
    if arguments.which in (FAULTS, RECOVERY):
        prepare()
        _become(arguments.which, given)
    if given:
        raise UsageError(
            "--seed and --rounds are for what breaks things: `./livetally test faults --seed 1 --rounds 30`, or `test recovery`."
        )
    code = _check(arguments.which)
    if code == 0 and arguments.which == "all":
        say("── faults")
        code = _play(FAULTS)
    if code == 0 and arguments.which == "all":
        say("── recovery")
        _become(RECOVERY, [*MUST_HAVES])
    return code


def _become(suite: str, options: list[str]) -> NoReturn:
    """A suite that breaks things, in the place of this process: nobody stands between it and a Ctrl+C, after which it has much to end."""
    sys.stdout.flush()
    os.execve(sys.executable, _suite(suite, options), _suite_environment())  # noqa: S606 (a program of ours, and no shell)


def _play(suite: str) -> int:
    """The same, and then go on. A Ctrl+C reaches it as it reaches us; whoever waits for it must not be the quicker."""
    child = subprocess.Popen(_suite(suite, []), env=_suite_environment())
    handlers = {signal.SIGINT: lambda *_: None, signal.SIGTERM: lambda *_: child.terminate()}
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        return child.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _suite(name: str, options: list[str]) -> list[str]:
    return [sys.executable, "-m", name, *options]


def _suite_environment() -> dict[str, str]:
    path = os.pathsep.join(str(ROOT / folder) for folder in ("src", "tests"))
    return environment_with() | SHORT_LIVED_JAVA | {"PYTHONPATH": path}


def _check(which: str) -> int:
    for name, command in CHECKS:
        say(f"── {name}")
        if subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, check=False).returncode != 0:
            say(f"{name} failed: {' '.join(command)}")
            return 1
    if which == "all":
        say("── prepare")
        prepare()
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    say("── tests")
    left_out: list[str] = []
    if browser is None and which == "all" and not is_ci():
        say("Chromium is not installed, so these are left out (install it, on Debian: apt-get install chromium):")
        subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "browser"], cwd=ROOT, check=False, stdout=sys.stderr)
        left_out = ["-m", "not browser"]
    pytest = [sys.executable, "-m", "pytest", *SUITES[which], "--durations=15", *left_out]
    return subprocess.run(pytest, cwd=ROOT, env=environment_with() | SHORT_LIVED_JAVA, check=False).returncode
