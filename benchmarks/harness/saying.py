"""What a benchmark says to people while it runs, and how long each of its phases took."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PROGRESS_EVERY_S = 5.0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Phases:
    """Says what begins and how long it took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str, about: str) -> Iterator[None]:
        say(f"── {about}")
        began_s = time.monotonic()
        yield
        took_s = time.monotonic() - began_s
        self.seconds[name] = round(self.seconds.get(name, 0.0) + took_s, 1)
        say(f"   {took_s:.1f} s")


def progress(what: str, total: int) -> Callable[[int], None]:
    """To be told how many are done; says so every few seconds."""
    next_s = time.monotonic() + PROGRESS_EVERY_S

    def tell(done: int) -> None:
        nonlocal next_s
        if time.monotonic() >= next_s:
            next_s = time.monotonic() + PROGRESS_EVERY_S
            say(f"   {what}: {done:,} of {total:,}")

    return tell
