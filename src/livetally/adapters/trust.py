"""What the page's evidence needs from PostgreSQL: rejected ballots by reason, and which stages are connected."""

from collections import Counter
from collections.abc import Mapping

from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries


class RejectedCounts:
    """Rejections by election and reason, counted once and then onwards: there may be millions."""

    def __init__(self) -> None:
        self._sql = queries("trust")
        self._counted: dict[int, int] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def read(self, connection: Connection) -> Mapping[str, tuple[tuple[str, int], ...]]:
        """By election ("" where a ballot names none), most first."""
        decided: dict[int, int] = dict(connection.execute(self._sql["decided"]).fetchall())
        if any(decided.get(partition, 0) < counted for partition, counted in self._counted.items()):  # the ledger was made again
            self._counted, self._counts = {}, Counter()
        for partition, end in sorted(decided.items()):
            first = self._counted.get(partition, 0)
            if first < end:
                found = connection.execute(self._sql["rejected"], {"partition": partition, "first": first, "next": end})
                self._counts.update({(election_id, reason): count for election_id, reason, count in found})
                self._counted[partition] = end
        by_election: dict[str, list[tuple[str, int]]] = {}
        for (election_id, reason), count in self._counts.items():
            by_election.setdefault(election_id, []).append((reason, count))
        return {election_id: tuple(sorted(counts, key=lambda one: (-one[1], one[0]))) for election_id, counts in by_election.items()}


def stages(connection: Connection) -> frozenset[str]:
    """What is connected now, by the names that `postgres.connect` was given: record, tally, …"""
    return frozenset(name for (name,) in connection.execute(queries("trust")["stages"]))
