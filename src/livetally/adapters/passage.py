"""How far the ballots from before some moment have come: decided, published, counted."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from livetally.adapters import past
from livetally.adapters.cells import Cells
from livetally.adapters.kafka import ANSWER_TIMEOUT_S, TopicPartition, reader
from livetally.adapters.outcomes import Outcomes
from livetally.adapters.postgres import Connection
from livetally.adapters.reading import bounds, ends, partitions_of, patiently
from livetally.core.wire import BALLOTS, VOTES

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Passage:
    """Questions to Kafka and PostgreSQL; each answers for this moment, and none of them waits for anything."""

    def __init__(self, bootstrap_servers: str, connection: Connection) -> None:
        self._connection = connection
        self._client = reader(bootstrap_servers)
        self._outcomes = Outcomes(bootstrap_servers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._outcomes.close()
        self._client.close()

    def cuts(self, moment: datetime) -> dict[int, int]:
        """Per partition of the ballots, the offset of the first one that was appended at this moment or later; where there is none, the end."""
        # A ballot's time is in whole milliseconds: the first that is not before the moment is that of the moment, rounded up.
        moment_ms = -(-((moment - EPOCH) // (EPOCH.resolution)) // 1000)
        asked = [TopicPartition(BALLOTS, partition, moment_ms) for partition in partitions_of(self._client, BALLOTS)]
        found = patiently("which ballots came in time", lambda: self._client.offsets_for_times(asked, ANSWER_TIMEOUT_S))
        return {one.partition: one.offset if one.offset >= 0 else bounds(self._client, BALLOTS, one.partition)[1] for one in found}

    def undecided(self, cuts: Mapping[int, int]) -> int:
        """Ballots before these offsets on which there is no verdict yet."""
        decided = past.positions(self._connection)
        return sum(max(0, cut - decided.get(partition, 0)) for partition, cut in cuts.items())

    def unpublished(self, cuts: Mapping[int, int]) -> int:
        """Of them, those whose outcome is not on the topics yet."""
        return sum(max(0, cut - self._outcomes.next_ballot(partition)) for partition, cut in cuts.items() if cut)

    def votes_end(self) -> dict[int, int]:
        """Where the votes topic ends, per partition."""
        return ends(self._client, VOTES)

    def uncounted(self, votes_end: Mapping[int, int]) -> int:
        """Offsets of the votes topic before these ends that the tally has not passed. All of them, if nothing has been tallied."""
        cells = Cells(self._connection)
        shown = cells.shown()
        counted = cells.positions(shown.number) if shown else {}
        return sum(max(0, end - counted.get(partition, 0)) for partition, end in votes_end.items())
