"""A stage that is stopped holds nobody up for longer than a transaction may take."""

from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest

from livetally.adapters.cells import Cells
from livetally.adapters.postgres import TRANSACTION_TIMEOUT_MS, Connection, connect
from livetally.adapters.rights import Rights
from livetally.core.chain import beginning
from livetally.tally.heartbeat import Heartbeat
from waiting import wait_for

MORE_THAN_BUFFERS_HOLD = b"SELECT repeat('x', 1000000) FROM generate_series(1, 100)"
ITS_POSITION = "SELECT next_offset FROM recorded WHERE ballot_partition = 0 FOR UPDATE"


def in_a_copy(connection: Connection) -> None:
    connection.pgconn.exec_(b"COPY rejections FROM STDIN")


def in_an_answer(connection: Connection) -> None:
    connection.pgconn.send_query(MORE_THAN_BUFFERS_HOLD)


@pytest.mark.parametrize("stand_still", [in_a_copy, in_an_answer])
def test_whoever_connects_ends_what_postgresql_does_not(
    database_url: str, connection: Connection, stand_still: Callable[[Connection], None]
) -> None:
    connection.execute(
        "INSERT INTO recorded (ballot_partition, next_offset, accepted, rejected, head) VALUES (0, 0, 0, 0, %s)", (beginning(0),)
    )

    def is_free() -> bool:
        with closing(connect(database_url, "record", Rights.RECORD)) as successor:
            try:
                successor.execute(f"{ITS_POSITION} NOWAIT")
            except psycopg.errors.LockNotAvailable:
                return False
        return True

    with (
        closing(connect(database_url, "record", Rights.RECORD)) as sleeper,
        closing(connect(database_url, "audit", Rights.LOOK, bounded=False)) as patient,
    ):
        patient.execute("BEGIN")
        sleeper.execute("BEGIN")
        sleeper.execute(ITS_POSITION)
        stand_still(sleeper)
        assert not is_free()
        wait_for(is_free, "the sleeper's transaction is ended", within_s=3 * TRANSACTION_TIMEOUT_MS / 1000)
        assert patient.execute("SELECT 1").fetchone() == (1,), "a session that may take longer is left alone"


def test_who_has_stopped_beating_loses_the_tallys_lock_and_who_beats_keeps_it(database_url: str) -> None:
    """Nobody may wait for a tally on a machine that was paused; one that only has nothing to do is alive."""
    with (
        closing(connect(database_url, "tally", Rights.TALLY, must_beat=True)) as stopped,
        closing(connect(database_url, "beating", Rights.TALLY, must_beat=True)) as alive,
    ):
        Cells(stopped).take_lock()
        with closing(Heartbeat(Cells(alive).beat)), closing(connect(database_url, "successor", Rights.TALLY)) as successor:
            assert Cells(successor).is_being_counted()
            Cells(successor).take_lock()
            Cells(alive).beat()
        with pytest.raises(psycopg.OperationalError):
            Cells(stopped).beat()
