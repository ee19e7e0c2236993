"""What a supervisor that was killed left running: found by pid and birth in `state.json`, and ended in order. Nothing else is touched."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from livetally.core.errors import ServiceError
from livetally.embedded import state
from livetally.embedded.state import Running

DEADLINE_S = 20.0
POLL_S = 0.05


def end(
    data_dir: Path,
    on_event: Callable[[str], None],
    *,
    deadline_s: float = DEADLINE_S,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Ends what the last supervisor of this directory left, stages first, services last, and says so in one line. Needs the lock."""
    last = state.load(data_dir)
    if last is None:
        return
    found = [one for one in last.processes if one.is_alive()]
    for one in found:
        _end_one(one, deadline_s, clock, pause)
    if found:
        on_event("ended what it had left running: " + ", ".join(f"{one.name} ({one.pid})" for one in found))
    state.remove(data_dir)


def _end_one(one: Running, deadline_s: float, clock: Callable[[], float], pause: Callable[[float], None]) -> None:
    family = _descendants(one.pid)  # taken down now: once it has ended, nobody knows whose children they were
    for number in (one.stop_signal, signal.SIGKILL):
        with suppress(ProcessLookupError):
            if one.is_alive():
                os.kill(one.pid, number)
        until = clock() + deadline_s
        while one.is_alive() and clock() < until:
            pause(POLL_S)
        if not one.is_alive():
            break
    else:
        raise ServiceError(
            f"process {one.pid} ({one.name}) of an earlier run does not end, even when killed.\nLook at it with `ps {one.pid}`."
        )
    _kill(family)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # psutil compares start times: another process with the same id is left alone
            process.kill()
