"""Does something every few seconds, in a thread of its own, whatever all others wait for."""

import threading
from collections.abc import Callable

EVERY_S = 2.0


class Heartbeat:
    """A process that is stopped (SIGSTOP, a paused machine) stops beating; that is what it is for.

    PostgreSQL ends a silent session, and the tally's lock with it, so that a tally that was stopped holds nobody up. Whoever is
    `at_work` on the same session speaks anyhow: then there is no beat. `fault` is why it beats no more.
    """

    def __init__(self, beat: Callable[[], None], every_s: float = EVERY_S) -> None:
        self._beat = beat
        self._every_s = every_s
        self._end = threading.Event()
        self.at_work = threading.Lock()
        self.fault: Exception | None = None
        self._thread = threading.Thread(target=self._go_on, name="heartbeat", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._thread.join()

    def _go_on(self) -> None:
        while self.fault is None and not self._end.wait(self._every_s):
            if self.at_work.acquire(blocking=False):
                try:
                    self._beat()
                except Exception as error:  # noqa: BLE001 (whatever it is, it ends the count as one of a batch does)
                    self.fault = error
                finally:
                    self.at_work.release()
