"""A draft is deleted with all that is its own, and nothing that is anybody else's; where somebody has cast for it, it stays."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import psycopg
import pytest

from electorate import CANDIDATES, ELECTION, add_election, add_voters, candidate, cast_of
from livetally.adapters.acts import Actor, Acts
from livetally.adapters.ledger import Ledger
from livetally.adapters.people import People
from livetally.adapters.postgres import Connection, connect
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.adapters.roll_import import source_of, unannounced
from livetally.cli import main
from livetally.core.access import Person, Role, may
from livetally.core.ballots import Reason, Rejected
from livetally.core.elections import Election
from livetally.core.errors import ElectionError
from livetally.register import organise
from livetally.register.import_roll import import_roll

OFFICIAL = Actor("olga", "127.0.0.1")
TODAY = date(2026, 5, 7)
TABLES = ("elections", "candidates", "voters", "roll_entries", "roll_sizes", "voting_codes", "electorate", "electorate_births")
SOON_MS = 300  # for what is meant to be in vain


@pytest.fixture
def ours(connection: Connection, database_url: str) -> Iterator[Connection]:
    """An organiser's, in a database with an open election and people on the general register."""
    add_voters(connection, range(3))
    add_election(connection)
    with closing(connect(database_url, "election", Rights.ORGANISE)) as organiser:
        yield organiser


def draft(connection: Connection, election_id: str, path: Path, members: str = "") -> None:
    organise.create(connection, OFFICIAL, Election(election_id, election_id, "real", "draft", 1, None, None, roll="list"))
    organise.list_candidates(connection, OFFICIAL, election_id, [candidate(f"{election_id} {one}", election_id) for one in CANDIDATES])
    if members:
        path.write_text("id,name\n" + members, "utf-8")
        assert import_roll(connection, election_id, path, TODAY, OFFICIAL).ok


def everything(connection: Connection) -> list[list[tuple[object, ...]]]:
    return [sorted(connection.execute(f"TABLE {table}").fetchall(), key=repr) for table in TABLES]


def test_all_that_is_its_own_goes_with_it_and_nothing_else(ours: Connection, connection: Connection, tmp_path: Path) -> None:
    draft(ours, "guild", tmp_path / "guild.csv", "m1,Ann\n")
    before = everything(connection)
    draft(ours, "club", tmp_path / "club.csv", "m1,Ann\nm2,Bee\nm3,Cy\nv1,Voter Number 1\n")
    connection.execute("INSERT INTO voting_codes (code_hash, election_id, voter_id, voided_at) VALUES ('a', 'club', 'm2', now())")
    connection.execute("INSERT INTO voting_codes (code_hash, election_id, voter_id) VALUES ('b', 'club', 'm2')")
    deleted = organise.delete(ours, OFFICIAL, "club")
    assert deleted == (len(CANDIDATES), 4, 2, 2)
    assert everything(connection) == before
    act = Acts(connection).newest(1)[0]
    assert (act.who, act.what, act.election_id, act.detail["name"], act.detail["listed"]) == ("olga", "election delete", "club", "club", 4)
    with pytest.raises(ElectionError, match="There is no election 'club'"):
        organise.delete(ours, OFFICIAL, "club")


def test_whoever_was_an_official_of_it_is_none_of_another_with_its_id(ours: Connection, tmp_path: Path) -> None:
    people = People(ours)
    draft(ours, "club", tmp_path / "club.csv")
    draft(ours, "guild", tmp_path / "guild.csv")
    for name, elections in {"ann": ["club"], "bea": ["club", "guild"], "cy": ["guild"], "dee": None}.items():
        people.add_user(name, Role.OFFICIAL, elections, "no hash")
    organise.delete(ours, OFFICIAL, "club")
    draft(ours, "club", tmp_path / "club.csv")
    left = {user.user_name: user.elections for user in people.users()}
    assert left == {"ann": (), "bea": ("guild",), "cy": ("guild",), "dee": None}
    ann = Person("ann", Role.OFFICIAL, frozenset(left["ann"] or ()))
    assert not may(ann, Role.OFFICIAL, "club")


def test_nobody_becomes_an_official_of_a_draft_while_it_is_deleted(ours: Connection, database_url: str, tmp_path: Path) -> None:
    draft(ours, "club", tmp_path / "club.csv")
    People(ours).add_user("ann", Role.OBSERVER, [], "no hash")
    with closing(connect(database_url, "user", Rights.ORGANISE)) as other:
        other.execute(f"SET lock_timeout = {SOON_MS}")
        with ours.transaction(force_rollback=True):
            organise.delete(ours, OFFICIAL, "club")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                People(other).set_role("ann", Role.OFFICIAL, ["club"])
        with ours.transaction(force_rollback=True):
            People(ours).set_role("ann", Role.OFFICIAL, ["club"])
            with pytest.raises(psycopg.errors.LockNotAvailable):
                organise.delete(other, OFFICIAL, "club")


def test_who_comes_again_with_a_list_of_the_same_name_is_announced_again(ours: Connection, tmp_path: Path) -> None:
    draft(ours, "club", tmp_path / "club.csv", "m1,Ann\nm2,Bee\n")
    Roll(ours).mark_announced(source_of("club"), 0, 2)
    organise.delete(ours, OFFICIAL, "club")
    draft(ours, "club", tmp_path / "club.csv", "m1,Ann of another town\n")
    assert Roll(ours).registration(source_of("club"), 0) == (1, 0)
    assert [voter_id for voter_id, _ in unannounced(ours, "club", 0)] == [b"m1"]


def test_where_somebody_has_cast_it_stays(ours: Connection, connection: Connection, tmp_path: Path) -> None:
    """The verdict was that it is not open; without the draft a rebuild would come to another one."""
    draft(ours, "club", tmp_path / "club.csv", "m1,Ann\n")
    (verdict,) = Ledger(connection).decide([cast_of(0, 0, "m1", "club c0", "club")])
    assert isinstance(verdict, Rejected)
    assert verdict.reason is Reason.NOT_OPEN
    before = everything(connection)
    with pytest.raises(ElectionError, match="1 ballots have been cast for 'club'"):
        organise.delete(ours, OFFICIAL, "club")
    assert everything(connection) == before
    assert [act.what for act in Acts(connection).newest(1)] == ["election import-roll"]


def test_one_that_is_open_stays(ours: Connection, connection: Connection) -> None:
    before = everything(connection)
    with pytest.raises(ElectionError, match="'e' is open, and only a draft can be deleted"):
        organise.delete(ours, OFFICIAL, ELECTION)
    assert everything(connection) == before


def test_nobody_is_put_on_a_list_while_another_is_deleted_and_the_other_way_round(
    ours: Connection, database_url: str, tmp_path: Path
) -> None:
    """Else somebody who is on that one alone could go, while they come onto this one."""
    draft(ours, "club", tmp_path / "club.csv", "m1,Ann\n")
    draft(ours, "guild", tmp_path / "guild.csv")
    (tmp_path / "guild.csv").write_text("id,name\nm1,Ann\n", "utf-8")
    with closing(connect(database_url, "election", Rights.ORGANISE)) as other:
        other.execute(f"SET lock_timeout = {SOON_MS}")
        with ours.transaction(force_rollback=True):
            organise.delete(ours, OFFICIAL, "club")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                import_roll(other, "guild", tmp_path / "guild.csv", TODAY, OFFICIAL)
        with ours.transaction(force_rollback=True):
            assert import_roll(ours, "guild", tmp_path / "guild.csv", TODAY, OFFICIAL).ok
            with pytest.raises(psycopg.errors.LockNotAvailable):
                organise.delete(other, OFFICIAL, "club")


def test_the_command_says_what_went_with_it(
    ours: Connection, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    draft(ours, "club", tmp_path / "club.csv", "m1,Ann\n")
    monkeypatch.setenv("LIVETALLY_DATABASE_URL", database_url)
    monkeypatch.setenv("LIVETALLY_DATA_DIR", str(tmp_path / "data"))
    assert main(["election", "delete", ELECTION]) == 2
    assert "only a draft can be deleted" in capsys.readouterr().err
    assert main(["election", "delete", "club", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"election_id": "club", "candidates": 3, "listed": 1, "people": 1, "codes": 0}
    draft(ours, "club", tmp_path / "club.csv", "m1,Ann\n")
    assert main(["election", "delete", "club"]) == 0
    assert "club is deleted, with 3 candidates, 1 people on its list." in capsys.readouterr().err


def test_the_database_keeps_the_codes_of_an_election_that_is_open(ours: Connection, connection: Connection) -> None:
    connection.execute("INSERT INTO voting_codes (code_hash, election_id, voter_id) VALUES ('a', 'e', 'v1')")
    with pytest.raises(psycopg.errors.CheckViolation, match="the codes of the election e stay"):
        ours.execute("DELETE FROM voting_codes")
