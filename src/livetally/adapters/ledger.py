"""The ledger: which ballots are votes. One transaction decides one batch, and answers the same when it is asked again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import psycopg

from livetally.adapters.postgres import RECORDERS_MAX, ROLL_LOCK, SLOT_LOCK, Connection
from livetally.adapters.queries import queries
from livetally.core.ballots import Ballot, Reason, Rejected
from livetally.core.errors import LedgerError

DEADLOCK_TRIES_MAX = 10  # each try waits for the other recorder to finish; more than a few would mean something else


@dataclass(frozen=True, slots=True)
class Cast:
    """A ballot as it lies in its partition, read."""

    partition: int
    offset: int
    appended_at: str  # UTC, as PostgreSQL reads it
    content: Ballot | Rejected


@dataclass(frozen=True, slots=True)
class Vote:
    """The verdict on an accepted ballot, with what its message is made of."""

    partition: int
    offset: int
    voter_id: str
    candidate_id: str
    voter_message: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The verdict on a rejected ballot."""

    partition: int
    offset: int
    reason: Reason
    detail: str


class StoredVote(NamedTuple):
    """A row of the ledger, with its voter's announcement."""

    offset: int
    voter_id: str
    candidate_id: str
    voting_time: datetime  # UTC, without saying so, as the reference's column has it
    voter_message: str


class Ledger:
    """The ledger as *record* uses it, over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("ledger")
        connection.execute(self._sql["make_batch"])
        connection.execute(self._sql["make_refused"])

    def take_slot(self) -> int:
        """The lowest number that no other recorder holds; held until the connection ends."""
        for slot in range(RECORDERS_MAX):
            if self._connection.execute(self._sql["take_slot"], (SLOT_LOCK, slot)).fetchone() == (True,):
                return slot
        raise LedgerError(f"{RECORDERS_MAX} recorders are running already; more would have no partition to work on.")

    def take_all_slots(self) -> None:
        """Make sure that no recorder is running, and none starts, until the connection ends."""
        for slot in range(RECORDERS_MAX):
            if self._connection.execute(self._sql["take_slot"], (SLOT_LOCK, slot)).fetchone() != (True,):
                raise LedgerError("A recorder is running. Stop `livetally record` or `livetally run` first, then rebuild.")

    def decide(self, batch: Sequence[Cast], before_commit: Callable[[], None] = lambda: None) -> list[Vote | Refusal]:
        """The verdict on every ballot of the batch, in the order of partition and offset; stored before it is returned."""
        for _ in range(DEADLOCK_TRIES_MAX):
            try:
                with self._connection.transaction():
                    self._decide(batch)
                    verdicts = self._verdicts()
                    before_commit()
                    return verdicts
            except psycopg.errors.DeadlockDetected:
                continue
        raise LedgerError(f"{DEADLOCK_TRIES_MAX} times in a row another recorder and this one waited for each other. Start it again.")

    def replay(self, batches: Iterable[Sequence[Cast]]) -> None:
        """Decide all ballots anew, from the first, in one transaction: whoever looks sees the old ledger or the new one."""
        with self._connection.transaction():
            for name in ("empty_votes", "empty_rejections", "empty_recorded"):
                self._connection.execute(self._sql[name])
            for batch in batches:
                self._decide(batch)
                self._connection.execute("DELETE FROM batch")

    def _decide(self, batch: Sequence[Cast]) -> None:
        execute, sql = self._connection.execute, self._sql
        self._bring_in(batch)  # before any lock on the ledger is held
        execute(sql["plan_by_index"])
        accepted = self._judge()
        if accepted is None:
            # What was judged is undone first: else a voter's later ballot, known already, would stand before an earlier one.
            execute(sql["wait_for_registrations"], (ROLL_LOCK,))
            accepted = self._judge(is_final=True) or {}
        rejected: dict[int, int] = dict(execute(sql["store_refused"]).fetchall())
        ends: dict[int, int] = {}
        for ballot in batch:
            ends[ballot.partition] = ballot.offset + 1
        for partition in sorted(ends):
            execute(sql["advance"], (partition, ends[partition], accepted.get(partition, 0), rejected.get(partition, 0)))

    def _judge(self, *, is_final: bool = False) -> dict[int, int] | None:
        """Fill the ledger and the list of the refused; new votes per partition. None, and nothing done, if a registration may change a verdict."""
        execute, sql = self._connection.execute, self._sql
        execute("SAVEPOINT judging")
        accepted: dict[int, int] = dict(execute(sql["accept"]).fetchall())
        execute(sql["clear_refused"])
        execute(sql["refuse"])
        if not is_final and execute(sql["refused_as_unknown"]).fetchone() == (True,):
            execute("ROLLBACK TO SAVEPOINT judging")
            return None
        execute("RELEASE SAVEPOINT judging")
        return accepted

    def _bring_in(self, batch: Sequence[Cast]) -> None:
        with self._connection.cursor().copy(self._sql["bring_in"]) as copy:
            for cast in batch:
                match cast.content:
                    case Ballot(election_id, voter_id, candidate_id):
                        copy.write_row((cast.partition, cast.offset, cast.appended_at, election_id, voter_id, candidate_id, None))
                    case Rejected(_, detail):
                        copy.write_row((cast.partition, cast.offset, cast.appended_at, None, None, None, detail))

    def _verdicts(self) -> list[Vote | Refusal]:
        found: list[Vote | Refusal] = []
        for partition, offset, voter_id, candidate_id, voter_message, reason, detail in self._connection.execute(self._sql["verdicts"]):
            if candidate_id is not None:
                found.append(Vote(partition, offset, voter_id, candidate_id, voter_message))
            else:
                found.append(Refusal(partition, offset, Reason(reason), detail))
        return found

    def positions(self) -> dict[int, int]:
        """Per partition of the ballots, the offset behind the last one decided."""
        return dict(self._connection.execute(self._sql["positions"]).fetchall())

    def counts(self) -> tuple[int, int, int]:
        """Ballots decided, accepted, rejected."""
        return counts(self._connection)

    def claim(self, cluster_id: str, ballots_topic_id: str) -> str:
        """Bind the ledger to the ballots that fill it, and return its id. Raises LedgerError if it was filled from others."""
        with self._connection.transaction():
            self._connection.execute("LOCK TABLE ledger_source IN EXCLUSIVE MODE")
            row = self._connection.execute(self._sql["source"]).fetchone()
            if row is None:
                self._connection.execute(self._sql["remember_source"], (cluster_id, ballots_topic_id))
                row = self._connection.execute(self._sql["source"]).fetchone()
        if row is None or row[:2] != (cluster_id, ballots_topic_id):
            raise LedgerError(
                f"This ledger was filled from other ballots (cluster and topic id {row and row[:2]}; here it is {(cluster_id, ballots_topic_id)}). "
                "Counting on would mix two elections. Point LIVETALLY_DATABASE_URL and LIVETALLY_KAFKA_BOOTSTRAP_SERVERS at the pair that belongs together."
            )
        return str(row[2])

    def check_votable(self) -> None:
        """Raises LedgerError if no ballot could possibly count."""
        opened, votable = self._connection.execute(self._sql["votable"]).fetchone() or (0, 0)
        if not opened:
            raise LedgerError(
                "No election is open, so every ballot would be rejected. `./livetally register` creates one; nothing was read."
            )
        if not votable:
            raise LedgerError("The open election has no candidates. `./livetally register` creates three; nothing was read.")

    def check_whole(self, *, but: str | None = None) -> None:
        """Raises LedgerError if a rebuild (of something else than `but`) was begun and not finished."""
        row = self._connection.execute(self._sql["interrupted_rebuild"]).fetchone()
        if row is not None and row[0] != but:
            raise LedgerError(
                f"`rebuild {row[0]}` was begun at {row[1]:%Y-%m-%d %H:%M:%S} UTC and did not finish. Run `./livetally rebuild {row[0]}` again."
            )

    def begin_rebuild(self, what: str) -> None:
        self._connection.execute(self._sql["begin_rebuild"], (what,))

    def end_rebuild(self, what: str) -> None:
        self._connection.execute(self._sql["end_rebuild"], (what,))

    def votes_in_order(self, partition: int) -> Iterator[StoredVote]:
        """One partition's votes, streamed in the order of their ballots."""
        with self._connection.transaction(), self._connection.cursor("votes_in_order") as cursor:
            cursor.itersize = 10_000
            cursor.execute(self._sql["votes_in_order"], (partition,))
            for row in cursor:
                yield StoredVote(*row)


def counts(connection: Connection) -> tuple[int, int, int]:
    """Ballots decided, accepted, rejected; for those who only look."""
    row = connection.execute(queries("ledger")["counts"]).fetchone()
    return row if row is not None else (0, 0, 0)
