"""Straight at PostgreSQL with each stage's role: what it may do with each table is what docs/rights.md says, no more and no less."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from electorate import add_election, add_voters, cast_of
from livetally.adapters.ledger import Ledger
from livetally.adapters.postgres import Connection, ask_read_only, connect
from livetally.adapters.rights import Rights
from livetally.core.errors import UsageError
from servers import Servers, clean_database

DOCUMENT = Path(__file__).parents[2] / "docs" / "rights.md"
VERBS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}
SECRETS = (("users", "password_hash"), ("voting_codes", "code_hash"), ("credentials", "credential_hash"))
SESSION = b"the hash of what a browser shows"
MAY_SEE_SECRETS = {Rights.API, Rights.ORGANISE}

Columns = frozenset[str]
Granted = dict[tuple[str, Rights, str], Columns | None]  # by table, role and letter: which columns; None for all of them

RELATIONS = "SELECT oid, relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'p', 'f')"
COLUMNS = "SELECT attname::text FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped"


@pytest.fixture(scope="module")
def url(servers: Servers) -> Iterator[str]:
    """A database with an election in it."""
    with clean_database(servers) as url:
        with closing(connect(url, "tests", as_owner=True)) as owner:
            add_election(owner)
            add_voters(owner, range(3))
            Ledger(owner).decide([cast_of(0, 0, "v0"), cast_of(0, 1, "v0"), cast_of(1, 0, "v1")])
            owner.execute("INSERT INTO users (user_name, role, password_hash) VALUES ('ann', 'admin', 'secret')")
        yield url


@pytest.fixture(scope="module")
def owner(url: str) -> Iterator[Connection]:
    with closing(connect(url, "tests", as_owner=True)) as ours:
        yield ours


def granted(owner: Connection) -> Granted:
    """What PostgreSQL says."""
    found: Granted = {}
    for oid, table in owner.execute(RELATIONS).fetchall():
        columns = [name for (name,) in owner.execute(COLUMNS, (oid,))]
        for rights in Rights:
            for letter, verb in VERBS.items():
                if owner.execute("SELECT has_table_privilege(%s, %s::oid, %s)", (rights, oid, verb)).fetchone() == (True,):
                    found[table, rights, letter] = None
                elif verb != "DELETE" and (
                    some := frozenset(
                        name
                        for name in columns
                        if owner.execute("SELECT has_column_privilege(%s, %s::oid, %s, %s)", (rights, oid, name, verb)).fetchone()
                        == (True,)
                    )
                ):
                    found[table, rights, letter] = some
    return found


def documented() -> tuple[Granted, set[str]]:
    """What the document's two tables say, and which relations the first one names."""
    rows = [
        [cell.strip() for cell in line.strip("| ").split("|")] for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("|")
    ]
    head = next(row for row in rows if row[0] == "table")
    roles = [Rights(f"livetally_{name}") for name in head[1:]]
    found: Granted = {}
    tables = set()
    partly: dict[tuple[str, Rights, str], None] = {}
    for row in rows:
        names = re.findall(r"`(\w+)`", row[0])
        if len(row) == len(head) and names:
            tables |= set(names)
            for rights, cell in zip(roles, row[1:], strict=True):
                assert re.fullmatch(r"(–|([SIUD]\*?)+)", cell), f"{row[0]}, {rights}: {cell!r}"
                found |= {(name, rights, letter): None for name in names for letter in cell if letter in VERBS}
                partly |= {(name, rights, letter): None for name in names for letter in re.findall(r"([SIUD])\*", cell)}
        elif len(row) == 4 and names:
            found[names[0], Rights(f"livetally_{row[1]}"), row[2]] = frozenset(re.findall(r"`(\w+)`", row[3]))
    assert {key for key, columns in found.items() if columns is not None} == partly.keys(), "each * is explained, and nothing else is"
    return found, tables


def test_every_table_has_its_line_and_the_lines_say_what_is_granted(owner: Connection) -> None:
    said, tables = documented()
    assert tables == {name for _, name in owner.execute(RELATIONS).fetchall()} - {"schema_migrations"}
    found = {key: columns for key, columns in granted(owner).items() if key[0] != "schema_migrations"}
    assert found == said


def test_nothing_else_is_granted(owner: Connection) -> None:
    """Neither more of tables than that, nor anything of the rest, nor one role to another, nor what a role as such could do."""
    for verb in ("TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"):
        for oid, table in owner.execute(RELATIONS).fetchall():
            for rights in Rights:
                assert owner.execute("SELECT has_table_privilege(%s, %s::oid, %s)", (rights, oid, verb)).fetchone() == (False,), (
                    table,
                    verb,
                )
    sequences = "SELECT count(*) FROM pg_sequence WHERE has_sequence_privilege(%s, seqrelid, 'USAGE, SELECT, UPDATE')"
    for rights in Rights:
        assert owner.execute(sequences, (rights,)).fetchone() == (0,)
        assert owner.execute("SELECT has_schema_privilege(%s, 'public', 'CREATE')", (rights,)).fetchone() == (False,)
        assert owner.execute("SELECT has_schema_privilege(%s, 'public', 'USAGE')", (rights,)).fetchone() == (True,)
        assert owner.execute(
            "SELECT rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = %s",
            (rights,),
        ).fetchone() == (False,)
        assert owner.execute("SELECT count(*) FROM pg_auth_members WHERE member = %s::regrole", (rights,)).fetchone() == (0,)
        assert owner.execute("SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", (rights,)).fetchone() == (0,)
    with_others_rights = (
        "SELECT oid::regprocedure::text, proacl::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    )
    ((function, may_call),) = owner.execute(with_others_rights).fetchall()
    assert function == "person_of_session(bytea,timestamp with time zone)"
    assert set(re.findall(r"(\w*)=X", may_call)) == {"postgres", Rights.SHOW}
    public = "SELECT DISTINCT table_name FROM information_schema.table_privileges WHERE grantee = 'PUBLIC' AND table_schema = 'public'"
    assert owner.execute(public).fetchall() == [("schema_migrations",)]


def test_the_role_of_before_has_no_part_in_what_came_since(owner: Connection) -> None:
    for table in ("roll_entries", "roll_sizes", "voting_codes", "receipts", "users", "credentials", "acts"):
        found = owner.execute(
            "SELECT has_any_column_privilege('livetally_app', %s::regclass, 'SELECT, INSERT, UPDATE')", (table,)
        ).fetchone()
        assert found == (False,), table


@pytest.mark.parametrize("rights", Rights)
def test_what_opens_a_door_is_read_by_those_who_open_it(url: str, rights: Rights) -> None:
    with closing(connect(url, "tests", rights)) as stage:
        for table, column in SECRETS:
            statement: LiteralString = f"SELECT {column} FROM {table}"
            if rights in MAY_SEE_SECRETS:
                stage.execute(statement)
                continue
            for how in (statement, f"SELECT count(*) FROM {table} WHERE {column}::text < 'm'", f"TABLE {table}", f"COPY {table} TO STDOUT"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
                    stage.execute(how)


@pytest.mark.parametrize(("table", "column"), SECRETS)
def test_sql_does_not_tell_them_either(url: str, table: str, column: str) -> None:
    for query in (f"SELECT {column} FROM {table}", f"TABLE {table}"):
        with pytest.raises(UsageError, match=f"permission denied for table {table}"):
            ask_read_only(url, query)
    assert ask_read_only(url, "SELECT user_name, role FROM users") == (["user_name", "role"], [("ann", "admin")])


def test_whom_somebody_voted_for_is_told_to_those_who_count_and_check(url: str) -> None:
    """Voter and candidate together: by the ledger's rows, and by whoever asks for everything."""
    may: set[Rights] = set()
    for rights in Rights:
        with closing(connect(url, "tests", rights)) as stage:
            try:
                stage.execute("SELECT voter_id, candidate_id FROM votes")
            except psycopg.errors.InsufficientPrivilege:
                continue
        may.add(rights)
    assert may == {Rights.RECORD, Rights.LOOK}


@pytest.mark.parametrize("rights", Rights)
def test_acts_are_only_added_to(url: str, rights: Rights) -> None:
    with closing(connect(url, "tests", rights)) as stage:
        for change in ("UPDATE acts SET who = 'nobody'", "DELETE FROM acts", "TRUNCATE acts"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
                stage.execute(change)
        if rights in {Rights.API, Rights.ORGANISE}:
            stage.execute("INSERT INTO acts (who, what, came_from) VALUES ('ann', 'tried this', 'a test')")


def test_an_election_is_held_with_the_rights_of_organisers_and_of_the_api(url: str) -> None:
    """The statements of a day, each under the role that will say it."""
    with closing(connect(url, "tests", Rights.ORGANISE)) as organiser:
        organiser.execute(
            "INSERT INTO elections (election_id, name, kind, status, seed, roll) VALUES ('real', 'A real one', 'real', 'draft', 0, 'list')"
        )
        organiser.execute(
            "INSERT INTO roll_entries (voter_id, election_id, listed_at) SELECT voter_id, 'real', clock_timestamp() FROM voters"
        )
        organiser.execute(
            "INSERT INTO roll_sizes VALUES ('real', 3) ON CONFLICT (election_id) DO UPDATE SET voters = roll_sizes.voters + excluded.voters"
        )
        organiser.execute(
            "INSERT INTO voting_codes (code_hash, election_id, voter_id) SELECT sha256(voter_id::bytea), 'real', voter_id FROM voters"
        )
        organiser.execute("UPDATE elections SET status = 'open', opens_at = clock_timestamp() WHERE election_id = 'real'")
        organiser.execute("UPDATE voting_codes SET voided_at = clock_timestamp() WHERE code_hash = sha256('v1')")
        organiser.execute("INSERT INTO acts (who, what, election_id, came_from) VALUES ('ann', 'opened', 'real', 'command line')")
        organiser.execute("UPDATE users SET is_disabled = false WHERE user_name = 'ann'")
    with closing(connect(url, "tests", Rights.API)) as api:
        code = "SELECT voter_id FROM voting_codes WHERE code_hash = sha256('v0') AND voided_at IS NULL"
        assert api.execute(code).fetchone() == ("v0",)
        receipt = "INSERT INTO receipts (receipt, election_id, voter_id) VALUES ('r', 'real', 'v0') ON CONFLICT (election_id, voter_id) DO NOTHING"
        api.execute(receipt)
        api.execute("UPDATE receipts SET ballot_partition = 0, ballot_offset = 7 WHERE receipt = 'r'")
        answer = """
            SELECT x.voting_time, j.reason, k.head FROM receipts r
            LEFT JOIN votes x ON (x.ballot_partition, x.ballot_offset) = (r.ballot_partition, r.ballot_offset)
            LEFT JOIN rejections j ON (j.ballot_partition, j.ballot_offset) = (r.ballot_partition, r.ballot_offset)
            LEFT JOIN chain k ON k.ballot_partition = r.ballot_partition AND r.ballot_offset BETWEEN k.first_offset AND k.next_offset - 1
            WHERE receipt = 'r'
        """
        assert api.execute(answer).fetchall() == [(None, None, None)]
        api.execute(
            "INSERT INTO credentials (credential_hash, user_name, kind, expires_at, idle_until) VALUES (%s, 'ann', 'session', 'tomorrow', 'tomorrow')",
            (SESSION,),
        )
        api.execute("INSERT INTO acts (who, what, came_from) VALUES ('ann', 'voided a code', '127.0.0.1')")
        for change in (
            "UPDATE elections SET name = 'mine'",
            "UPDATE users SET role = 'admin'",
            "SELECT candidate_id FROM votes",
            "TABLE voters",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                api.execute(change)
    with closing(connect(url, "tests", Rights.SHOW)) as page:
        whose = "SELECT * FROM person_of_session(%s, clock_timestamp())"
        assert page.execute(whose, (SESSION,)).fetchall() == [("ann", "admin", None)]
        assert page.execute(whose, (b"guessed",)).fetchall() == []
        with closing(connect(url, "tests", Rights.API)) as api:
            api.execute("UPDATE credentials SET revoked_at = clock_timestamp() WHERE credential_hash = %s", (SESSION,))
        assert page.execute(whose, (SESSION,)).fetchall() == []
