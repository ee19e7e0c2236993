"""A recorder in a process of its own that does what it was ordered to when it reaches a named point.

    python -m faults.recorder KAFKA DATABASE_URL BALLOTS_MAX DIARY

Orders come line by line on standard input. What has been carried out stands in the diary, on disk before it happens: the harness
believes nothing else. The stage itself knows nothing of all this; it only says which point it has reached.
"""

import faulthandler
import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from livetally.commands.stage import run_stage
from livetally.core.errors import LivetallyError
from livetally.observe.log import start_logging
from livetally.record.points import Point
from livetally.record.record import record

EXIT_ABANDONED = 9  # the harness is gone


class Act(StrEnum):
    KILL = "kill"  # this process, by SIGKILL
    STOP = "stop"  # this process, by SIGSTOP; somebody else wakes it
    WAIT = "wait"  # until the harness says GO
    NOTE = "note"  # only write it down


GO = "go"


@dataclass(frozen=True)
class Order:
    """When `point` has been reached for the `nth` time from now, do `act`."""

    number: int
    point: Point
    nth: int
    act: Act

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def read(cls, line: str) -> Self:
        fields = json.loads(line)
        return cls(fields["number"], Point(fields["point"]), fields["nth"], Act(fields["act"]))


class Orders:
    """One order at a time; a new one replaces what has not happened yet."""

    def __init__(self, diary: Path) -> None:
        self._diary = os.open(diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._lock = threading.Lock()
        self._order: Order | None = None
        self._left = 0
        self._go = threading.Event()

    def listen(self) -> None:
        for line in sys.stdin:
            if line.strip() == GO:
                self._go.set()
                continue
            with self._lock:
                self._order = Order.read(line)
                self._left = self._order.nth
        os._exit(EXIT_ABANDONED)

    def reached(self, point: Point) -> None:
        """What the stage calls, from whichever of its threads."""
        with self._lock:
            order = self._order
            if order is None or order.point is not point:
                return
            self._left -= 1
            if self._left:
                return
            self._order = None
            self._go.clear()
            self._write_down(order)
        self._carry_out(order.act)

    def _write_down(self, order: Order) -> None:
        os.write(self._diary, f"{json.dumps([order.number, time.time()])}\n".encode())
        os.fsync(self._diary)

    def _carry_out(self, act: Act) -> None:
        match act:
            case Act.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()  # another thread may have taken the signal; this one must not go on
            case Act.STOP:
                os.kill(os.getpid(), signal.SIGSTOP)
            case Act.WAIT:
                self._go.wait()
            case Act.NOTE:
                pass


def main() -> int:
    kafka, database_url, ballots_max, diary = sys.argv[1:]
    start_logging("record")
    faulthandler.register(signal.SIGUSR1)  # says where every thread is, for a person who wonders
    orders = Orders(Path(diary))
    threading.Thread(target=orders.listen, daemon=True).start()

    def work(stop: threading.Event) -> str:
        record(bootstrap_servers=kafka, database_url=database_url, ballots_max=int(ballots_max), stop=stop, reached=orders.reached)
        return "left the group"

    try:
        return run_stage("record", work)
    except LivetallyError as error:
        print(f"livetally: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
