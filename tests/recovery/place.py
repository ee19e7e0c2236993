"""The place of the tally: a process that counts, one that stands by, and the role of their supervisor.

Whoever dies is succeeded at once by the one that stands by with Spark started: what a person would wait for most of the time.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import IO

import psutil

from faults.crew import LINES_SHOWN, PAUSE_S, STANDARD_LIBRARY
from faults.recorder import GO
from livetally.embedded.supervisor import EXIT_REFUSED
from recovery.counter import BEGIN, Order

BATCHES = (200, 600, 5000)  # votes_max: with a backlog, small ones make several batches, of which the first take seconds


class Process:
    """One process, from standing by to its end."""

    def __init__(self, number: int, environment: Mapping[str, str], directory: Path) -> None:
        self.name = f"tally-{number}"
        self._diary = directory / f"{self.name}.diary"
        self._log = directory / f"{self.name}.log"
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "recovery.counter", str(self._diary)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdin is not None
        self._stdin: IO[str] = self.process.stdin

    def begin(self, votes_max: int, order: Order | None) -> None:
        self._tell(f"{BEGIN} {votes_max} {order.line() if order else ''}")

    def order(self, order: Order) -> None:
        self._tell(order.line())

    def go(self) -> None:
        self._tell(GO)

    def done_at(self, order: Order) -> float | None:
        """When an order was carried out; None if it has not been."""
        if not self._diary.exists():
            return None
        entries = dict(json.loads(line) for line in self._diary.read_text("utf-8").splitlines())
        return entries.get(order.line())

    def send(self, number: signal.Signals) -> None:
        """To Python alone."""
        self.process.send_signal(number)

    def send_all(self, number: signal.Signals) -> None:
        """To Python and its Java."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill_java(self) -> None:
        (java,) = [one for one in psutil.Process(self.process.pid).children(recursive=True) if "java" in one.name()]
        java.kill()

    @property
    def is_asleep(self) -> bool:
        return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def said(self) -> str:
        """The end of its log, for a person who wonders; of where its threads are, what is ours."""
        telling = [line for line in self.log().splitlines() if line.strip() and not STANDARD_LIBRARY.search(line)]
        return "".join(f"\n    {self.name}: {line}" for line in telling[-LINES_SHOWN:])

    def close(self) -> None:
        """Whatever is left of it ends."""
        self.send_all(signal.SIGKILL)
        self.process.wait()
        self._stdin.close()

    def _tell(self, line: str) -> None:
        with suppress(BrokenPipeError):  # it has just died; whoever looks after it will see
            self._stdin.write(line + "\n")
            self._stdin.flush()


class Place:
    """`look_after` must be called many times a second."""

    def __init__(self, environment: Mapping[str, str], directory: Path, random: Random) -> None:
        self._environment = environment
        self._directory = directory
        self._random = random
        self._started = 0
        self._is_held = False
        self._begins_at: float | None = None
        self._deaths: Counter[int] = Counter()
        self._faults: list[str] = []
        self._elsewhere: list[Process] = []
        self.votes_min = 0  # of a batch: a recount that is interrupted shall come to its end
        self._standby: Process | None = None
        self.current = self._begin(None, None)

    def look_after(self) -> None:
        code = self.current.process.poll()
        if code is None or self._is_held:
            return
        if self._begins_at is None:
            self._note_death(code)
            self._begins_at = time.monotonic() + (PAUSE_S if code > 0 else 0.0)
        if time.monotonic() >= self._begins_at:
            self.succeed()

    def prepare(self) -> None:
        """Let somebody stand by. Starting Spark is the most expensive thing here; whoever has just begun does not need it beside him."""
        self._standby = self._standby or self._stand_by()

    def hold(self) -> None:
        """From now on nobody succeeds whoever dies, until `succeed`."""
        self._is_held = True

    def succeed(self, order: Order | None = None, votes_max: int | None = None) -> Process:
        """The one that stands by begins, whatever has become of the one before. Returns that one."""
        before, self._is_held, self._begins_at = self.current, False, None
        if before.process.poll() is None:
            self._elsewhere.append(before)
        elif self._random.random() < 0.5:  # as our supervisor does; a person's shell leaves Java to find out for itself
            before.close()
        self.current = self._begin(order, votes_max)
        return before

    def end_all(self) -> None:
        """The current one and its Java, at once."""
        self.hold()
        self.current.close()
        self._note_death(self.current.process.returncode)

    def retire(self) -> int:
        """Tell the current one to finish its batch and leave; its exit code."""
        self.hold()
        self.current.send(signal.SIGTERM)
        return self.current.process.wait()

    def take_deaths(self) -> Counter[int]:
        """Exit codes of those that have ended since the last call."""
        deaths, self._deaths = self._deaths, Counter()
        return deaths

    def take_faults(self) -> list[str]:
        """What no tally should have done since the last call."""
        faults, self._faults = self._faults, []
        return faults

    def said(self) -> str:
        return "".join(one.said() for one in (*self._elsewhere, self.current))

    def close(self) -> None:
        for one in (*self._elsewhere, self.current, self._standby):
            if one is not None:
                one.close()

    def _begin(self, order: Order | None, votes_max: int | None) -> Process:
        one, self._standby = self._standby or self._stand_by(), None
        one.begin(votes_max or max(self.votes_min, self._random.choice(BATCHES)), order)
        return one

    def _stand_by(self) -> Process:
        self._started += 1
        return Process(self._started, self._environment, self._directory)

    def _note_death(self, code: int) -> None:
        self._deaths[code] += 1
        if code in (0, EXIT_REFUSED):  # nobody told it to leave, and nothing that it can wait for is away
            self._faults.append(f"{self.current.name} ended with exit code {code}:{self.current.said()}")
