"""A stage that is stopped in the middle of a transaction holds nobody up for longer than a transaction may take."""

from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest

from livetally.adapters.postgres import TRANSACTION_TIMEOUT_MS, Connection, connect
from livetally.core.chain import beginning
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
        with closing(connect(database_url, "record")) as successor:
            try:
                successor.execute(f"{ITS_POSITION} NOWAIT")
            except psycopg.errors.LockNotAvailable:
                return False
        return True

    with closing(connect(database_url, "record")) as sleeper, closing(connect(database_url, "audit", bounded=False)) as patient:
        patient.execute("BEGIN")
        sleeper.execute("BEGIN")
        sleeper.execute(ITS_POSITION)
        stand_still(sleeper)
        assert not is_free()
        wait_for(is_free, "the sleeper's transaction is ended", within_s=3 * TRANSACTION_TIMEOUT_MS / 1000)
        assert patient.execute("SELECT 1").fetchone() == (1,), "a session that may take longer is left alone"
