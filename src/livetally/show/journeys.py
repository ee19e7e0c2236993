"""How long votes take from cast to this server's memory: measured on the newest vote of every check."""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from livetally.adapters.votes_read import Passed
from livetally.show.trust import Journey

SHOWN_MAX = 200  # versions whose moment is remembered: some minutes of batches
KEPT = timedelta(minutes=5)
P95 = 0.95

Version = tuple[int, int]


class Journeys:
    def __init__(self) -> None:
        self._found: Version = (-1, -1)
        self._shown: deque[tuple[Version, datetime, datetime]] = deque(maxlen=SHOWN_MAX)  # version, announced at, shown at
        self._journeys: deque[Journey] = deque(maxlen=SHOWN_MAX)

    def found(self, version: Version) -> None:
        """What was there when this server began to read: how long that took to come here says nothing."""
        self._found = version

    def shown(self, version: Version, announced_at: datetime, at: datetime) -> None:
        """The numbers of a version are in memory from now on."""
        if version <= self._found:
            return
        if not self._shown or version > self._shown[-1][0]:
            self._shown.append((version, announced_at, at))

    def counted(self, passed: Passed, version: Version) -> None:
        """The newest vote that was counted up to a version. Of a version that this server never waited for, nothing is known."""
        shown = tuple(self._shown)
        if not shown or version <= self._found or version < shown[0][0]:
            return
        for known, announced_at, at in shown:
            if known >= version:
                cast, published = _moment(passed.cast_ms), _moment(passed.published_ms)
                journey = Journey(at, _seconds(cast, published), _seconds(published, announced_at), _seconds(announced_at, at))
                if not self._journeys or self._journeys[-1] != journey:
                    self._journeys.append(journey)
                return

    def newest(self) -> Journey | None:
        return self._journeys[-1] if self._journeys else None

    def p95_s(self, now: datetime) -> float | None:
        """Of the journeys of the last minutes."""
        return _p95([one.whole_s for one in tuple(self._journeys) if now - one.at <= KEPT])


def _p95(lengths_s: Sequence[float]) -> float | None:
    return sorted(lengths_s)[min(len(lengths_s) - 1, int(P95 * len(lengths_s)))] if lengths_s else None


def _seconds(begin: datetime, end: datetime) -> float:
    """Clocks of two processes on one machine agree to the millisecond; no journey is shorter than none."""
    return max(0.0, (end - begin).total_seconds())


def _moment(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)
