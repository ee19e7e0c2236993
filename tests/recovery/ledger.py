"""The ledger as somebody sees it who may look at PostgreSQL, and asks for what is new again and again."""

from collections import Counter
from collections.abc import Mapping

import psycopg

from faults.ground import looking
from livetally.adapters.postgres import Connection
from pipeline import PARTITIONS
from recovery.views import CANDIDATES, TOPICS, VOTES_FROM, Group, Votes

Starts = dict[int, int]  # per partition, the offset of the first ballot that is asked for


class Ledger:
    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._connection: Connection | None = None
        self._starts: Starts = dict.fromkeys(range(PARTITIONS), 0)
        self._counts: dict[str, Counter[Group]] = {topic: Counter() for topic in TOPICS}

    def advance(self) -> bool:
        """Take in what has come since the last time; False if PostgreSQL is away. Verdicts are stored in the order of the ballots' offsets."""
        try:
            rows, self._starts = self._read(self._starts)
        except psycopg.Error:
            self.close()
            return False
        for topic, looks in TOPICS.items():
            self._counts[topic].update(looks.counted(rows))
        return True

    def counts(self, topic: str) -> Mapping[Group, int]:
        """As of the last advance."""
        return self._counts[topic]

    @property
    def votes(self) -> int:
        return self._counts[CANDIDATES].total()

    def from_the_beginning(self) -> list[Votes]:
        """All of it, asked anew."""
        return self._read(dict.fromkeys(range(PARTITIONS), 0))[0]

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            self._connection = looking(self._database_url)
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self, starts: Starts) -> tuple[list[Votes], Starts]:
        found, ends = [], dict(starts)
        for *row, partition, offset in self.connection.execute(VOTES_FROM, (list(starts.keys()), list(starts.values()))):
            found.append(Votes(*row))
            ends[partition] = max(ends[partition], offset + 1)
        return found, ends
