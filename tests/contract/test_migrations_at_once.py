"""Two processes that find a new database at the same moment: one makes the schema, the other waits and finds it made."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg

from livetally.adapters.postgres import MIGRATION_LOCK, Connection, connect, migrate
from livetally.adapters.queries import migrations, queries
from servers import Servers
from waiting import wait_for

WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = %s"


def test_who_waited_sees_what_was_made_meanwhile(servers: Servers) -> None:
    with closing(psycopg.connect(servers.url_of("postgres"), autocommit=True)) as administrator:
        administrator.execute("CREATE DATABASE at_once")
        try:
            url = servers.url_of("at_once")
            with closing(connect(url, "tests", as_owner=True)) as first, closing(connect(url, "tests", as_owner=True)) as second:
                assert _migrate_behind(first, second, administrator) == [name for _, name, _ in migrations()[1:]]
                assert migrate(first) == []
        finally:
            administrator.execute("DROP DATABASE at_once WITH (FORCE)")


def _migrate_behind(first: Connection, second: Connection, watcher: Connection) -> list[str]:
    """What `second` applies, which has looked before `first` made the foundation, and may go on only then."""
    sql = queries("schema")
    (number, name, text), *_ = migrations()
    with ThreadPoolExecutor(1) as pool:
        with first.transaction():
            first.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            applied = pool.submit(migrate, second)
            wait_for(lambda: watcher.execute(WAITING, (MIGRATION_LOCK & 0xFFFFFFFF,)).fetchone() == (1,), "the second one waits")
            first.execute(sql["make_migrations_table"])
            first.execute(text)
            first.execute(sql["remember_migration"], (number, name))
        return applied.result()
