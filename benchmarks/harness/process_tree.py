"""What a process and everything beneath it use: memory, each shared page counted once, and processor time, by program."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.cost import processor_s

PROC = Path("/proc")
PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Usage:
    """Of all processes of one program that live. `processor_s` has that of dead children in it, so all programs add up."""

    pss_bytes: int = 0
    processor_s: float = 0.0


def usage(root_pid: int) -> Mapping[str, Usage]:
    """By program. A page that several processes share is split among them (PSS), so all of it adds up to what is really used."""
    try:
        root = psutil.Process(root_pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return {}
    found: dict[str, Usage] = defaultdict(Usage)
    for process in processes:
        try:
            program = _program(process)
            pss = PSS.search((PROC / str(process.pid) / "smaps_rollup").read_text())
            used_s = processor_s(process.pid)
        except (psutil.NoSuchProcess, psutil.ZombieProcess, FileNotFoundError, ProcessLookupError):
            continue  # ended just now
        before = found[program]
        found[program] = Usage(before.pss_bytes + (int(pss[1]) * 1024 if pss else 0), before.processor_s + used_s)
    return found


def _program(process: psutil.Process) -> str:
    """The stage, or the service."""
    words = process.cmdline()
    if "kafka.Kafka" in words:
        return "broker"
    if process.name() == "java":
        return "spark"
    if process.name() == "postgres":
        return "postgresql"
    if "livetally" in words[1:-1]:
        return words[words.index("livetally") + 1]
    return "dashboard" if any("streamlit" in word for word in words) else process.name()
