"""What PostgreSQL says when it is asked whether the ledger and the tally say the same: counts at one moment, over one connection."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from livetally.adapters.cells import Cells, Total
from livetally.adapters.postgres import Connection, connect, explained
from livetally.adapters.queries import queries
from livetally.adapters.rights import Rights
from livetally.core.errors import ServiceError
from livetally.core.tally import Cell

UNLIKE_MAX = 20  # of those that are wrong; whoever wants all asks `livetally audit`

PLACES_PER_OFFSET = 4096  # more partitions than a topic of ours will ever have

Candidate = tuple[str, str]  # election, candidate


def place_of(partition: int, offset: int) -> int:
    """One number for a ballot: of two sets of ballots that are not the same, the sums are hardly ever equal."""
    return offset * PLACES_PER_OFFSET + partition


@dataclass(frozen=True, slots=True)
class Unlike:
    """A total that is not the sum of its cells."""

    election_id: str
    where: str
    stored: int
    cells: int


@dataclass(frozen=True, slots=True)
class Tallied:
    """The count that is shown, at one moment. `totals`: those that changed since the batch that was asked for, that one included."""

    generation: int
    batch: int
    positions: Mapping[int, int]  # of `votes_topic`
    sums: Mapping[Candidate, int]
    totals: Sequence[Total]
    decided: int  # ballots, as *record* has added them up
    accepted: int  # votes in the ledger, tallied or not, likewise
    cells: Mapping[Cell, int] | None = None  # where all of it was asked for
    unlike: Sequence[Unlike] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """The ledger at one moment. `before`: rows of ballots before the cuts, how many and the sum of their places (see `place_of`)."""

    before: Mapping[Candidate, tuple[int, int]]
    rows: int  # before the cuts or behind them
    accepted: int  # as *record* has added them up


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Marks, another one as soon as PostgreSQL knows that a row was changed by somebody else than who may."""

    ledger: tuple[int, int]
    tally: tuple[int, int] | None  # of cells and group totals since they were asked for last; None where that is nobody but the tally


@dataclass(frozen=True, slots=True)
class _Stored:
    """The newest batch that was seen, and the transaction that stored it."""

    generation: int
    batch: int
    stored_by: str


class Witnesses:
    """Every method raises ServiceError while PostgreSQL is away; the next call tries a new connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._stored: _Stored | None = None
        self._sql = queries("agreement")

    def tallied(self, since: tuple[int, int] | None, *, whole: bool) -> Tallied | None:
        """None if nothing has been counted. `since`: generation and batch up to which the totals are known; `whole`: the cells too."""
        with self._one_moment() as connection:
            cells = Cells(connection)
            shown = cells.shown()
            if shown is None:
                return None
            self._stored = self._newest(connection, shown.number, shown.batch)
            since_batch = since[1] if since is not None and since[0] == shown.number else 0
            return Tallied(
                shown.number,
                shown.batch,
                cells.positions(shown.number),
                {
                    (election_id, candidate_id): votes
                    for election_id, candidate_id, votes in connection.execute(self._sql["sums"], (shown.number,))
                },
                cells.changes(shown.number, since_batch).totals,
                *self._decided(connection),
                cells.cells(shown.number) if whole else None,
                self._unlike(connection, shown.number) if whole else (),
            )

    def recorded(self, cuts: Mapping[int, int]) -> Recorded:
        """The ledger before these offsets (per partition of the ballots); all of its rows are read."""
        by_partition = [cuts.get(partition, 0) for partition in range(max(cuts, default=-1) + 1)]
        with self._one_moment() as connection:
            rows = connection.execute(self._sql["ledger"], {"cuts": by_partition, "per_offset": PLACES_PER_OFFSET}).fetchall()
            return Recorded(
                {(election_id, candidate_id): (count, int(places)) for election_id, candidate_id, count, places, _ in rows if count},
                sum(row[4] for row in rows),
                self._decided(connection)[1],
            )

    def rewritten(self) -> Rewritten:
        """Far cheaper than to read it all; the tally's rows are looked at since `tallied` was called last."""
        with self._one_moment() as connection:
            updated, file = connection.execute(self._sql["rewritten"]).fetchone() or (0, 0)
            found = connection.execute(self._sql["rewritten_totals"], asdict(self._stored)).fetchone() if self._stored else None
        return Rewritten((int(updated or 0), int(file)), (int(found[0]), int(found[1])) if found and found[0] else None)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _one_moment(self) -> Iterator[Connection]:
        with self._healing() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            connection.execute(self._sql["alone"])
            yield connection

    @contextmanager
    def _healing(self) -> Iterator[Connection]:
        try:
            if self._connection is None:
                # Not bounded: to count a large ledger takes longer than a stage's transactions may.
                self._connection = connect(self._url, "agreement", Rights.SHOW, bounded=False)
            with explained(self._url):
                yield self._connection
        except ServiceError:
            self.close()
            raise

    def _newest(self, connection: Connection, generation: int, batch: int) -> _Stored | None:
        row = connection.execute(self._sql["stored_by"], (generation,)).fetchone()
        return _Stored(generation, batch, row[0]) if row else None

    def _decided(self, connection: Connection) -> tuple[int, int]:
        row = connection.execute(self._sql["decided"]).fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def _unlike(self, connection: Connection, generation: int) -> list[Unlike]:
        found = connection.execute(self._sql["unlike_cells"], {"generation": generation, "limit": UNLIKE_MAX})
        return [Unlike(row[0], " · ".join(part for part in row[1:5] if part), row[5], row[6]) for row in found]
