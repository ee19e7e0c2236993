"""Whose ledger it is, and who may work on it at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from livetally.adapters.custody import Custody
from livetally.adapters.postgres import RECORDERS_MAX, Connection, connect
from livetally.core.errors import LedgerError
from waiting import wait_for


def test_a_ledger_belongs_to_the_ballots_that_filled_it(connection: Connection) -> None:
    custody = Custody(connection)
    ours = custody.claim("cluster", "topic")
    assert custody.claim("cluster", "topic") == ours
    for cluster_id, topic_id in (("cluster", "another"), ("another", "topic")):
        with pytest.raises(LedgerError, match="filled from other ballots"):
            custody.claim(cluster_id, topic_id)
    assert custody.claim("cluster", "topic") == ours


def test_several_who_claim_a_new_ledger_at_once_get_one(database_url: str) -> None:
    barrier = threading.Barrier(4)

    def claim(_number: int) -> str:
        with closing(connect(database_url, "tests")) as own:
            custody = Custody(own)
            barrier.wait()
            return custody.claim("cluster", "topic")

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(claim, range(4)))) == 1


def test_slots_are_distinct_and_free_again_when_their_recorder_has_gone(database_url: str) -> None:
    connections = [connect(database_url, "tests") for _ in range(3)]
    try:
        held = [Custody(one) for one in connections]
        assert [custody.take_slot() for custody in held] == [0, 1, 2]
        with closing(connect(database_url, "tests")) as other, pytest.raises(LedgerError, match="A recorder is running"):
            Custody(other).take_all_slots()
        connections[1].close()
        with closing(connect(database_url, "tests")) as other:
            wait_for(lambda: slots_held(other) == 2, "the slot is free")
            assert Custody(other).take_slot() == 1
    finally:
        for one in connections:
            one.close()


def test_a_rebuild_holds_every_slot(database_url: str, connection: Connection) -> None:
    Custody(connection).take_all_slots()
    with closing(connect(database_url, "tests")) as other, pytest.raises(LedgerError, match=f"{RECORDERS_MAX} recorders"):
        Custody(other).take_slot()


def slots_held(connection: Connection) -> int:
    rows = connection.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ).fetchall()
    return int(rows[0][0])
