"""Rows of the ledger are added and never changed: the stages have no right to, and a trigger refuses everybody else."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

import livetally
from electorate import add_election, add_voters, cast_of
from ledger_rows import ADDED_TO, assert_chained, everything_in, links
from livetally.adapters.ledger import Ledger
from livetally.adapters.postgres import Connection, connect
from livetally.adapters.rights import Rights
from livetally.core.verdicts import Cast
from rules import outcome_of
from servers import Servers, clean_database

REFUSED = "is refused: the ledger is only ever added to"

# Every way to change a row, or to be rid of it, that one statement offers.
CHANGES: dict[str, LiteralString] = {
    "update": "UPDATE {} SET ballot_partition = ballot_partition",
    "update of no row": "UPDATE {} SET ballot_partition = 0 WHERE false",
    "delete": "DELETE FROM {}",
    "delete of one row": "DELETE FROM {0} WHERE ctid = (SELECT min(ctid) FROM {0})",
    "truncate": "TRUNCATE {}",
    "truncate with others": "TRUNCATE elections, candidates, {} CASCADE",
    "delete inside a query": "WITH gone AS (DELETE FROM {} RETURNING *) SELECT count(*) FROM gone",
    "merge": "MERGE INTO {0} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "insert or update": "INSERT INTO {0} OVERRIDING SYSTEM VALUE TABLE {0} ON CONFLICT ON CONSTRAINT {0}_pkey DO UPDATE SET ballot_partition = 1",
}
changes = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
tables = pytest.mark.parametrize("table", ADDED_TO)


def fill(connection: Connection) -> None:
    add_election(connection)
    add_voters(connection, range(3))
    Ledger(connection).decide([cast_of(0, 0, "v0"), cast_of(0, 1, "v0"), cast_of(1, 0, "v1")])


@pytest.fixture(scope="module")
def filled_url(servers: Servers) -> Iterator[str]:
    """A database with votes, rejections and links, which no test manages to change."""
    with clean_database(servers) as url:
        with closing(connect(url, "tests", as_owner=True)) as connection:
            fill(connection)
        yield url


@pytest.fixture
def owner(filled_url: str) -> Iterator[Connection]:
    with closing(connect(filled_url, "tests", as_owner=True)) as ours:
        yield ours


@pytest.fixture
def stage(filled_url: str) -> Iterator[Connection]:
    with closing(connect(filled_url, "a stage", Rights.RECORD)) as ours:
        yield ours


def everything(connection: Connection) -> object:
    return everything_in(connection), links(connection)


def test_a_stage_works_under_the_role_that_may_only_add(stage: Connection, filled_url: str, owner: Connection) -> None:
    assert stage.execute("SELECT current_user::text").fetchone() == (Rights.RECORD,)
    with closing(connect(filled_url, "tests", Rights.LOOK, bounded=False)) as unbounded:
        assert unbounded.execute("SELECT current_user::text").fetchone() == (Rights.LOOK,)
    assert owner.execute("SELECT current_user = session_user").fetchone() == (True,)


def test_a_stage_adds_and_reads(connection: Connection, database_url: str) -> None:
    fill(connection)
    with closing(connect(database_url, "a stage", Rights.RECORD)) as stage:
        (verdict,) = Ledger(stage).decide([cast_of(1, 1, "v2")])
        assert outcome_of(verdict) == "accepted"
    with closing(connect(database_url, "another", Rights.LOOK)) as reader:
        assert [reader.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ADDED_TO] == [(3,), (1,), (3,)]
        assert_chained(reader)


@pytest.mark.parametrize("rights", Rights)
def test_a_stage_has_no_right_to_change_the_ledger(owner: Connection, filled_url: str, rights: Rights) -> None:
    before = everything(owner)
    with closing(connect(filled_url, "a stage", rights)) as stage:
        for change in CHANGES.values():
            for table in ADDED_TO:
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
                    stage.execute(change.format(table))
    assert everything(owner) == before


@tables
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE {} DISABLE TRIGGER only_added_to",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "DROP TRIGGER only_added_to ON {}",
        "ALTER TRIGGER only_added_to ON {} RENAME TO nothing",
        "CREATE OR REPLACE FUNCTION refuse_to_change_the_ledger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END' /* {} */",
        "DROP FUNCTION refuse_to_change_the_ledger CASCADE /* {} */",
        "CREATE RULE nothing AS ON INSERT TO {} DO INSTEAD NOTHING",
        "ALTER TABLE {} OWNER TO livetally_record",
        "ALTER TABLE {} ADD COLUMN more integer",
        "DROP TABLE {} CASCADE",
        "GRANT ALL ON {} TO livetally_record",
        "SET session_replication_role = replica /* {} */",
        "CREATE TABLE mine (one integer) /* {} */",
    ],
)
def test_a_stage_cannot_remove_what_guards_the_ledger(
    stage: Connection, owner: Connection, table: LiteralString, statement: LiteralString
) -> None:
    try:
        stage.execute(statement.format(table))
    except psycopg.errors.InsufficientPrivilege:
        pass
    else:
        # PostgreSQL warns instead of refusing when somebody without the right grants: then nothing may have come of it.
        assert statement.startswith("GRANT")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
        stage.execute(CHANGES["delete"].format(table))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=REFUSED):
        owner.execute(CHANGES["delete"].format(table))


@tables
@changes
@pytest.mark.parametrize("replication_role", ["origin", "replica", "local"])
def test_the_owner_is_refused_too_whatever_the_session_calls_itself(
    owner: Connection, table: LiteralString, change: LiteralString, replication_role: LiteralString
) -> None:
    before = everything(owner)
    assert owner.execute("SELECT usesuper FROM pg_user WHERE usename = current_user").fetchone() == (True,), "not even the superuser may"
    owner.execute(f"SET session_replication_role = {replication_role}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=REFUSED) as refused:
        owner.execute(change.format(table))
    assert "rebuild ledger" in str(refused.value.diag.message_hint)
    assert everything(owner) == before


def test_a_rebuild_puts_the_guard_back_even_if_it_is_interrupted(connection: Connection) -> None:
    fill(connection)
    before = everything(connection)

    def breaks() -> Iterator[list[Cast]]:
        yield [cast_of(0, 0, "v0")]
        raise OSError("the broker went away")

    with pytest.raises(OSError, match="went away"):
        Ledger(connection).replay(breaks())
    assert everything(connection) == before
    assert_guarded(connection)
    Ledger(connection).replay([[cast_of(0, 0, "v0")]])
    assert everything(connection) != before
    assert_guarded(connection)


def assert_guarded(owner: Connection) -> None:
    for role in ("origin", "replica"):
        owner.execute(f"SET session_replication_role = {role}")
        for table in ADDED_TO:
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match=REFUSED):
                owner.execute(f"DELETE FROM {table}")
    owner.execute("RESET session_replication_role")


def test_the_owners_rights_are_asked_for_by_name_to_migrate_and_to_rebuild_and_nowhere_else() -> None:
    source = Path(livetally.__file__).parent
    asking = {str(path.relative_to(source)) for path in source.rglob("*.py") if "as_owner=True" in path.read_text("utf-8")}
    assert asking == {"commands/backing.py", "record/rebuild.py"}
