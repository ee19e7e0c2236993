"""The last minute: results of some seconds ago, kept to say what has changed since."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from livetally.show.changes import look, since
from livetally.show.result import Changes, Result

WINDOW = timedelta(minutes=1)
STEP = timedelta(seconds=5)  # so much longer than a minute it may reach back; a result of 5,000 places takes a megabyte


class Recent:
    def __init__(self) -> None:
        self._kept: dict[str, deque[tuple[datetime, Result]]] = {}

    def note(self, results: Mapping[str, Result], now: datetime) -> Mapping[str, Changes]:
        """Keep these, and say of each what has changed since the oldest one of the last minute, or the newest one before it."""
        changes = {}
        for election_id, result in results.items():
            kept = self._kept.setdefault(election_id, deque())
            if not kept or now - kept[-1][0] >= STEP:
                kept.append((now, result))
            while len(kept) > 1 and now - kept[1][0] >= WINDOW:
                kept.popleft()
            seen_at, before = kept[0]
            if seen_at < now:
                changes[election_id] = since(look(before, seen_at), result, now, before)
        return changes
