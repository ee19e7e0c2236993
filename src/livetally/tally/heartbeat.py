"""Does something every few seconds, in a thread of its own, whatever all others wait for."""

import threading
from collections.abc import Callable

EVERY_S = 2.0


class Heartbeat:
    """A process that is stopped (SIGSTOP, a paused machine) stops beating; that is what it is for. `beat` keeps its failures to itself."""

    def __init__(self, beat: Callable[[], None], every_s: float = EVERY_S) -> None:
        self._beat = beat
        self._every_s = every_s
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="heartbeat", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._end.wait(self._every_s):
            self._beat()
