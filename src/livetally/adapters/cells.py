"""The tally's numbers in PostgreSQL: cells by generation and batch, and every total that follows from them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from livetally.adapters.postgres import TALLY_LOCK, Connection
from livetally.adapters.queries import queries
from livetally.core.errors import LedgerError, ServiceError
from livetally.core.tally import Cell

LOCK_WITHIN_S = 12.0  # longer than PostgreSQL lets a transaction live whose owner is gone
LOCK_AGAIN_S = 0.2


@dataclass(frozen=True, slots=True)
class Generation:
    """One count from the beginning."""

    number: int
    fingerprint: str
    shown: bool
    batch: int


@dataclass(frozen=True, slots=True)
class Total:
    """One number of one view, and the batch that changed it last."""

    view: str
    election_id: str
    group: tuple[str, ...]
    votes: int
    batch: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of the result."""

    candidate_id: str
    candidate_name: str
    party_affiliation: str
    total_votes: int


class Cells:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("cells")

    def take_lock(self) -> None:
        """A tally that was killed may hold it for a moment longer. Raises LedgerError if another one lives."""
        deadline = time.monotonic() + LOCK_WITHIN_S
        while self._connection.execute(self._sql["take_lock"], (TALLY_LOCK,)).fetchone() != (True,):
            if time.monotonic() < deadline:
                time.sleep(LOCK_AGAIN_S)
                continue
            raise LedgerError(
                "A tally is running already; two would only undo each other's work. Stop it first (`livetally tally` or `livetally run`)."
            )

    def is_being_counted(self) -> bool:
        """Whether a tally is running. Not for one who holds the lock."""
        return self._connection.execute(self._sql["is_locked"], (TALLY_LOCK,)).fetchone() == (True,)

    def newest(self) -> Generation | None:
        row = self._connection.execute(self._sql["newest_generation"]).fetchone()
        return Generation(row[0], row[1], row[2] == "shown", row[3]) if row else None

    def begin(self, fingerprint: str, reason: str) -> Generation:
        """A new generation. One that was counting and never shown is dropped; the shown one stays until this has caught up."""
        with self._connection.transaction():
            self._connection.execute(self._sql["drop_unshown"])
            row = self._connection.execute(self._sql["add_generation"], (fingerprint, reason)).fetchone()
        if row is None:
            raise LedgerError("PostgreSQL did not begin a new generation of the tally.")
        return Generation(row[0], fingerprint, row[1] == "shown", -1)

    def store(self, generation: int, batch: int, changed: Sequence[tuple[str | int, ...]], positions: Mapping[int, int]) -> None:
        """Store a batch's changed cells and how far it read, in one transaction. Raises LedgerError if a newer batch is stored."""
        with self._connection.transaction():
            self._connection.execute(self._sql["make_changed"])
            with self._connection.cursor().copy(self._sql["bring_in"]) as copy:
                for row in changed:
                    copy.write_row(row)
            stored = self._connection.execute(self._sql["lock_generation"], (generation,)).fetchone()
            if stored is None or stored[0] > batch:
                raise ServiceError(
                    f"Batch {batch} of generation {generation} is older than what is stored ({stored and stored[0]}): another tally has taken over."
                )
            self._connection.execute(self._sql["store_cells"], {"generation": generation, "batch": batch})
            for partition, next_offset in positions.items():
                self._connection.execute(self._sql["store_position"], (generation, partition, next_offset))
            self._connection.execute(self._sql["store_batch"], (batch, generation))

    def show(self, generation: int) -> None:
        """From now on readers see this generation, and no other exists."""
        with self._connection.transaction():
            self._connection.execute(self._sql["retire_others"], (generation,))
            self._connection.execute(self._sql["show_generation"], (generation,))

    def totals(self, generation: int, since_batch: int) -> list[Total]:
        """Every total that has changed since a batch, that one included."""
        found = []
        for view, election_id, candidate_id, party, state, city, gender, age, votes, batch in self._connection.execute(
            self._sql["totals"], (generation, since_batch)
        ):
            groups = {
                "candidate": (candidate_id,),
                "party": (party,),
                "state": (state,),
                "region": (city, state),
                "gender": (gender,),
                "age": (age,),
            }
            found.append(Total(view, election_id, groups[view], votes, batch))
        return found

    def candidates(self) -> dict[str, tuple[str, str, str]]:
        """Name, party and portrait of every candidate."""
        return {row[0]: row[1:] for row in self._connection.execute(self._sql["candidates"]).fetchall()}

    def registered(self) -> dict[tuple[str, tuple[str, ...]], int]:
        """How many people are registered, per view and group (of the views whose groups do not change with time)."""
        found: dict[tuple[str, tuple[str, ...]], int] = {}
        for view, state, city, gender, voters in self._connection.execute(self._sql["registered"]):
            found[view, {"state": (state,), "region": (city, state), "gender": (gender,)}[view]] = voters
        return found

    def shown(self) -> Generation | None:
        row = self._connection.execute(self._sql["shown"]).fetchone()
        return Generation(row[0], "", shown=True, batch=row[1]) if row else None

    def last_change(self, generation: int) -> int:
        """The newest batch that changed a number; -1 if none has."""
        row = self._connection.execute(self._sql["last_change"], (generation,)).fetchone()
        return int(row[0]) if row else -1

    def recounting(self) -> str | None:
        """Why a recount is under way; None if there is none."""
        row = self._connection.execute(self._sql["counting"]).fetchone()
        return str(row[1]) if row else None

    def positions(self, generation: int) -> dict[int, int]:
        return dict(self._connection.execute(self._sql["positions"], (generation,)).fetchall())

    def cells(self, generation: int) -> dict[Cell, int]:
        return {Cell(*row[:-1]): row[-1] for row in self._connection.execute(self._sql["cells"], (generation,))}

    def total(self) -> int:
        """Votes that the shown generation has counted."""
        row = self._connection.execute(self._sql["total"]).fetchone()
        return int(row[0]) if row else 0

    def results(self, election_id: str, at: datetime | None = None) -> list[Standing]:
        """The result now, as the tally shows it; with `at` (UTC), as the ledger had it at that moment."""
        if at is None:
            rows = self._connection.execute(self._sql["results"], (election_id,))
        else:
            rows = self._connection.execute(self._sql["results_at"], {"election_id": election_id, "at": at})
        return [Standing(*row) for row in rows]

    def request_recount(self) -> None:
        """The next tally that starts counts again from the beginning."""
        self._connection.execute(self._sql["request_recount"])
