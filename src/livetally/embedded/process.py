"""One supervised child process, and the steps that may have to come before it.

A `Process` says in `steps` what to run: preparations first, each of which must exit 0, then the process itself. `start` begins,
`poll` goes on to the next step when one has ended, so several processes prepare themselves side by side without threads.

Every child gets a session of its own: a terminal's Ctrl+C reaches the supervisor only, which then decides. When a child ends,
what is left of its session's process group is killed before the child's id is given back, so the id cannot have been reused.
"""

import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import ClassVar

from livetally.core.errors import ServiceError
from livetally.embedded.accounts import Account
from livetally.embedded.identity import birth_of
from livetally.embedded.logs import RotatingLog, pump

POLL_S = 0.02
PUMP_DEADLINE_S = 2.0  # the pipe may be held open by a grandchild that left the process group


@dataclass(frozen=True)
class Command:
    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None  # None: this process' own
    cwd: Path | None = None
    account: Account | None = None  # None: the one that this process runs as
    is_preparation: bool = False
    stdin: bytes = b""


class Process(ABC):
    """A child with a name and a log. Not safe for several threads."""

    stop_signals: ClassVar[tuple[Signals, ...]] = (Signals.SIGTERM,)
    """Sent one after another, each with its share of the deadline; SIGKILL comes after the last."""
    stop_deadline_s: ClassVar[float] = 20.0
    is_service: ClassVar[bool] = True

    def __init__(self, name: str, log: RotatingLog) -> None:
        self.name = name
        self.log = log
        self.birth = ""  # of the running child: with `pid` it names it for ever
        self._steps: Iterator[Command] = iter(())
        self._child: subprocess.Popen[bytes] | None = None
        self._is_preparing = False

    @abstractmethod
    def steps(self) -> Iterator[Command]:
        """Preparations, if any are due, then the process itself. Code behind a `yield` runs when that step has exited 0."""

    def answers(self) -> bool:
        """Whether it does its work, found out by a real request. Takes a second at most."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def log_path(self) -> Path:
        return self.log.path

    def start(self) -> None:
        self._steps = self.steps()
        self._spawn(next(self._steps))

    def poll(self) -> int | None:
        """None while it lives; once its exit code (negative: killed by that signal). Goes on to the next step where one is due."""
        if self._child is None or not _has_ended(self._child):
            return None
        code = self._reap()
        if code == 0 and self._is_preparing:
            self._spawn(next(self._steps))
            return None
        return code

    def signal(self, number: Signals) -> None:
        if self._child is not None and not _has_ended(self._child):
            self._child.send_signal(number)

    def kill(self) -> None:
        if self._child is not None:
            _kill_group(self._child.pid)

    def stop(self, deadline_s: float | None = None) -> None:
        """Ends it: asks, waits, kills. Does nothing when it does not run."""
        share_s = (self.stop_deadline_s if deadline_s is None else deadline_s) / len(self.stop_signals)
        for number in self.stop_signals:
            self.signal(number)
            if self.wait(share_s):
                return
        self.kill()
        self.wait(self.stop_deadline_s)

    def wait(self, deadline_s: float) -> bool:
        """Whether it has ended, after waiting for that up to `deadline_s`. A step that is due is not begun."""
        until = time.monotonic() + deadline_s
        while self._child is not None:
            if _has_ended(self._child):
                self._reap()
            elif time.monotonic() >= until:
                return False
            else:
                time.sleep(POLL_S)
        return True

    def _spawn(self, command: Command) -> None:
        reading, writing = os.pipe()
        account = command.account
        try:
            child = subprocess.Popen(
                command.argv,
                env=command.env,
                cwd=command.cwd,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                stdin=subprocess.PIPE if command.stdin else subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        except OSError as error:
            os.close(reading)
            raise ServiceError(
                f"{self.name} could not be started: {error}.\nThe disk of {command.argv[0]} must allow programs to run."
            ) from error
        finally:
            os.close(writing)
        self._child, self._is_preparing, self.birth = child, command.is_preparation, birth_of(child.pid)
        self._pump = pump(reading, self.log)
        if child.stdin:
            with child.stdin, suppress(BrokenPipeError):  # it ended before it read; its exit code tells
                child.stdin.write(command.stdin)

    def _reap(self) -> int:
        assert self._child is not None  # noqa: S101 (both callers have looked; this tells the type checker)
        _kill_group(self._child.pid)
        code = self._child.wait()
        self._pump.join(PUMP_DEADLINE_S)
        self._child, self.birth = None, ""
        return code


def _has_ended(child: "subprocess.Popen[bytes]") -> bool:
    """Looks without taking note: until `_reap`, the ended child keeps its id from being given to another process."""
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
