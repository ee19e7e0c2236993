"""What a measured interval cost: processor time by program, and how much of the machine others used meanwhile."""

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from livetally.core.errors import ServiceError

PROC = Path("/proc")
HARNESS = "harness"  # this process
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Reading:
    """Processor seconds since each program's start, and of the whole machine since its own."""

    at_s: float
    used_s: Mapping[str, float]
    machine_busy_s: float
    machine_stolen_s: float


@dataclass(frozen=True, slots=True)
class Cost:
    """The difference of two readings."""

    seconds: float
    processor_s: Mapping[str, float]
    others_share: float  # of all cores, used by programs that are not part of this, or taken by the hypervisor

    def us_per(self, count: int) -> dict[str, float]:
        return {name: round(used / count * 1e6, 2) for name, used in self.processor_s.items()} if count else {}

    def cores(self) -> dict[str, float]:
        """How many cores each program kept busy."""
        return {name: round(used / self.seconds, 2) for name, used in self.processor_s.items()}


class Meter:
    """Reads the accounts of some programs (name: processes, with their children), of PostgreSQL, the broker, and this process.

    `alone`: further programs, without their children; those are other programs, or of no interest.
    """

    def __init__(self, alone: Mapping[str, Sequence[int]] | None = None, **programs: Sequence[int]) -> None:
        self._programs = {**programs, **_services()}
        self._alone = {HARNESS: [os.getpid()], **(alone or {})}

    def read(self) -> Reading:
        busy, stolen = _machine()
        used = {name: sum(map(_with_children, pids)) for name, pids in self._programs.items()}
        alone = {name: sum(map(_own, pids)) for name, pids in self._alone.items()}
        return Reading(time.monotonic(), {**used, **alone}, busy, stolen)


def cost(first: Reading, last: Reading) -> Cost:
    seconds = last.at_s - first.at_s
    used = {name: last.used_s[name] - first.used_s[name] for name in last.used_s}
    others = last.machine_busy_s - first.machine_busy_s - sum(used.values()) + last.machine_stolen_s - first.machine_stolen_s
    return Cost(seconds, used, round(max(0.0, others / seconds / (os.cpu_count() or 1)), 3))


def peak_memory_bytes(pid: int) -> int:
    """The most that a living process ever had resident."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", (PROC / str(pid) / "status").read_text(), re.MULTILINE)
    if found is None:
        raise ServiceError(f"process {pid} has ended, so its memory cannot be read")
    return int(found[1]) * 1024


def processor_s(pid: int) -> float:
    """Of a living process and the dead children that it has waited for."""
    return sum(_stat(pid)) / TICKS_PER_S


def _services() -> dict[str, list[int]]:
    """The services that this process has started; their children come and go."""
    known = {"postgres": "postgresql", "java": "broker"}
    return {known[child.name()]: [child.pid] for child in psutil.Process().children() if child.name() in known}


def _with_children(pid: int) -> float:
    """A living process, its living descendants, and the dead ones that it has waited for."""
    pids = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    ticks = 0
    for one in pids:
        try:
            fields = _stat(one)
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended just now: its time is its parent's from now on
        ticks += sum(fields[:4])
    return ticks / TICKS_PER_S


def _own(pid: int) -> float:
    return sum(_stat(pid)[:2]) / TICKS_PER_S


def _stat(pid: int) -> list[int]:
    """utime, stime, cutime, cstime in ticks; the program's name before them may contain anything."""
    return [int(field) for field in (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[11:15]]


def _machine() -> tuple[float, float]:
    """Seconds that all cores were busy, and seconds that the hypervisor gave to somebody else."""
    times = psutil.cpu_times()
    return times.user + times.nice + times.system + times.irq + times.softirq, times.steal
