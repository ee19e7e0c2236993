"""The tally's numbers in PostgreSQL: cells by generation and batch, and every total that follows from them."""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from livetally.adapters.postgres import TALLY_LOCK, Connection
from livetally.adapters.queries import queries
from livetally.core.errors import LedgerError, ServiceError
from livetally.core.tally import REGION, Cell

LOCK_WITHIN_S = 12.0  # longer than PostgreSQL keeps a session whose owner has been stopped
LOCK_AGAIN_S = 0.2
WATERMARK_MINUTES = 1  # a minute is closed when votes have been seen that were cast this long after its end
MINUTES_KEPT = timedelta(days=2)  # by the time of voting; what is older is kept by the hour


Group = tuple[str, str, tuple[str, ...]]  # view, election, and what the view groups by


@dataclass(frozen=True, slots=True)
class Generation:
    """One count from the beginning."""

    number: int
    fingerprint: str
    shown: bool
    batch: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch adds: counts as CSV (the fields of a cell, minute, votes), and from where to where it has read."""

    number: int
    counts: bytes
    starts: Mapping[int, int]
    ends: Mapping[int, int]
    reached_s: int | None  # the largest time of voting in it, since 1970


@dataclass(frozen=True, slots=True)
class Total:
    """One number of one view, and the batch that changed it last."""

    view: str
    election_id: str
    group: tuple[str, ...]
    votes: int
    batch: int


@dataclass(frozen=True, slots=True)
class MinuteTotal:
    """A candidate's votes of one minute, as far as they came while it was open."""

    election_id: str
    candidate_id: str
    begins: datetime
    votes: int
    batch: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be announced."""

    totals: list[Total]
    minutes: list[MinuteTotal]


@dataclass(frozen=True, slots=True)
class Recount:
    """Why everything is being counted again, and how much of what the shown count has is counted again already."""

    reason: str
    percent: int


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

    def beat(self) -> None:
        """Say that the one who holds the lock is alive."""
        self._connection.execute(self._sql["beat"])

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
            self._connection.execute(self._sql["forget_dropped"])
            row = self._connection.execute(self._sql["add_generation"], (fingerprint, reason)).fetchone()
        if row is None:
            raise LedgerError("PostgreSQL did not begin a new generation of the tally.")
        return Generation(row[0], fingerprint, row[1] == "shown", -1)

    def store(self, generation: int, batch: Batch) -> Changes | None:
        """Add a batch's counts to every table, once, with how far it has read; None if it has been stored already.

        To be called in a transaction. Raises ServiceError if a newer batch is stored, or one that has read something else.
        """
        stored = self._connection.execute(self._sql["lock_generation"], (generation,)).fetchone()
        if stored is None or stored[0] > batch.number:
            raise ServiceError(
                f"Batch {batch.number} of generation {generation} is older than what is stored ({stored and stored[0]}): another tally has taken over."
            )
        positions = self.positions(generation)
        if stored[0] == batch.number and positions == batch.ends:
            return None
        if stored[0] != batch.number - 1 or any(positions.get(partition, 0) != start for partition, start in batch.starts.items()):
            raise LedgerError(
                f"Batch {batch.number} of generation {generation} begins at {dict(batch.starts)}, and the database has counted up to {positions} "
                f"in batch {stored[0]}: they do not belong together. `./livetally rebuild tally` counts from the beginning."
            )
        self._bring_in(batch.counts)
        changes = self._add(generation, batch.number, stored[1])
        with self._connection.cursor() as cursor:
            cursor.executemany(self._sql["store_position"], [(generation, partition, end) for partition, end in sorted(batch.ends.items())])
        self._connection.execute(self._sql["store_batch"], {"generation": generation, "batch": batch.number, "reached_s": batch.reached_s})
        self._thin(generation, stored[1], batch.reached_s)
        return changes

    def _bring_in(self, counts: bytes) -> None:
        self._connection.execute(self._sql["make_changed"])
        with self._connection.cursor().copy(self._sql["bring_in"]) as copy:
            copy.write(counts)

    def _add(self, generation: int, batch: int, reached_s: int | None) -> Changes:
        version = {"generation": generation, "batch": batch}
        reached_s = -1 if reached_s is None else reached_s
        reached_minute = reached_s // 60
        totals = [_total(row) for row in self._connection.execute(self._sql["add_to_totals"], version)]
        totals += self._party_totals(generation, batch)
        limits = {
            "reached_minute": reached_minute,
            "closed_minute": reached_minute - WATERMARK_MINUTES - 1,
            "kept_minute": _kept_from_s(reached_s) // 60,
        }
        minutes = self._connection.execute(self._sql["add_to_history"], version | limits)
        return Changes(totals, [MinuteTotal(*row) for row in minutes])

    def _thin(self, generation: int, before_s: int | None, reached_s: int | None) -> None:
        """Once an hour."""
        if before_s is None or reached_s is None or before_s // 3600 >= reached_s // 3600:
            return
        before = datetime.fromtimestamp(_kept_from_s(reached_s), UTC)
        self._connection.execute(self._sql["thin_history"], {"generation": generation, "before": before})

    def show(self, generation: int) -> None:
        """From now on readers see this generation. The one before is retired: what it has announced is to be taken back, then it is dropped."""
        with self._connection.transaction():
            self._connection.execute(self._sql["retire_others"], (generation,))
            self._connection.execute(self._sql["show_generation"], (generation,))

    def vanished(self, generation: int, batch: int) -> Changes:
        """What retired generations have announced and this one does not have: it is none, since `batch`."""
        ours = {"generation": generation}
        totals = [_total((*row, 0, batch)) for row in self._connection.execute(self._sql["vanished_totals"], ours)]
        minutes = self._connection.execute(self._sql["vanished_minutes"], ours)
        return Changes(totals, [MinuteTotal(election_id, candidate_id, begins, 0, batch) for election_id, candidate_id, begins in minutes])

    def drop_retired(self) -> None:
        """To be called when it is announced what has vanished."""
        with self._connection.transaction():
            if self._connection.execute(self._sql["drop_retired"]).fetchall():
                self._connection.execute(self._sql["forget_dropped"])

    def changes(self, generation: int, since_batch: int) -> Changes:
        """Everything that has changed since a batch, that one included."""
        totals = [_total(row) for row in self._connection.execute(self._sql["totals"], (generation, since_batch))]
        totals += self._party_totals(generation, since_batch)
        minutes = self._connection.execute(self._sql["minutes"], (generation, since_batch))
        return Changes(totals, [MinuteTotal(*row) for row in minutes])

    def _party_totals(self, generation: int, since_batch: int) -> list[Total]:
        rows = self._connection.execute(self._sql["party_totals"], (generation, since_batch))
        return [Total("party", election_id, (party,), votes, batch) for election_id, party, votes, batch in rows]

    def keep_registered(self, groups: Collection[tuple[str, str, str, str, int]]) -> None:
        """From now on these are the people registered in each group. To be called in a transaction."""
        self._connection.execute(self._sql["forget_registered"])
        with self._connection.cursor().copy(self._sql["copy_registered"]) as copy:
            for group in groups:
                copy.write_row(group)

    def registered_mark(self) -> object:
        """Another one after every change of who is registered, or for what."""
        return self._connection.execute(self._sql["registered_mark"]).fetchone()

    def candidates(self) -> dict[str, tuple[str, str, str]]:
        """Name, party and portrait of every candidate."""
        return {row[0]: row[1:] for row in self._connection.execute(self._sql["candidates"]).fetchall()}

    def registered(self) -> dict[Group, int]:
        """How many people are registered, per view, election and group."""
        rows = self._connection.execute(self._sql["registered"])
        return {(view, election_id, _group(view, *groups)): voters for view, election_id, *groups, voters in rows}

    def shown(self) -> Generation | None:
        row = self._connection.execute(self._sql["shown"]).fetchone()
        return Generation(row[0], "", shown=True, batch=row[1]) if row else None

    def last_change(self, generation: int) -> int:
        """The newest batch that changed a number; -1 if none has."""
        row = self._connection.execute(self._sql["last_change"], (generation,)).fetchone()
        return int(row[0]) if row else -1

    def recounting(self) -> Recount | None:
        """The recount that is under way; None if there is none."""
        row = self._connection.execute(self._sql["counting"]).fetchone()
        return Recount(*row) if row else None

    def positions(self, generation: int) -> dict[int, int]:
        return dict(self._connection.execute(self._sql["positions"], (generation,)).fetchall())

    def cells(self, generation: int) -> dict[Cell, int]:
        return {Cell(*row[:-1]): row[-1] for row in self._connection.execute(self._sql["cells"], (generation,))}

    def total(self) -> int:
        """Votes that the shown generation has counted."""
        row = self._connection.execute(self._sql["total"]).fetchone()
        return int(row[0]) if row else 0

    def unreadable(self) -> int:
        """Votes of the shown generation for nobody who stands: what could not be parsed, and what names no election or candidate that there is."""
        row = self._connection.execute(self._sql["unreadable"]).fetchone()
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


def _kept_from_s(reached_s: int) -> int:
    """Since when minutes are kept, once a vote of this second has been counted."""
    return reached_s // 3600 * 3600 - int(MINUTES_KEPT.total_seconds())


def _total(row: Iterable[Any]) -> Total:
    view, election_id, group_1, group_2, votes, batch = row
    return Total(view, election_id, _group(view, group_1, group_2), votes, batch)


def _group(view: str, group_1: str, group_2: str) -> tuple[str, ...]:
    return (group_1, group_2) if view == REGION.name else (group_1,)
