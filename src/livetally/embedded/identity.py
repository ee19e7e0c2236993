"""Which process a number means: Linux gives process ids out again, so a pid is only half a name."""

from pathlib import Path

START_TIME_FIELD = 19  # of /proc/PID/stat, counted behind the command's name (the 22nd in all)


def birth_of(pid: int) -> str:
    """The other half: the boot and the tick at which it started. Empty if there is no such process, or only its exit code is left.

    Exact, unlike a start time by the clock, which moves when the clock is set.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] in {"Z", "X"} else f"{boot}:{fields[START_TIME_FIELD]}"


def is_alive(pid: int, birth: str) -> bool:
    return birth != "" and birth_of(pid) == birth
