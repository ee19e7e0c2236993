"""Starts processes, waits until services answer, restarts what dies, and ends everything in order.

The caller drives it: `tick()` looks at every process once and never waits. Deaths are answered with a growing delay
(restarts.py); a stage that exits 0 has finished, one that exits 2 was refused and would be again. What runs is written down
(state.py) at every change, before a signal can get in between, so that nothing is ever left without an owner.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from typing import ClassVar

from livetally.core.errors import ServiceError
from livetally.embedded.identity import birth_of
from livetally.embedded.interrupts import Interrupts
from livetally.embedded.logs import RotatingLog
from livetally.embedded.process import Command, Process
from livetally.embedded.restarts import FAILURES_MAX, Restarts
from livetally.embedded.state import Running, State

EXIT_REFUSED = 2  # of a stage: a setting, or what the database says, does not allow it
START_DEADLINE_S = 120.0  # a slow disk and a cold cache; on an idle machine services answer within five seconds
ASK_AGAIN_S = 0.05
HURRIED_S = 0.5  # what is left of a deadline after a second Ctrl+C


class Stage(Process):
    """A stage in a process of its own. SIGINT lets it finish its batch."""

    stop_signals: ClassVar[tuple[Signals, ...]] = (Signals.SIGINT,)
    stop_deadline_s: ClassVar[float] = 30.0
    is_service: ClassVar[bool] = False

    def __init__(self, name: str, log: RotatingLog, argv: Sequence[str], env: Mapping[str, str] | None) -> None:
        super().__init__(name, log)
        self._command = Command(tuple(argv), env=env)

    def steps(self) -> Iterator[Command]:
        yield self._command


@dataclass
class Supervised:
    process: Process
    started_at: float
    restarts: Restarts = field(default_factory=Restarts)
    starts_again_at: float | None = None
    has_finished: bool = False


class Supervisor:
    """Owns processes from `start` to `stop`. All calls from one thread."""

    def __init__(
        self,
        data_dir: Path | None,
        interrupts: Interrupts,
        on_event: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connections: dict[str, str] = {}
        self._data_dir = data_dir
        self._interrupts = interrupts
        self._on_event = on_event
        self._clock = clock
        self._pause = pause
        self._all: list[Supervised] = []

    def start(self, process: Process) -> None:
        self._all = [one for one in self._all if not (one.has_finished and one.process.name == process.name)]
        if any(one.process.name == process.name for one in self._all):
            raise ServiceError(f"{process.name} runs already; stop it first.")
        one = Supervised(process, self._clock())
        self._all.append(one)
        self._launch(one)

    def remember(self, connections: dict[str, str]) -> None:
        """Writes down for other commands how to reach what has been started."""
        self._connections = connections
        self._write_down()

    def start_and_wait(self, processes: Sequence[Process], deadline_s: float = START_DEADLINE_S) -> None:
        """Starts all of them side by side, and returns when each answers. Raises ServiceError when one ends, or takes too long."""
        for process in processes:
            self.start(process)
        until = self._clock() + deadline_s
        waiting = list(processes)
        while waiting:
            for process in processes:
                code = self._poll(process)
                if code is not None:
                    raise ServiceError(f"{process.name} did not start: {_ended(code)}.{_log_of(process)}")
            waiting = [process for process in waiting if not process.answers()]
            if waiting and self._clock() >= until:
                raise ServiceError(f"{waiting[0].name} did not answer within {deadline_s:.0f} s.{_log_of(waiting[0])}")
            if waiting:
                self._pause(ASK_AGAIN_S)

    def tick(self) -> None:
        """Looks once at every process. Raises ServiceError when one has failed for good; then `stop` is due."""
        now = self._clock()
        for one in self._all:
            if one.starts_again_at is not None and now >= one.starts_again_at:
                one.starts_again_at, one.started_at = None, now
                self._launch(one)
            code = self._poll(one.process)
            if code is not None:
                self._on_death(one, code, now)

    def has_finished(self, name: str) -> bool:
        """Whether a stage has ended by itself, with exit code 0."""
        return any(one.process.name == name and one.has_finished for one in self._all)

    def stop(self, names: Sequence[str] | None = None) -> None:
        """Ends the named processes, or all: stages together, then services one by one, the first started last."""
        chosen = [one for one in self._all if names is None or one.process.name in names]
        stages = [one.process for one in chosen if not one.process.is_service]
        for process in stages:
            for number in process.stop_signals:
                process.signal(number)
        until = self._clock() + max((process.stop_deadline_s for process in stages), default=0.0)
        for process in stages:
            self._wait(process, until)
            process.kill()
            process.wait(HURRIED_S)
        for one in reversed(chosen):
            if one.process.is_service:
                self._stop_service(one.process)
        self._all = [one for one in self._all if one not in chosen]
        self._write_down()

    def _stop_service(self, process: Process) -> None:
        for number in process.stop_signals:
            process.signal(number)
            if self._wait(process, self._clock() + process.stop_deadline_s / len(process.stop_signals)):
                return
        process.kill()
        process.wait(process.stop_deadline_s)

    def _wait(self, process: Process, until: float) -> bool:
        """Whether it ended before `until`, which a second Ctrl+C brings near."""
        while not process.wait(ASK_AGAIN_S):
            if self._interrupts.is_hurried:
                until = min(until, self._clock() + HURRIED_S)
            if self._clock() >= until:
                return False
        return True

    def _launch(self, one: Supervised) -> None:
        with self._interrupts.held():
            one.process.start()
            self._write_down()

    def _poll(self, process: Process) -> int | None:
        with self._interrupts.held():
            before = process.pid
            code = process.poll()
            if process.pid != before:
                self._write_down()
        return code

    def _on_death(self, one: Supervised, code: int, now: float) -> None:
        process = one.process
        if code == 0 and not process.is_service:
            one.has_finished = True
            return
        if code == EXIT_REFUSED and not process.is_service:
            raise ServiceError(f"{process.name} cannot go on.{_log_of(process)}")
        delay_s = one.restarts.after_failure(now - one.started_at)
        if delay_s is None:
            raise ServiceError(f"{process.name} failed {FAILURES_MAX + 1} times in a row, at last it {_ended(code)}.{_log_of(process)}")
        one.starts_again_at = now + delay_s
        self._on_event(f"{process.name} {_ended(code)}; starting it again in {delay_s:.0f} s (its log: {process.log_path})")

    def _write_down(self) -> None:
        if self._data_dir is None:
            return
        alive = [one.process for one in reversed(self._all) if one.process.pid is not None]
        to_be_ended = [process for process in alive if not process.is_service] + [process for process in alive if process.is_service]
        processes = tuple(Running(process.name, process.pid or 0, process.birth, process.stop_signals[0].value) for process in to_be_ended)
        own = Running("supervisor", os.getpid(), birth_of(os.getpid()), signal.SIGINT.value)
        State(own, processes, self._connections).save(self._data_dir)


def _ended(code: int) -> str:
    return f"was ended by {Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _log_of(process: Process) -> str:
    last = "".join(f"\n    {line}" for line in process.log.last_lines())
    return (f" It said at last:{last}" if last else " It said nothing.") + f"\nIts log: {process.log_path}"
