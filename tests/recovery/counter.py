"""A tally in a process of its own that does what it was ordered to when it reaches a named point.

    python -m recovery.counter DIARY

It starts Spark and stands by until a line `begin VOTES_MAX [ORDER]` on standard input lets it count; more orders may follow, each replacing
one that has not happened yet. What has been carried out stands in the diary, on disk before it happens: the harness believes nothing
else. The stage itself knows nothing of all this; it only says which point it has reached. Settings come from the environment.
"""

import faulthandler
import json
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from faults.recorder import EXIT_ABANDONED, GO
from livetally.commands.stage import run_stage
from livetally.core.errors import LivetallyError
from livetally.embedded.jars import fetch, read_lock
from livetally.embedded.java import make_java_home
from livetally.observe.log import start_logging
from livetally.settings import Settings, cache_dir_of, read_settings
from livetally.tally.points import Point
from livetally.tally.session import open_session
from livetally.tally.tally import tally
from livetally.tally.warm import generate_code

BEGIN = "begin"


class Act(StrEnum):
    KILL = "kill"  # this process, by SIGKILL; its Java lives on for a moment and must do no harm
    KILL_ALL = "kill-all"  # its Java with it, as a machine that runs out of memory may do
    STOP = "stop"  # both, by SIGSTOP; somebody else wakes them
    WAIT = "wait"  # until the harness says GO


@dataclass(frozen=True)
class Order:
    """When `point` has been reached for the `nth` time from now, do `act`."""

    point: Point
    nth: int
    act: Act

    def line(self) -> str:
        return f"{self.point} {self.nth} {self.act}"

    @classmethod
    def read(cls, line: str) -> Self:
        point, nth, act = line.split()
        return cls(Point(point), int(nth), Act(act))


class Orders:
    """One at a time. `reached` is what the stage calls, from whichever of its threads."""

    def __init__(self, diary: Path) -> None:
        self._diary = os.open(diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._lock = threading.Lock()
        self._order: Order | None = None
        self._left = 0
        self._go = threading.Event()

    def await_beginning(self) -> int:
        """How many votes a batch may take. Ends the process if nobody is left who could say so."""
        for line in sys.stdin:
            word, votes_max, *order = line.split()
            assert word == BEGIN, line
            if order:
                self.take(" ".join(order))
            return int(votes_max)
        os._exit(EXIT_ABANDONED)

    def listen(self) -> None:
        for line in sys.stdin:
            if line.strip() == GO:
                self._go.set()
            else:
                self.take(line)
        os._exit(EXIT_ABANDONED)

    def take(self, line: str) -> None:
        with self._lock:
            self._order = Order.read(line)
            self._left = self._order.nth

    def reached(self, point: Point) -> None:
        with self._lock:
            order = self._order
            if order is None or order.point is not point:
                return
            self._left -= 1
            if self._left:
                return
            self._order = None
            self._go.clear()
            os.write(self._diary, f"{json.dumps([order.line(), time.time()])}\n".encode())
            os.fsync(self._diary)
        self._carry_out(order.act)

    def _carry_out(self, act: Act) -> None:
        match act:
            case Act.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()  # another thread may have taken the signal; this one must not go on
            case Act.KILL_ALL:
                os.killpg(os.getpid(), signal.SIGKILL)
                signal.pause()
            case Act.STOP:
                os.killpg(os.getpid(), signal.SIGSTOP)
            case Act.WAIT:
                self._go.wait()


def main() -> int:
    (diary,) = sys.argv[1:]
    start_logging("tally")
    faulthandler.register(signal.SIGUSR1)  # says where every thread is, for a person who wonders
    settings = read_settings()
    java_home = make_java_home(settings.data_dir / "java")
    jars = fetch({"spark": read_lock()["spark"]}, cache_dir_of(settings))["spark"]
    generate_code(open_session(settings, java_home, jars))  # before anybody needs it: it takes longest of all, and *tally* finds it open
    orders = Orders(Path(diary))
    votes_max = orders.await_beginning()
    threading.Thread(target=orders.listen, daemon=True).start()

    def work(stop: threading.Event) -> str:
        kafka, database_url = _services(settings)
        counting = settings.model_copy(update={"tally_batch_votes_max": votes_max})
        tally(counting, kafka, database_url, java_home, jars, stop, reached=orders.reached)
        return "stopped after the last batch"

    try:
        return run_stage("tally", work)
    except LivetallyError as error:
        print(f"livetally: {error}", file=sys.stderr)
        return error.exit_code


def _services(settings: Settings) -> tuple[str, str]:
    assert settings.kafka_bootstrap_servers is not None
    assert settings.database_url is not None
    return settings.kafka_bootstrap_servers, settings.database_url.get_secret_value()


if __name__ == "__main__":
    sys.exit(main())
