"""Driving the command line as a person would, and looking for what it leaves behind."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from livetally.embedded import placing

ROOT = Path(__file__).resolve().parents[1]
COMMAND_WITHIN_S = 600  # a first call installs everything
LINE_WITHIN_S = 180


class Livetally:
    """The command line with a data directory of its own."""

    def __init__(self, data_dir: Path, command: Sequence[str] = (str(ROOT / "livetally"),), **settings: str) -> None:
        self.data_dir = data_dir
        self._command = tuple(command)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LIVETALLY_")}
        self.environment = (
            inherited | {"LIVETALLY_DATA_DIR": str(data_dir)} | {f"LIVETALLY_{name}": value for name, value in settings.items()}
        )

    def __call__(self, *arguments: str, expect: int = 0) -> "subprocess.CompletedProcess[str]":
        """Runs a command to its end; its exit code must be the expected one."""
        done = subprocess.run(
            [*self._command, *arguments],
            env=self.environment,
            cwd=self.data_dir.parent,
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == expect, f"{arguments} ended with {done.returncode}, not {expect}\n{done.stdout}\n{done.stderr}"
        assert "Traceback (most recent call last)" not in done.stderr, done.stderr
        return done

    def json(self, *arguments: str, expect: int = 0) -> Any:
        """The one document on standard output."""
        return json.loads(self(*arguments, "--json", expect=expect).stdout)

    def begin(self, *arguments: str) -> "Begun":
        return Begun([*self._command, *arguments], self.environment, self.data_dir.parent)

    def processes(self) -> list[psutil.Process]:
        """Everything that lives and was started with this data directory, or works in it."""
        return [process for process in psutil.process_iter() if process.pid != os.getpid() and self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            if process.environ().get("LIVETALLY_DATA_DIR") == str(self.data_dir):
                return True
            places = (str(self.data_dir), str(placing.database_directory(self.data_dir)))  # as root the database may lie elsewhere
            told = [*process.cmdline(), process.cwd()]
            return any(place in text for place in places for text in told)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False


class Begun:
    """A command that goes on, and what it has said."""

    def __init__(self, argv: Sequence[str], environment: dict[str, str], directory: Path) -> None:
        self._log = directory / f"said-{time.monotonic_ns()}.log"
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                argv, env=environment, cwd=directory, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.said() or self.process.poll() is not None, f"{text!r} in\n{self.said()}")
        assert text in self.said(), f"ended without saying {text!r}:\n{self.said()}"

    def wait(self) -> int:
        """Its exit code, when it ends by itself."""
        return self.process.wait(COMMAND_WITHIN_S)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Signal it, wait for its end, return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(COMMAND_WITHIN_S)


def wait_until(condition: Callable[[], bool], what: str, within_s: float = LINE_WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        time.sleep(0.1)
