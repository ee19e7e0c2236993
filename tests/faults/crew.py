"""The recorders, and the role of their supervisor: one that dies is started again at once."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import IO

from faults.recorder import GO, Act, Order
from livetally.embedded.supervisor import EXIT_REFUSED
from livetally.record.points import Point

BATCHES = (20, 100, 1000)  # ballots_max: with a backlog, small ones make many batches
PAUSE_S = 1.0  # before a recorder that ended by itself, because a service is away, is started again
SAID_WITHIN_S = 0.5
LINES_SHOWN = 30
STANDARD_LIBRARY = re.compile(r'^  File "(?!.*/(livetally|faults)/)')
LEFT = (0, -signal.SIGTERM, -signal.SIGKILL)  # exit codes of one who was told to leave, at last by force


@dataclass(frozen=True)
class Address:
    """How a recorder reaches the services."""

    kafka: str
    database_url: str


class Recorder:
    """One place in the crew: a process, and after its death the next."""

    def __init__(self, name: str, address: Address, directory: Path, random: Random) -> None:
        self.name = name
        self.address = address
        self._random = random
        self._diary = directory / f"{name}.diary"
        self._log = directory / f"{name}.log"
        self._starts_at: float | None = None
        self._orders = 0
        self._asked: tuple[int, int] | None = None  # process and order
        self.deaths: list[int] = []  # exit codes of the processes that have ended here
        self._start()

    def look_after(self) -> int | None:
        """Once its exit code, when it has ended; then starts it again."""
        code = self.process.poll()
        if code is None:
            return None
        has_just_ended = self._starts_at is None
        if self._starts_at is None:
            self._starts_at = time.monotonic() + (PAUSE_S if code > 0 else 0.0)
            self.deaths.append(code)
        if time.monotonic() >= self._starts_at:
            self._start()
        return code if has_just_ended else None

    def order(self, point: Point, act: Act, nth: int = 1) -> int:
        """Returns the number under which the diary will say that it has happened."""
        self._orders += 1
        self._tell(Order(self._orders, point, nth, act).line())
        return self._orders

    def go(self) -> None:
        self._tell(GO + "\n")

    def done_at(self, order: int) -> float | None:
        """When the point of an order was reached; None if it has not been."""
        if not self._diary.exists():
            return None
        entries = dict(json.loads(line) for line in self._diary.read_text("utf-8").splitlines())
        return entries.get(order)

    def has_gone_round(self) -> bool:
        """Whether the process that runs now has begun another batch since this was first asked. To be asked again and again."""
        if self.process.poll() is not None:
            return False
        if self._asked is None or self._asked[0] != self.process.pid:
            self._asked = self.process.pid, self.order(Point.BEFORE_CONSUME, Act.NOTE)
        if self.done_at(self._asked[1]) is None:
            return False
        self._asked = None
        return True

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def said(self) -> str:
        """The end of its log, for a person who wonders; of where its threads are, what is ours."""
        lines = self._log.read_text("utf-8", "replace").splitlines()
        telling = [line for line in lines if line.strip() and not STANDARD_LIBRARY.search(line)]
        return "".join(f"\n    {self.name}: {line}" for line in telling[-LINES_SHOWN:])

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.send_signal(signal.SIGCONT)
        self.process.wait()
        self._stdin.close()

    def _start(self) -> None:
        self._starts_at = None
        ballots_max = self._random.choice(BATCHES)
        argv = ["faults.recorder", self.address.kafka, self.address.database_url, str(ballots_max), str(self._diary)]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *argv],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdin is not None
        self._stdin: IO[str] = self.process.stdin

    def _tell(self, line: str) -> None:
        self._stdin.write(line)
        self._stdin.flush()


class Crew:
    """Several recorders, of whom one speaks to the services through proxies."""

    def __init__(self, addresses: tuple[Address, Address], directory: Path, random: Random) -> None:
        self._proxied, self._direct = addresses
        self._directory = directory
        self._random = random
        self._started = 0
        self._leaving: list[Recorder] = []
        self._deaths: Counter[int] = Counter()
        self._faults: list[str] = []
        self.members: list[Recorder] = []

    def look_after(self) -> None:
        for one in self.members:
            if (code := one.look_after()) is not None:
                self._deaths[code] += 1
            if code == EXIT_REFUSED:
                self._faults.append(f"{one.name} refused to go on:{one.said()}")
        for one in [one for one in self._leaving if one.process.poll() is not None]:
            self._leaving.remove(one)
            one.close()
            if one.process.returncode not in LEFT:
                self._faults.append(f"{one.name} was told to leave and ended with exit code {one.process.returncode}:{one.said()}")

    def add(self) -> Recorder:
        self._started += 1
        address = self._direct if any(one.address == self._proxied for one in self.members) else self._proxied
        one = Recorder(f"recorder-{self._started}", address, self._directory, Random(self._random.random()))
        self.members.append(one)
        return one

    def retire(self, one: Recorder) -> None:
        """Tell it to finish its batch and leave."""
        self.members.remove(one)
        self._leaving.append(one)
        one.send(signal.SIGTERM)  # before it listens, that ends it at once

    def fit(self, size: int) -> None:
        """From now on there are so many, and one of them speaks through the proxies."""
        while len(self.members) < size:
            self.add()
        for one in self.members[size:]:
            self.retire(one)
        if self.members and not any(one.address == self._proxied for one in self.members):
            self.retire(self.members[0])
            self.add()

    def ask_where(self) -> None:
        """Everybody's log says where each thread is."""
        for one in [*self.members, *self._leaving]:
            if one.process.poll() is None:
                one.send(signal.SIGUSR1)
        threading.Event().wait(SAID_WITHIN_S)

    def kill_all(self) -> None:
        """What a person would do who sees that nothing goes on."""
        for one in [*self.members, *self._leaving]:
            one.send(signal.SIGKILL)

    def said(self) -> str:
        return "".join(one.said() for one in [*self.members, *self._leaving])

    def take_deaths(self) -> Counter[int]:
        """Exit codes of members that have ended since the last call, and were started again."""
        deaths, self._deaths = self._deaths, Counter()
        return deaths

    def take_faults(self) -> list[str]:
        """What no recorder should have done since the last call."""
        faults, self._faults = self._faults, []
        return faults

    @property
    def proxied(self) -> Recorder:
        return next(one for one in self.members if one.address == self._proxied)

    @property
    def has_settled(self) -> bool:
        """Everybody who should be there is, and nobody else."""
        return not self._leaving and all(one.process.poll() is None for one in self.members)

    def close(self) -> None:
        for one in [*self.members, *self._leaving]:
            one.close()
