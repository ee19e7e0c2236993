"""A database that somebody else administers: what its owner must be allowed to, and what is said where that is missing."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import LiteralString
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql

from electorate import add_election, add_voters, cast_of
from ledger_rows import ADDED_TO, assert_chained, stored
from livetally.adapters.ledger import Ledger
from livetally.adapters.postgres import Connection, connect, explained, has_schema, migrate
from livetally.adapters.queries import migrations
from livetally.adapters.rights import Rights
from livetally.core.errors import LivetallyError
from servers import bare_postgres
from waiting import wait_for

EVERYTHING = [name for _, name, _ in migrations()]
ROLES = ["livetally_app", *Rights]
PER_STAGE = EVERYTHING.index("role_per_stage")


class Administrator:
    """Of a server that is nobody's but this test's."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.connection = psycopg.connect(url, autocommit=True)
        self._databases: list[str] = []
        self._users: list[str] = []

    def create(self, database: str, owner: str, rights: LiteralString = "") -> str:
        """A database and, if there is no such user yet, its owner; the owner's URL."""
        if owner not in self._users:
            self.connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'secret' " + rights).format(sql.Identifier(owner)))
            self._users.append(owner)
        self.connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(owner)))
        self._databases.append(database)
        return (
            urlsplit(self._url)
            ._replace(netloc=f"{quote(owner)}:secret@{urlsplit(self._url).netloc.split('@')[1]}", path=f"/{database}")
            .geturl()
        )

    def clear(self) -> None:
        """Roles belong to the server, so each test must find none of those of the test before."""
        for database in self._databases:
            self.connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))
        for role in [*self._users, *ROLES]:
            self.connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
        self._databases, self._users = [], []


@pytest.fixture(scope="module")
def bare() -> Iterator[Administrator]:
    with bare_postgres() as url:
        administrator = Administrator(url)
        with closing(administrator.connection):
            yield administrator


@pytest.fixture
def administrator(bare: Administrator) -> Iterator[Administrator]:
    try:
        yield bare
    finally:
        bare.clear()


def migrate_at(url: str) -> list[str]:
    with closing(connect(url, "schema", as_owner=True)) as owner:
        return migrate(owner)


def applied(url: str) -> list[tuple[object, ...]]:
    with closing(psycopg.connect(url)) as connection:
        return connection.execute("SELECT name FROM schema_migrations ORDER BY number").fetchall()


def assert_works(url: str) -> None:
    """Under this schema a stage decides, nobody changes, and the owner may rebuild."""
    batch = [cast_of(0, 0, "v0"), cast_of(0, 1, "v0"), cast_of(1, 0, "v1")]
    for rights in Rights:
        with closing(connect(url, "tests", rights)) as one:
            assert one.execute("SELECT current_user::text").fetchone() == (rights,)
    with closing(connect(url, "tests", Rights.RECORD)) as stage, closing(connect(url, "tests", as_owner=True)) as owner:
        add_election(owner)
        add_voters(owner, range(2))
        Ledger(stage).decide(batch)
        before = stored(owner)
        assert sorted(before.values()) == ["accepted", "accepted", "already_voted_same"]
        assert_no_changes(stage, "permission denied")
        assert_no_changes(owner, "only ever added to")
        Ledger(owner).replay([batch])
        assert stored(owner) == before
        assert_chained(owner)


def assert_no_changes(connection: Connection, why: str) -> None:
    for table in ADDED_TO:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=why):
            connection.execute(f"DELETE FROM {table}")


def test_an_owner_who_may_create_roles_needs_nothing_else(administrator: Administrator) -> None:
    url = administrator.create("elections", "registrar", "CREATEROLE")
    assert migrate_at(url) == EVERYTHING
    assert migrate_at(url) == []
    assert_works(url)


def test_a_second_database_of_the_same_owner(administrator: Administrator) -> None:
    for database in ("first", "second"):
        url = administrator.create(database, "registrar", "CREATEROLE")
        assert migrate_at(url) == EVERYTHING
        assert_works(url)


def test_an_owner_who_may_not_create_roles_is_told_what_an_administrator_has_to_run(administrator: Administrator) -> None:
    url = administrator.create("elections", 'the "registrar"')
    with pytest.raises(psycopg.errors.RaiseException, match=r"role livetally_app is missing, and .* may not create it") as refused:
        migrate_at(url)
    assert applied(url) == [("foundation",)], "what failed has left nothing"
    obey(administrator, refused.value)
    with pytest.raises(
        psycopg.errors.RaiseException, match=r"the roles livetally_register, .* are missing, and .* may not create"
    ) as refused:
        migrate_at(url)
    assert applied(url) == [(name,) for name in EVERYTHING[:PER_STAGE]]
    obey(administrator, refused.value)
    assert migrate_at(url) == EVERYTHING[PER_STAGE:]
    assert_works(url)


def obey(administrator: Administrator, refused: psycopg.Error) -> None:
    words, _, statements = (refused.diag.message_hint or "").partition(": ")
    assert words == "Let an administrator run"
    administrator.connection.execute(statements)


def test_some_of_the_roles_are_there_and_some_are_ours(administrator: Administrator) -> None:
    url = administrator.create("elections", "registrar")
    administrator.connection.execute(
        "CREATE ROLE livetally_app; CREATE ROLE livetally_cast; CREATE ROLE livetally_look; GRANT livetally_app, livetally_look TO registrar"
    )
    with pytest.raises(psycopg.errors.RaiseException) as refused:
        migrate_at(url)
    hint = refused.value.diag.message_hint or ""
    assert "CREATE ROLE livetally_cast" not in hint
    assert hint.endswith("livetally_organise, livetally_cast TO registrar;")
    obey(administrator, refused.value)
    assert migrate_at(url) == EVERYTHING[PER_STAGE:]
    assert_works(url)


def test_a_role_that_is_there_already_is_used(administrator: Administrator) -> None:
    url = administrator.create("elections", "registrar")
    for role in ROLES:
        administrator.connection.execute(f"CREATE ROLE {role} NOLOGIN; GRANT {role} TO registrar;")
    assert migrate_at(url) == EVERYTHING
    assert_works(url)


def test_an_owner_who_is_not_in_the_role_is_told_so(administrator: Administrator) -> None:
    """Another owner of the same server has made it, for a database of their own."""
    theirs, ours = administrator.create("theirs", "somebody", "CREATEROLE"), administrator.create("ours", "registrar")
    assert migrate_at(theirs) == EVERYTHING
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="livetally_app"):
        migrate_at(ours)
    assert applied(ours) == [("foundation",)]
    administrator.connection.execute("GRANT livetally_app TO registrar")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not become the roles livetally_register, ") as refused:
        migrate_at(ours)
    obey(administrator, refused.value)
    assert migrate_at(ours) == EVERYTHING[PER_STAGE:]
    assert_works(ours)


def test_what_is_missing_is_said_without_a_stack_trace(administrator: Administrator) -> None:
    ours = administrator.create("ours", "registrar")
    with pytest.raises(LivetallyError, match="Let an administrator run"), explained(ours):
        migrate_at(ours)
    assert migrate_at(administrator.create("theirs", "somebody", "CREATEROLE")) == EVERYTHING
    with pytest.raises(LivetallyError, match="livetally_app"), explained(ours):
        migrate_at(ours)
    with pytest.raises(LivetallyError, match=r"run: GRANT livetally_cast TO \"registrar\";"), closing(connect(ours, "tests", Rights.CAST)):
        pass


def test_two_databases_of_one_server_at_the_same_time(administrator: Administrator) -> None:
    """Both find that the role is missing; roles belong to the server."""
    people, rounds = 2, 3
    for number in range(rounds):
        for rights in ("SUPERUSER", "CREATEROLE"):
            urls = [administrator.create(f"{rights}_{number}_{one}", "registrar", rights) for one in range(people)]
            barrier = threading.Barrier(people)

            def migrate_together(url: str, barrier: threading.Barrier = barrier) -> list[str]:
                barrier.wait()
                return migrate_at(url)

            with ThreadPoolExecutor(people) as pool:
                assert list(pool.map(migrate_together, urls)) == [EVERYTHING] * people
            for url in urls:
                assert_works(url)
            administrator.clear()


@pytest.mark.parametrize("rights", ["SUPERUSER", "CREATEROLE"])
@pytest.mark.parametrize("goes_through", [True, False], ids=["the other is made", "the other fails"])
def test_while_another_database_is_making_the_role_a_migration_waits_for_it(
    administrator: Administrator, rights: LiteralString, *, goes_through: bool
) -> None:
    url = administrator.create("slow", "registrar", rights), administrator.create("quick", "registrar", rights)
    with closing(connect(url[0], "tests", as_owner=True)) as slow, ThreadPoolExecutor(1) as pool:
        with slow.transaction(force_rollback=not goes_through):
            slow.execute("CREATE ROLE livetally_app NOLOGIN")
            quick = pool.submit(migrate_at, url[1])
            wait_for(lambda: quick.done() or is_blocked(administrator.connection), "it waits for the other database")
        assert quick.result() == EVERYTHING
    assert_works(url[1])


def is_blocked(connection: Connection) -> bool:
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'livetally schema%' AND wait_event_type = 'Lock' AND wait_event = 'transactionid'"
    ).fetchone()
    return row == (1,)


def test_an_old_schema_is_looked_at_as_it_is(administrator: Administrator) -> None:
    """Before the role exists: a command that only looks is not stopped by it."""
    url = administrator.create("elections", "registrar")
    with closing(connect(url, "tests", Rights.LOOK)) as looking:
        assert not has_schema(looking)
