"""Waiting for a condition, with a deadline; never for a time."""

import threading
import time
from collections.abc import Callable

WITHIN_S = 120.0  # of a machine that is busy with other tests


def wait_for(condition: Callable[[], object], what: str, within_s: float = WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        threading.Event().wait(0.02)
