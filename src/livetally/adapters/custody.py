"""Who may touch the ledger, which ballots it belongs to, and whether it is whole."""

import time

from livetally.adapters.postgres import RECORDERS_LOCK, Connection
from livetally.adapters.queries import queries
from livetally.core.errors import LedgerError

GONE_WITHIN_S = 3.0  # PostgreSQL notices a moment later that whoever held the lock has gone
LOOK_AGAIN_S = 0.1


class Custody:
    """Questions to ask before the ledger is used, over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("custody")

    def enter(self) -> None:
        """Come as one of any number of recorders: no rebuild starts until the connection ends."""
        if self._connection.execute(self._sql["enter"], (RECORDERS_LOCK,)).fetchone() != (True,):
            raise LedgerError("The ledger or the votes topic is being rebuilt. Wait until `livetally rebuild` has finished.")

    def be_alone(self) -> None:
        """Make sure that no recorder is running, and none starts, until the connection ends."""
        deadline_s = time.monotonic() + GONE_WITHIN_S
        while self._connection.execute(self._sql["be_alone"], (RECORDERS_LOCK,)).fetchone() != (True,):
            if time.monotonic() > deadline_s:
                raise LedgerError("A recorder is running. Stop `livetally record` or `livetally run` first, then rebuild.")
            time.sleep(LOOK_AGAIN_S)

    def claim(self, cluster_id: str, ballots_topic_id: str) -> str:
        """Bind the ledger to the ballots that fill it, and return its id. Raises LedgerError if it was filled from others."""
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
