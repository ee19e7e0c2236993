"""The data directory: one layout version, one supervisor at a time, enough room.

lock             held (flock) by the supervisor; its pid is inside. A lock whose holder is dead is no lock
layout-version   which livetally can read this directory
state.json       what runs (state.py)        ports.json   the ports chosen last (ports.py)
logs/            one rotated log per process    endpoints/   where each running stage can be watched
kafka/  postgres/  spark/  java/   the services' own
"""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from livetally.core.errors import DataDirError
from livetally.embedded import state
from livetally.embedded.files import write_atomically

LAYOUT_VERSION = "1"
LAYOUT_FILE = "layout-version"
LOCK_FILE = "lock"
FREE_BYTES_MIN = 1_000_000_000  # what Kafka and PostgreSQL write ahead, with room for an election


def prepare(path: Path) -> Path:
    """Makes the directory if it is missing and checks that it is ours. Returns it as an absolute path. Needs no lock."""
    path = path.resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
        found = {entry.name for entry in path.iterdir()} - {LOCK_FILE}
        if not found:
            write_atomically(path / LAYOUT_FILE, LAYOUT_VERSION + "\n")
            return path
        if LAYOUT_FILE not in found:
            raise DataDirError(
                f"{path} is not empty and no data directory of livetally.\nName another with LIVETALLY_DATA_DIR; nothing was changed there."
            )
        version = (path / LAYOUT_FILE).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise DataDirError(f"the data directory {path} cannot be used: {error}.\nName another with LIVETALLY_DATA_DIR.") from error
    if version != LAYOUT_VERSION:
        raise DataDirError(
            f"the data in {path} have layout version {version}; this livetally reads version {LAYOUT_VERSION}.\n"
            "Use the livetally that made them, name another directory with LIVETALLY_DATA_DIR, or begin anew with `run --fresh`."
        )
    return path


def check_room(path: Path) -> None:
    free = shutil.disk_usage(path).free
    if free < FREE_BYTES_MIN:
        raise DataDirError(
            f"only {free / 1e6:,.0f} MB are free on the disk of {path}; livetally does not start with less than "
            f"{FREE_BYTES_MIN / 1e6:,.0f} MB, because Kafka and PostgreSQL would stop in the middle.\n"
            "Make room, or name a directory on another disk with LIVETALLY_DATA_DIR."
        )


class DataDir:
    """A data directory, held by this process from `open` to `close`."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def open(cls, path: Path, on_event: Callable[[str], None]) -> "DataDir":
        """Takes the lock. Raises DataDirError if another living process has it, or the directory cannot be used."""
        path = prepare(path)
        lock = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DataDirError(_in_use(path, os.pread(lock, 32, 0).decode().strip())) from None
            before = os.pread(lock, 32, 0).decode().strip()
            if before:
                on_event(f"the last livetally here (process {before}) ended without cleaning up")
            check_room(path)
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(lock)
            raise
        return cls(path, lock)

    def close(self) -> None:
        """Gives the lock back. An empty lock file says that the end was an orderly one."""
        state.remove(self.path)
        os.ftruncate(self._lock, 0)
        os.close(self._lock)


def _in_use(path: Path, pid: str) -> str:
    holder = f"process {pid}" if pid else "another livetally"
    return (
        f"the data directory {path} is in use by {holder}.\n"
        f"Stop that one first (`livetally down`, or Ctrl+C where it runs{f', or kill {pid}' if pid else ''}), "
        "or name another directory with LIVETALLY_DATA_DIR: several can run side by side."
    )
