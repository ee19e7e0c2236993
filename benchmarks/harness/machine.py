"""What a result was measured on: without it, a number means nothing."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import psycopg

from harness.database import row
from livetally.settings import PREFIX

ROOT = Path(__file__).resolve().parents[2]
SETTINGS_OF_INTEREST = ("fsync", "synchronous_commit", "shared_buffers", "max_wal_size")


def machine(connection: "psycopg.Connection[tuple[Any, ...]]", database_directory: Path) -> dict[str, object]:
    shown = {name: row(connection, f"SHOW {name}")[0] for name in SETTINGS_OF_INTEREST}
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": _commit(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "file_system": _file_system(database_directory),
        "python": platform.python_version(),
        "postgresql": row(connection, "SHOW server_version")[0],
        "postgresql_settings": shown,
        "librdkafka_client": version("confluent-kafka"),
        "settings": {name: value for name, value in sorted(os.environ.items()) if name.startswith(PREFIX) and "URL" not in name},
    }


def _commit() -> str:
    """With a plus where files differ from it."""
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],  # noqa: S607 (whichever git there is)
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        return "unknown"
    return said.stdout.strip()


def _file_system(directory: Path) -> str:
    """The kind of the one that holds the directory: on one in memory, fsync costs nothing and a result is worth as much."""
    mounts = [part for part in psutil.disk_partitions(all=True) if directory.is_relative_to(part.mountpoint)]
    return max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else "unknown"
