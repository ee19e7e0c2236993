"""Whether a stage goes round, and whether it can work. Pure: the clock comes in as an argument."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUND_WITHIN_S = 60.0  # a batch takes seconds; a call to a service that has gone away gives up, or is answered, well within this
STARTING = "it is starting"


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say to whoever asks."""

    is_good: bool
    text: str


class Health:
    """Told by the stage's loop, asked by the server's threads."""

    def __init__(self, round_within_s: float = ROUND_WITHIN_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._round_within_s = round_within_s
        self._clock = clock
        self._went_round_at = clock()  # the start counts as the first round
        self._lock = threading.Lock()
        self._waits_for: str | None = STARTING
        self._waits_since = clock()

    def alive(self) -> None:
        """The loop went round."""
        self._went_round_at = self._clock()

    def ready(self) -> None:
        """All services answer, and the stage works."""
        with self._lock:
            self._waits_for = None

    def not_ready(self, why: str) -> None:
        """It cannot work at present. Said again for another reason, it has still been so since the first."""
        with self._lock:
            if self._waits_for is None:
                self._waits_since = self._clock()
            self._waits_for = why

    @property
    def is_ready(self) -> bool:
        return self._waits_for is None

    @property
    def since_round_s(self) -> float:
        return self._clock() - self._went_round_at

    def healthz(self) -> Answer:
        since_s = self.since_round_s
        if since_s <= self._round_within_s:
            return Answer(is_good=True, text="ok")
        return Answer(is_good=False, text=f"the loop has not gone round for {since_s:.0f} s; it should within {self._round_within_s:.0f} s")

    def readyz(self) -> Answer:
        with self._lock:
            why, since_s = self._waits_for, self._clock() - self._waits_since
        if why is None:
            return Answer(is_good=True, text="ready")
        return Answer(is_good=False, text=f"not ready for {since_s:.0f} s: {' '.join(why.split())}")
