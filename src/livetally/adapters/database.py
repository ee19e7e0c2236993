"""What a page asks PostgreSQL for: a few facts, again and again, over one connection that heals."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from livetally.adapters.cells import Cells, Recount
from livetally.adapters.postgres import Connection, connect, explained
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.adapters.trust import RejectedCounts, stages
from livetally.core.elections import Election
from livetally.core.errors import ServiceError


class Database:
    """Every method raises ServiceError while PostgreSQL is away; the next call tries a new connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._rejected = RejectedCounts()

    def elections(self) -> list[Election]:
        """The newest first."""
        with self._healing() as connection:
            return Roll(connection).elections()

    def registered(self) -> int:
        with self._healing() as connection:
            return Roll(connection).registered()

    def rolls(self) -> Mapping[str, int]:
        """How many people may vote in each election."""
        with self._healing() as connection:
            return Roll(connection).rolls()

    def candidate_count(self, election_id: str) -> int:
        with self._healing() as connection:
            return Roll(connection).candidate_count(election_id)

    def recounting(self) -> Recount | None:
        """The recount that is under way; None if there is none."""
        with self._healing() as connection:
            return Cells(connection).recounting()

    def rejected(self) -> Mapping[str, tuple[tuple[str, int], ...]]:
        """Rejected ballots: by election, reason and number, most first."""
        with self._healing() as connection:
            return self._rejected.read(connection)

    def stages(self) -> frozenset[str]:
        """Stages that are connected to PostgreSQL now."""
        with self._healing() as connection:
            return stages(connection)

    @contextmanager
    def _healing(self) -> Iterator[Connection]:
        try:
            if self._connection is None:
                self._connection = connect(self._url, "show", Rights.SHOW)
            with explained(self._url):
                yield self._connection
        except ServiceError:
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
