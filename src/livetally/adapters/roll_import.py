"""A list of people on its way into the roll of an election: brought to PostgreSQL row by row, judged there, stored all or nothing.

Nothing of it lies in our memory. A check goes the same way, up to the judgement.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
from psycopg.types.string import ByteaBinaryLoader

from livetally.adapters.acts import Actor, Acts
from livetally.adapters.postgres import LISTS_LOCK, Connection
from livetally.adapters.queries import queries
from livetally.adapters.roll import Roll
from livetally.core.elections import Election, Voter
from livetally.core.errors import ElectionError

SEED = 0  # of the registration of a list's people; there is nothing to choose
ROWS_AT_ONCE = 10_000

NOBODY = (None,) * (len(Voter._fields) + 1)  # a row that is wrong has no fields and no announcement

Brought = tuple[int, Voter | str, str]  # line, the person or what is wrong, the announcement


class Counts(NamedTuple):
    """What the rows of a file come to."""

    rows: int
    new: int  # nobody knew them
    known: int  # registered already, and not on this roll
    listed: int  # on this roll already
    faults: int


class Row(NamedTuple):
    """One row, judged."""

    line: int
    voter_id: str | None
    voter_name: str | None
    fault: str | None
    is_known: bool
    is_listed: bool


def source_of(election_id: str) -> str:
    """The name under which `registrations` says how many people came with the roll of an election, and how many of them are announced."""
    return f"roll:{election_id}"


class RollImport:
    """Over one connection, whose transactions may be long."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._roll = Roll(connection)
        self._sql = queries("roll_import")

    def check_takes_lists(self, election_id: str) -> None:
        """Raises ElectionError if it goes by no list."""
        election = self._roll.election(election_id)
        if election.roll != "list":
            who = "everybody on the general register" if election.roll == "all" else f"people in {', '.join(election.roll_states)}"
            raise ElectionError(f"In {election_id!r} {who} may vote; only an election that was created with `--roll list` takes a list.")

    @contextmanager
    def bringing(self, election_id: str, rows: Iterable[Brought]) -> Iterator[None]:
        """Bring rows and judge them; what follows is in the same transaction. Nothing of them is left at its end but what was stored."""
        with self._connection.transaction():
            self._connection.execute(self._sql["begin"], (election_id,))
            self._connection.execute(self._sql["make_brought"])
            with self._connection.cursor().copy(self._sql["bring_in"]) as copy:
                for line, person, message in rows:
                    copy.write_row((line, *person, message, None) if isinstance(person, Voter) else (line, *NOBODY, person))
            self._connection.execute(self._sql["make_judged"])
            yield

    def check_may_grow(self, election: Election, counts: Counts) -> None:
        """Raises ElectionError if there is somebody to be put on a roll that stands. A file that is on it already may come again at any time."""
        if election.status != "draft" and counts.new + counts.known:
            raise ElectionError(
                f"{election.election_id!r} is {election.status}: its roll stands since it was opened, and {counts.new + counts.known:,} of those in "
                "this file are not on it. Only a draft's roll can grow."
            )

    def counts(self) -> Counts:
        row = self._connection.execute(self._sql["counts"]).fetchone()
        return Counts(*row) if row else Counts(0, 0, 0, 0, 0)

    def faults(self, limit: int) -> list[tuple[int, str]]:
        """Line and what is wrong there, of the first so many."""
        return self._connection.execute(self._sql["faults"], (limit,)).fetchall()

    def judged(self) -> Iterator[Row]:
        """Every row in the order of the file; streamed."""
        with self._connection.cursor("judged") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            for row in cursor.execute(self._sql["judged"]):
                yield Row(*row)

    def store(self, election_id: str, describe: Callable[[Counts], dict[str, object]], actor: Actor) -> Counts:
        """Put them all on the roll, if none of the rows is wrong; what they come to either way.

        *record* need not wait for it, as it waits for registrations: no ballot counts in a draft, and the election stays one until this
        transaction ends. On the general register nobody is new.
        """
        self._connection.execute(self._sql["keep_lists"], (LISTS_LOCK,))
        election = self._roll.lock_election(election_id)
        counts = self.counts()
        self.check_may_grow(election, counts)
        if counts.faults or counts.rows == counts.listed:
            return counts
        times = {"election_id": election_id, "now": self._roll.now()}
        try:
            stored = self._connection.execute(self._sql["store_people"], times).rowcount
        except psycopg.errors.UniqueViolation as error:
            raise ElectionError(
                "Somebody of this file has just been registered by somebody else. Nothing was imported; try again."
            ) from error
        listed = self._connection.execute(self._sql["store_entries"], times).rowcount
        self._connection.execute(self._sql["add_to_size"], (election_id, listed))
        came_before, _ = self._roll.registration(source_of(election_id), SEED)
        self._roll.mark_stored(source_of(election_id), SEED, came_before + stored)
        Acts(self._connection).note(actor.who, "election import-roll", election_id, election_id, describe(counts), actor.came_from)
        return counts


def unannounced(connection: Connection, election_id: str, announced: int) -> Iterator[tuple[bytes, bytes]]:
    """Id and announcement of those who came with a roll, behind the first so many; streamed."""
    with connection.transaction(), connection.cursor("unannounced", binary=True) as cursor:
        for text in ("text", "varchar"):
            cursor.adapters.register_loader(text, ByteaBinaryLoader)  # it goes to Kafka as it lies in the table
        cursor.itersize = ROWS_AT_ONCE
        yield from cursor.execute(queries("roll_import")["unannounced"], (election_id, announced))
