"""Whose ledger it is, and who may work on it at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from livetally.adapters.custody import Custody
from livetally.adapters.postgres import Connection, connect
from livetally.adapters.rights import Rights
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
        with closing(connect(database_url, "tests", Rights.RECORD)) as own:
            custody = Custody(own)
            barrier.wait()
            return custody.claim("cluster", "topic")

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(claim, range(4)))) == 1


def test_any_number_of_recorders_keep_a_rebuild_out(database_url: str) -> None:
    with closing(connect(database_url, "tests", Rights.RECORD)) as one, closing(connect(database_url, "tests", Rights.RECORD)) as other:
        Custody(one).enter()
        Custody(other).enter()
        one.close()
        with closing(connect(database_url, "tests", Rights.RECORD)) as third:
            with pytest.raises(LedgerError, match="A recorder is running"):
                Custody(third).be_alone()
            other.close()
            wait_for(lambda: is_alone(third), "both have gone")


def is_alone(connection: Connection) -> bool:
    try:
        Custody(connection).be_alone()
    except LedgerError:
        return False
    return True


def test_a_rebuild_keeps_recorders_out(database_url: str, connection: Connection) -> None:
    Custody(connection).be_alone()
    with closing(connect(database_url, "tests", Rights.RECORD)) as other, pytest.raises(LedgerError, match="being rebuilt"):
        Custody(other).enter()
