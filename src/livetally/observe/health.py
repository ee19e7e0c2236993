"""Whether a stage goes round, and whether it can work. Time comes in as an argument."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from livetally.observe.lately import Lately

ROUND_WITHIN_S = 60.0  # a batch takes seconds; a call to a service that has gone away gives up, or is answered, well within this
STARTING = "it is starting"

Probe = Callable[[], str | None]  # why the stage cannot work, in words; None if nothing is in its way


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say to whoever asks."""

    is_good: bool
    text: str


class Health:
    """Told by the stage's loop, asked by the server's threads."""

    def __init__(
        self,
        round_within_s: float = ROUND_WITHIN_S,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._round_within_s = round_within_s
        self._clock = clock
        self._now = now
        self._went_round_at = clock()  # the start counts as the first round
        self._waits_for: str | None = STARTING
        self._probe: Probe = lambda: None

    def alive(self) -> None:
        """The loop went round."""
        self._went_round_at = self._clock()

    def ready(self) -> None:
        """The stage works."""
        self._waits_for = None

    def not_ready(self, why: str) -> None:
        """The stage knows itself that it cannot work at present."""
        self._waits_for = why

    def probe_with(self, probe: Probe) -> None:
        """Ask this too: a stage that has nothing to do does not notice that a service has gone away."""
        self._probe = Lately(probe, self._clock)

    @property
    def since_round_s(self) -> float:
        return self._clock() - self._went_round_at

    def healthz(self) -> Answer:
        """Whether the loop has gone round in time."""
        since_s = self.since_round_s
        if since_s <= self._round_within_s:
            return Answer(is_good=True, text="ok")
        since = (self._now() - timedelta(seconds=since_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Answer(
            is_good=False,
            text=f"the loop has not gone round since {since}, {since_s:.0f} s ago; it should every {self._round_within_s:.0f} s",
        )

    def readyz(self) -> Answer:
        """Whether the stage can work, as far as it and the probe know."""
        why = self._waits_for or self._probe()
        return Answer(is_good=True, text="ready") if why is None else Answer(is_good=False, text="not ready: " + " ".join(why.split()))
