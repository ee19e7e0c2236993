"""Small files that are either the old ones or the new ones, never half of each."""

import os
from pathlib import Path

PRIVATE = 0o600


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)
