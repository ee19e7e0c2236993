"""Which total had been announced when: the aggregated topic, read as it grows."""

import threading
import time
from bisect import bisect_left
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from livetally.adapters.kafka import TopicPartition, consumer
from livetally.adapters.reading import gather, partitions_of
from livetally.core.wire import PER_CANDIDATE, decode

AT_ONCE = 10_000
WAIT_S = 0.05

Seen = tuple[int, int]  # nanoseconds, total


class Announcements:
    """A thread that follows the topic from its beginning. `seen`: after every read, the sum of the candidates' newest totals."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._client = consumer(bootstrap_servers)
        self._totals: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.seen: list[Seen] = []
        self.fault: str | None = None

    def __enter__(self) -> Self:
        self._client.assign([TopicPartition(PER_CANDIDATE, one, 0) for one in partitions_of(self._client, PER_CANDIDATE)])
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        self._client.close()

    @property
    def total(self) -> int:
        return self.seen[-1][1] if self.seen else 0

    def _follow(self) -> None:
        while not self._stop.is_set():
            messages = gather(self._client, AT_ONCE, WAIT_S)
            now_ns = time.monotonic_ns()
            for message in messages:
                if message.error() is not None:
                    self.fault = str(message.error())
                    return
                said = decode(message.value() or b"")
                self._totals[said["candidate_id"]] = said["total_votes"]
            if messages and (total := sum(self._totals.values())) > self.total:
                self.seen.append((now_ns, total))


def delays(announced: Sequence[Seen], shown: Sequence[Seen], first_ns: int, last_ns: int, end_ns: int) -> list[tuple[float, float]]:
    """For each total that was announced between two moments: how long after the first of them, and how many seconds it took until this
    viewer was shown it, or a newer one.

    One that was never shown counts until the end of the measurement.
    """
    totals = [total for _, total in shown]
    found = []
    for at_ns, total in announced:
        if first_ns <= at_ns <= last_ns:
            place = bisect_left(totals, total)
            took_ns = (shown[place][0] if place < len(shown) else end_ns) - at_ns
            found.append(((at_ns - first_ns) / 1e9, max(0.0, took_ns / 1e9)))
    return found
