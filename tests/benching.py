"""A benchmark, as small as its sizes make it, in a process of its own, which must leave nothing behind."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_S = 600


def benched(name: str, sizes: Sequence[str], directory: Path, settings: Mapping[str, str] | None = None) -> Any:
    """Its document. `directory` must be empty."""
    inherited = {variable: value for variable, value in os.environ.items() if not variable.startswith("LIVETALLY_")}
    done = subprocess.run(
        [str(ROOT / "livetally"), "bench", name, "--json", *sizes, f"--dir={directory}"],
        cwd=directory,
        env=inherited | dict(settings or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(directory.iterdir()) == [], "what it kept is deleted"
    return json.loads(done.stdout)
