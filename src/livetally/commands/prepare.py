"""`livetally prepare`: a rehearsal, from which Java keeps what it has learned, so that Kafka and Spark start in half the time."""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from livetally.commands.backing import LIVETALLY
from livetally.commands.output import say
from livetally.core.errors import ServiceError
from livetally.embedded import datadir, placing
from livetally.embedded.java import LEARNS, make_head_starts, make_java_home, missing_head_starts
from livetally.settings import environment_with

VOTERS = 20_000  # some seconds of votes, in several batches: what Spark does again and again is what is worth knowing
REHEARSAL_TIMEOUT_S = 400.0
WRITTEN_WITHIN_S = 120.0  # Spark takes some seconds on a quiet machine
LOOK_S = 0.2


def command(arguments: argparse.Namespace) -> int:
    if missing_head_starts() or arguments.again:
        rehearse()
    else:
        say("prepared already; --again does it once more")
    return 0


def prepare() -> None:
    """Unless it has been done."""
    if missing_head_starts():
        rehearse()


def rehearse() -> None:
    """Hold the rehearsal, and keep what Java has learned from it."""
    say("preparing Java: a rehearsal with 20,000 invented people, once, about a minute and 300 MB of disk")
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="livetally-prepare-") as directory:
        data_dir = datadir.prepare(Path(directory) / "data")
        java_home = make_java_home(data_dir / "java")
        (java_home / LEARNS).mkdir()
        try:
            _hold(data_dir)
        finally:
            placing.remove(data_dir)  # as root the database lies elsewhere
        _wait_for(java_home / LEARNS)
        make_head_starts(java_home)
    say(f"prepared in {time.monotonic() - began_s:.0f} s")


def _hold(data_dir: Path) -> None:
    options = ("--voters", str(VOTERS), "--rate", "4000", "--no-dashboard", "--no-api", "--exit-when-done")
    # Empty: as if not set. A rehearsal is held with services of its own, whatever the settings name.
    elsewhere = dict.fromkeys(("kafka_bootstrap_servers", "database_url", "checkpoint_url"), "")
    environment = environment_with(data_dir=str(data_dir), spark_master="local[*]", **elsewhere)
    environment.pop("JAVA_TOOL_OPTIONS", None)  # what is learned is for everybody
    done = subprocess.run(
        [*LIVETALLY, "run", *options],
        env=environment,
        timeout=REHEARSAL_TIMEOUT_S,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace")
        raise ServiceError(
            f"The rehearsal ended with exit code {done.returncode}; everything works as before, without a head start:\n{said}"
        )


def _wait_for(learned: Path) -> None:
    """Until every Java there has written down what it knows; Spark's outlives its stage for that."""
    deadline_s = time.monotonic() + WRITTEN_WITHIN_S
    while any(str(learned) in " ".join(_command_line(process)) for process in psutil.process_iter()):
        if time.monotonic() > deadline_s:
            raise ServiceError("Java does not end after the rehearsal; everything works as before, without a head start.")
        time.sleep(LOOK_S)


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []  # it has ended, or is somebody else's
