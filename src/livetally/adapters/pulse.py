"""How far every stage is, in a handful of cheap questions: for a progress display and the status."""

from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from livetally.adapters.cells import Cells
from livetally.adapters.kafka import Consumer, reader
from livetally.adapters.past import counts
from livetally.adapters.postgres import Connection, connect, explained
from livetally.adapters.reading import ends
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.core.errors import ServiceError
from livetally.core.wire import BALLOTS, VOTES


@dataclass(frozen=True, slots=True)
class Pulse:
    """Counts since the beginning of the data directory, over all elections."""

    registered: int
    cast: int
    recorded: int
    accepted: int
    tallied: int
    votes_waiting: int  # offsets of `votes_topic` that the tally has not passed; marks of transactions among them

    @property
    def settled(self) -> bool:
        """Nothing is on its way."""
        return self.recorded >= self.cast and self.tallied >= self.accepted and self.votes_waiting == 0


class Pulses:
    """Takes the pulse; makes its connections anew when a service has been away."""

    def __init__(self, bootstrap_servers: str, database_url: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._database_url = database_url
        self._connection: Connection | None = None
        self._client: Consumer = reader(bootstrap_servers)

    def take(self) -> Pulse:
        """Raises ServiceError while a service is away."""
        try:
            with explained(self._database_url):
                return self._take()
        except ServiceError:
            self._drop_connection()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._drop_connection()
        self._client.close()

    def _take(self) -> Pulse:
        if self._connection is None:
            self._connection = connect(self._database_url, "pulse", Rights.LOOK)
        cells = Cells(self._connection)
        recorded, accepted, _ = counts(self._connection)
        shown = cells.shown()
        positions = cells.positions(shown.number) if shown else {}
        return Pulse(
            registered=Roll(self._connection).registered(),
            cast=sum(ends(self._client, BALLOTS).values()),
            recorded=recorded,
            accepted=accepted,
            tallied=cells.total(),
            votes_waiting=sum(max(0, end - positions.get(partition, 0)) for partition, end in ends(self._client, VOTES).items()),
        )

    def _drop_connection(self) -> None:
        if self._connection is not None:
            with closing(self._connection):
                self._connection = None
