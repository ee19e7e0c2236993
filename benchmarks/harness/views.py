"""What the aggregated topics say, followed as any reader follows them: the newest total of every group, and when it came."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from livetally.adapters.kafka import TopicPartition, consumer
from livetally.adapters.reading import gather, partitions_of
from livetally.core.errors import ServiceError
from livetally.core.tally import AGE, CANDIDATE, GENDER, PARTY, REGION, STATE, Totals, View
from livetally.core.wire import decode

SIX: Sequence[View] = (CANDIDATE, PARTY, STATE, REGION, GENDER, AGE)  # the views that both contenders have
AT_ONCE = 10_000

Group = tuple[str, tuple[str, ...]]  # view and what names the group


def peer_topic(view: str) -> str:
    """Where the peer publishes a view."""
    return f"peer_{view}"


@dataclass(frozen=True, slots=True)
class Sample:
    """How many votes each view showed at a moment: the sum of its totals."""

    at_s: float
    shown: Mapping[str, int]

    @property
    def votes(self) -> float:
        """How far all views are on the average; they differ where each is counted by a query of its own."""
        return sum(self.shown.values()) / len(self.shown)

    @property
    def least(self) -> int:
        return min(self.shown.values())


class Views:
    """A reader of all six, from the beginning. A topic holds one election, and one contender's messages."""

    def __init__(self, bootstrap_servers: str, topics: Mapping[str, str]) -> None:
        """`topics`: where each view is published, by its name."""
        self._client = consumer(bootstrap_servers)
        self._view_of = {topics[view.name]: view for view in SIX}
        self._totals: dict[Group, int] = {}
        self._shown = {view.name: 0 for view in SIX}

    def __enter__(self) -> Self:
        self._client.assign(
            [TopicPartition(topic, partition, 0) for topic in self._view_of for partition in partitions_of(self._client, topic)]
        )
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        with closing(self._client):
            pass

    def look(self, wait_s: float) -> Sample:
        """Take in what has come, waiting for something up to so long; how far all views are now."""
        for message in gather(self._client, AT_ONCE, wait_s):
            if message.error() is not None:
                raise ServiceError(f"the aggregated topics cannot be read: {message.error()}")
            self._take(self._view_of[message.topic() or ""], message.value() or b"")
        return Sample(time.monotonic(), dict(self._shown))

    def totals_of(self, election_id: str) -> Totals:
        """As `core.tally` writes them down; a contender's own messages may leave the election out."""
        return {(view, election_id, group): votes for (view, group), votes in self._totals.items()}

    def _take(self, view: View, value: bytes) -> None:
        said = decode(value)
        group = (view.name, tuple(str(said[name]) for name in view.group))
        total = int(said[view.total])
        self._shown[view.name] += total - self._totals.get(group, 0)
        self._totals[group] = total
