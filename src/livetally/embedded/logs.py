"""What a child process prints, in a log file of bounded size.

The supervisor reads the pipe and writes the file itself, instead of leaving rotation to each service: one mechanism for the
broker, PostgreSQL, Spark and the stages, which also works where the service runs under an account that may not write here.
"""

import os
import threading
from collections import deque
from pathlib import Path

OLD_LOGS = 3
LAST_LINES = 12  # shown to a person when a process has failed
LINE_CHARS_MAX = 1000


class RotatingLog:
    """`path`, and `path.1` (newest) to `path.3` when it grows beyond `bytes_max`."""

    def __init__(self, path: Path, bytes_max: int) -> None:
        self.path = path
        self._bytes_max = bytes_max
        self._lost_bytes = 0
        self._last = deque([""], maxlen=LAST_LINES + 1)
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, data: bytes) -> None:
        """Never raises: whoever prints must not be blocked because the disk is full. What was lost is noted when there is room again."""
        *ended, rest = data.decode("utf-8", "replace").split("\n")
        for line in ended:
            self._last[-1] = (self._last[-1] + line)[:LINE_CHARS_MAX]
            self._last.append("")
        self._last[-1] = (self._last[-1] + rest)[:LINE_CHARS_MAX]
        note = f"[{self._lost_bytes} bytes could not be written here]\n".encode() if self._lost_bytes else b""
        try:
            self._append(note + data)
            self._lost_bytes = 0
        except OSError:
            self._lost_bytes += len(data)

    def last_lines(self) -> list[str]:
        return [line for line in self._last.copy() if line.strip()]

    def _append(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            if file.tell() + len(data) <= self._bytes_max or not file.tell():
                file.write(data)
                return
        for number in range(OLD_LOGS, 0, -1):
            source = self._numbered(number - 1)
            if source.exists():
                source.replace(self._numbered(number))
        self.path.write_bytes(data)

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path


def pump(descriptor: int, log: RotatingLog) -> threading.Thread:
    """Starts a thread that moves what comes from `descriptor` into `log` until nobody can write to it any more."""

    def move() -> None:
        with os.fdopen(descriptor, "rb", buffering=0) as pipe:
            while data := pipe.read(1 << 16):
                log.write(data)

    thread = threading.Thread(target=move, name=f"log {log.path.name}", daemon=True)
    thread.start()
    return thread
