"""Connections to PostgreSQL, the schema, and what its errors mean for a person."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Literal, overload
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import TupleRow
from psycopg.sql import Identifier

from livetally.adapters.queries import migrations, queries
from livetally.adapters.rights import Rights
from livetally.core.errors import ElectionError, LedgerError, ServiceError, UsageError

Connection = psycopg.Connection[TupleRow]

CONNECT_TIMEOUT_S = 5
TRANSACTION_TIMEOUT_MS = 10_000  # a stage that was stopped in a transaction must not hold back its successor for longer
SILENT_AFTER_MS = 10_000
BOUNDED = f", {TRANSACTION_TIMEOUT_MS // 1000} s at most"  # in the name of a session, for those who meet it
RECORDERS_LOCK, ROLL_LOCK, MIGRATION_LOCK, TALLY_LOCK, HOURS_LOCK, LISTS_LOCK = range(
    7_011_001, 7_011_007
)  # advisory locks; any numbers that nobody else uses


@overload
def connect(url: str, application: str, rights: Rights, *, bounded: bool = True, must_beat: bool = False) -> Connection: ...
@overload
def connect(url: str, application: str, *, as_owner: Literal[True], bounded: bool = True, must_beat: bool = False) -> Connection: ...
def connect(
    url: str, application: str, rights: Rights | None = None, *, as_owner: bool = False, bounded: bool = True, must_beat: bool = False
) -> Connection:
    """A connection in autocommit, in UTC. `bounded` ends transactions that take longer than a stage's ever should, its own and others'.

    One that `must_beat` is ended by PostgreSQL, with the locks that it holds, when it has said nothing for SILENT_AFTER_MS.
    It may do what the `rights` of a stage allow, no more, unless it comes `as_owner` of the tables: to migrate, and to rebuild.
    """
    if (rights is None) != as_owner:
        raise TypeError("a connection has the rights of one stage, or the owner's")  # no type checker was asked
    timeout = TRANSACTION_TIMEOUT_MS if bounded else 0
    limits = {
        "transaction_timeout": timeout,
        "idle_in_transaction_session_timeout": timeout,
        "idle_session_timeout": SILENT_AFTER_MS if must_beat else 0,
    }
    sql = queries("schema")
    with explained(url):
        connection = _connect(
            url,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name=f"livetally {application}{BOUNDED}" if bounded else f"livetally {application}",
            options=" ".join(["-c timezone=UTC", *(f"-c {name}={limit_ms}" for name, limit_ms in limits.items())]),
        )
        if bounded:
            connection.execute(sql["end_overdue"], {"named": f"livetally %{BOUNDED}", "limit_ms": TRANSACTION_TIMEOUT_MS})
        if rights is not None:
            _become(connection, rights, url)
        return connection


def _connect(url: str, **settings: Any) -> Connection:
    try:
        return psycopg.connect(url, **settings)
    except psycopg.ProgrammingError:  # the address cannot be understood, and the words of this error repeat it, with the password
        raise UsageError(
            "The address of the database cannot be understood. Look at LIVETALLY_DATABASE_URL, above all at the options behind its question mark. "
            "It is not repeated here, since it may hold a password."
        ) from None


def _become(connection: Connection, rights: Rights, url: str) -> None:
    try:
        connection.execute(queries("schema")["become"], {"role": rights})
    except psycopg.errors.InsufficientPrivilege as error:
        user = Identifier(connection.info.user).as_string(connection)
        connection.close()
        raise LedgerError(
            f"PostgreSQL at {place_of(url)} does not let the user {user} work as {rights}, which this needs. Nothing was changed.\n"
            f"Whoever administers it can run: GRANT {rights} TO {user};"
        ) from error


@contextmanager
def explained(url: str) -> Iterator[None]:
    """PostgreSQL's refusals as errors of ours that name the server and never the password.

    A server that does not answer, or has no schema yet, may do so later: ServiceError. A right that is missing, a person must give.
    """
    try:
        yield
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException) as error:
        raise LedgerError(
            f"PostgreSQL at {place_of(url)} refuses the user of the database: {str(error).strip()}\n"
            "Nothing was changed. Whoever administers it can give the right, or make livetally's tables once with a user who has it."
        ) from error
    except psycopg.errors.CheckViolation as error:
        raise ElectionError(f"PostgreSQL refuses this change, and nothing was changed: {error.diag.message_primary}.") from error
    except (psycopg.OperationalError, psycopg.InternalError, psycopg.InterfaceError, psycopg.errors.UndefinedTable) as error:
        raise ServiceError(
            f"PostgreSQL at {place_of(url)} does not answer as it should: {str(error).strip()}\n"
            "Check that it is running (`./livetally status`) and that LIVETALLY_DATABASE_URL, if it is set, is right."
        ) from error


def place_of(url: str) -> str:
    """Server and database of an address, for people: without user, password and options."""
    address = urlsplit(url)
    return address.netloc.rpartition("@")[2] + address.path


def migrate(connection: Connection) -> list[str]:
    """Bring the schema up to date, each migration in a transaction of its own; returns the names of those applied.

    Where nothing is to be done, no right to do it is needed: a stage may come as a user who makes no tables.
    """
    sql = queries("schema")
    applied: list[str] = []
    if is_migrated(connection):
        return applied
    for number, name, text in migrations():
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            if connection.execute(sql["has_foreign_tables"]).fetchone() == (True,):
                raise LedgerError(
                    "The database already holds tables named candidates, voters or votes that livetally did not make. "
                    "Give it an empty database: nothing was changed. docs/from-the-tutorial.md says how to bring data over."
                )
            connection.execute(sql["make_migrations_table"])
            if connection.execute(sql["migration_applied"], (number,)).fetchone() is None:
                connection.execute(text)
                connection.execute(sql["remember_migration"], (number, name))
                applied.append(name)
    newest = migrations()[-1][0]
    if beyond := connection.execute(sql["migrations_beyond"], (newest,)).fetchone():
        raise LedgerError(
            f"The database has been changed by a newer livetally (migration {beyond[0]}; this one knows {newest}). Use that version again."
        )
    return applied


def is_migrated(connection: Connection) -> bool:
    """Whether the schema is exactly the one that this program knows."""
    sql = queries("schema")
    if connection.execute(sql["has_migrations_table"]).fetchone() != (True,):
        return False
    return connection.execute(sql["applied_migrations"]).fetchall() == [(number,) for number, _, _ in migrations()]


def database_answers(url: str) -> bool:
    """Whether PostgreSQL answers a query right now."""
    try:
        with closing(connect(url, "status", Rights.LOOK)) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except ServiceError:
        return False


def has_schema(connection: Connection) -> bool:
    return connection.execute(queries("schema")["has_schema"]).fetchone() == (True,)


def ask_read_only(url: str, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns and rows of somebody's own query. One statement, in a transaction that cannot write. Raises UsageError with PostgreSQL's words."""
    with closing(connect(url, "sql", Rights.LOOK, bounded=False)) as connection:
        connection.read_only = True
        try:
            with connection.transaction():
                # Prepared: PostgreSQL then takes one statement only, so none can end the transaction and write behind it.
                cursor = connection.execute(query, prepare=True)
                columns = [column.name for column in cursor.description or ()]
                return columns, cursor.fetchall() if columns else []
        except psycopg.Error as error:
            raise UsageError(f"PostgreSQL does not answer that: {str(error).strip()}") from error
