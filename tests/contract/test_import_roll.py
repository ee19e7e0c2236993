"""A list on its way into a roll: the check says what the import does, and the import does it wholly or not at all."""

import threading
from collections.abc import Iterable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from announcing import Deaf
from electorate import CANDIDATES, ELECTION, add_election, add_voters, candidate, cast_of, voter
from livetally.adapters.acts import Actor
from livetally.adapters.ledger import Ledger
from livetally.adapters.postgres import Connection, connect
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.adapters.roll_import import Row
from livetally.core.elections import Election
from livetally.core.errors import ElectionError, SourceError
from livetally.register import organise
from livetally.register.import_roll import Report, check_roll, import_roll, outcome_of
from rules import outcome_of as verdict_of
from waiting import WITHIN_S, wait_for

CLUB = "club"
TODAY = date(2026, 5, 7)
SOMEBODY = Actor("ada", "command line")
TABLES = ("voters", "roll_entries", "roll_sizes", "registrations", "acts", "electorate", "electorate_births")


@pytest.fixture(autouse=True)
def drafts(request: pytest.FixtureRequest) -> None:
    """Two drafts with lists, and people on the general register."""
    if "connection" in request.fixturenames:
        draft(request.getfixturevalue("connection"), CLUB)
        draft(request.getfixturevalue("connection"), "guild")
        add_voters(request.getfixturevalue("connection"), range(3))


def draft(connection: Connection, election_id: str) -> None:
    roll = Roll(connection)
    roll.add_election(Election(election_id, election_id, "real", "draft", 1, None, None, roll="list"))
    roll.add_candidates([candidate(f"{election_id} {one}", election_id) for one in CANDIDATES])


def everything(connection: Connection) -> list[list[tuple[Any, ...]]]:
    return [sorted(connection.execute(f"TABLE {table}").fetchall(), key=repr) for table in TABLES]


def check(connection: Connection, path: Path, election_id: str = CLUB) -> tuple[Report, list[Row]]:
    seen: list[Row] = []

    def told(_report: Report, rows: Iterable[Row]) -> None:
        seen.extend(rows)

    return check_roll(connection, election_id, path, TODAY, told), seen


def bring(connection: Connection, path: Path, content: str, election_id: str = CLUB) -> Report:
    path.write_text(content, "utf-8")
    return import_roll(connection, election_id, path, TODAY, SOMEBODY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "roll.csv"


def test_people_come_with_a_list(connection: Connection, path: Path) -> None:
    report = bring(connection, path, "id,name,born,city,state\nm1,Ann Smith,07.05.1990,Deal,Kent\n,Bee Jones,,,\nv1,Voter Number 1,,,\n")
    assert (report.ok, report.imported, report.faults) == (True, True, [])
    assert report.counts == {"rows": 3, "new": 2, "known": 1, "listed": 0, "faults": 0}
    ann = connection.execute("SELECT * FROM voters WHERE voter_id = 'm1'").fetchone()
    assert ann is not None
    assert ann[:16] == ("m1", "Ann Smith", "1990-05-07", *[""] * 4, "Deal", "Kent", *[""] * 6, 0)
    entries = connection.execute("SELECT voter_id, election_id, listed_at = max(listed_at) OVER () FROM roll_entries").fetchall()
    assert {entry[1:] for entry in entries} == {(CLUB, True)}
    assert {"m1", "v1"} < {entry[0] for entry in entries}
    assert connection.execute("SELECT count(*) FROM voters WHERE NOT is_general").fetchone() == (2,)
    roll = Roll(connection)
    assert (roll.on_roll(CLUB), roll.on_roll("guild"), roll.registered()) == (3, 0, 3), "nobody new is on the general register"
    assert roll.registration(f"roll:{CLUB}", 0) == (2, 0)
    who, what, subject, election_id, detail, came_from = connection.execute(
        "SELECT who, what, subject, election_id, detail, came_from FROM acts"
    ).fetchall()[0]
    assert (who, what, subject, election_id, came_from) == ("ada", "election import-roll", CLUB, CLUB, "command line")
    assert detail == {"file": "roll.csv", "rows": 3, "new": 2, "known": 1, "listed": 0, "faults": 0}


def test_the_same_file_again_changes_nothing(connection: Connection, path: Path) -> None:
    content = "name,city\nAnn,Deal\nBee,Deal\n"
    bring(connection, path, content)
    before = everything(connection)
    report = bring(connection, path, content)
    assert report.counts == {"rows": 2, "new": 0, "known": 0, "listed": 2, "faults": 0}
    assert report.ok
    assert everything(connection) == before


def test_a_list_can_grow_and_somebody_can_be_on_two(connection: Connection, path: Path) -> None:
    bring(connection, path, "id,name\nm1,Ann\nm2,Bee\n")
    assert bring(connection, path, "id,name\nm2,Bee\nm3,Cy\n").counts == {"rows": 2, "new": 1, "known": 0, "listed": 1, "faults": 0}
    assert bring(connection, path, "id,name\nm3,Cy\nm4,Dee\n", "guild").counts == {
        "rows": 2,
        "new": 1,
        "known": 1,
        "listed": 0,
        "faults": 0,
    }
    roll = Roll(connection)
    assert (roll.on_roll(CLUB), roll.on_roll("guild")) == (3, 2)
    assert (roll.registration("roll:club", 0), roll.registration("roll:guild", 0)) == ((3, 0), (1, 0))
    assert connection.execute("SELECT message::jsonb ->> 'roll' FROM voters WHERE voter_id = 'm3'").fetchone() == (CLUB,)


def test_each_fault_is_named_with_its_line_and_nothing_is_imported(connection: Connection, path: Path) -> None:
    known = voter(1)
    content = (
        "id,name,born,email,city\n"
        f"v1,{known.voter_name},,{known.email},\n"  # known
        f"v1,{known.voter_name},,{known.email},\n"
        "v2,Somebody Else,,else@example.org,City 2\n"
        "m1,Ann,1990-01-01,,\n"
        "m1,Bob,1990-01-01,,\n"
        ",Cy,,,Deal\n"
        ",Cy,,,Deal\n"
        ",Dee,1990-13-01,,\n"
        ",,,,Deal\n"
        '"E"x,Eve,,,\n'
        "m9,Flo,,\n"
        "\n"
        "m1,Ann,1990-01-01,,\n"
    )
    path.write_text(content)
    before = everything(connection)
    expected = {
        3: "it is line 2 again",
        4: "somebody else is registered under this voter_id: another voter_name, email",
        6: "line 5 has the same voter_id for somebody else",
        8: "it is line 7 again",
        9: "date_of_birth is not a day, as YYYY-MM-DD or DD.MM.YYYY, but '1990-13-01'",
        10: "voter_name is empty",
        11: "a field goes on behind its closing quotation mark; within quotation marks one is written as two",
        12: "4 fields, and the head has 5",
        14: "it is line 5 again",
    }
    report, rows = check(connection, path)
    assert {fault["line"]: fault["what"] for fault in report.faults} == expected
    assert {row.line: row.fault for row in rows if row.fault} == expected
    assert {row.line: outcome_of(row) for row in rows} == {2: "known", 5: "new", 7: "new"} | dict.fromkeys(expected, "fault")
    assert not report.ok
    imported = import_roll(connection, CLUB, path, TODAY, SOMEBODY)
    assert (imported.ok, imported.imported, imported.faults, imported.counts) == (False, False, report.faults, report.counts)
    assert everything(connection) == before


def test_who_is_registered_with_a_time_of_birth_is_the_same_person(connection: Connection, path: Path) -> None:
    """randomuser.me gives days of birth with a time."""
    connection.execute("UPDATE voters SET date_of_birth = '1990-05-07T10:00:00.000Z' WHERE voter_id = 'v0'")
    assert bring(connection, path, "id,name,born\nv0,Voter Number 0,1990-05-07\n").ok
    assert not bring(connection, path, "id,name,born\nv0,Voter Number 0,1990-05-08\n").ok


def test_only_a_draft_takes_a_list_and_only_where_lists_decide(connection: Connection, path: Path) -> None:
    add_election(connection)
    for election_id, says in ((ELECTION, "everybody on the general register may vote"), ("nowhere", "There is no election 'nowhere'")):
        with pytest.raises(ElectionError, match=says):
            bring(connection, path, "name\nAnn\n", election_id)
        with pytest.raises(ElectionError, match=says):
            check(connection, path, election_id)
    bring(connection, path, "name\nBee\n")
    with Roll(connection).changing():
        Roll(connection).open_election(CLUB)
    for act in (lambda: bring(connection, path, "name\nAnn\n"), lambda: check(connection, path)):
        with pytest.raises(
            ElectionError, match="'club' is open: its roll stands since it was opened, and 1 of those in this file are not on it"
        ):
            act()
    assert bring(connection, path, "name\nBee\n").counts["listed"] == 1, "an announcement that was interrupted can still be finished"


def test_who_came_with_a_list_cannot_be_registered_a_second_time(connection: Connection, path: Path) -> None:
    bring(connection, path, "id,name\nv7,Ann\n")
    before = everything(connection)
    with pytest.raises(ElectionError, match=r"registered already, perhaps with the list of an election: Key \(voter_id\)=\(v7\)"):
        add_voters(connection, range(6, 9))
    assert everything(connection) == before


def test_nobody_can_be_listed_who_is_nobody(connection: Connection) -> None:
    for voter_id, election_id in (("nobody", CLUB), ("v0", "nowhere")):
        with pytest.raises(psycopg.errors.ForeignKeyViolation, match="on a roll are only people who are in `voters`"):
            connection.execute("INSERT INTO roll_entries VALUES (%s, %s, now())", (voter_id, election_id))


def test_a_number_that_no_column_holds_is_a_fault_of_its_row(connection: Connection, path: Path) -> None:
    report = bring(connection, path, f"name,registered_age\nAnn,{'0' * 9}99999999999\nBee,{'0' * 9}150\n")
    assert [fault["line"] for fault in report.faults] == [2]


def test_a_file_that_is_no_list_changes_nothing(connection: Connection, path: Path) -> None:
    before = everything(connection)
    with pytest.raises(SourceError, match="no column `voter_name`"):
        bring(connection, path, "surname\nAnn\n")
    assert everything(connection) == before
    assert bring(connection, path, "name\n").counts["rows"] == 0
    assert everything(connection) == before


def test_while_a_list_is_coming_recorders_go_on_and_the_opening_waits(database_url: str, connection: Connection, path: Path) -> None:
    add_election(connection)
    bring(connection, path, "id,name\nm0,Zoe\n")
    path.write_text("id,name\nm1,Ann\n")
    stored, go_on = threading.Event(), threading.Event()

    class Pausing(Roll):
        """An importer that has stored everything and not committed yet."""

        def mark_stored(self, source: str, seed: int, number: int) -> None:
            super().mark_stored(source, seed, number)
            stored.set()
            assert go_on.wait(WITHIN_S)

    def importing() -> None:
        from livetally.register import import_roll as module

        with closing(connect(database_url, "importing", Rights.ORGANISE, bounded=False)) as own:
            begun, layout = module._begin(own, CLUB, path)
            begun._roll = Pausing(own)
            with begun.bringing(CLUB, module._brought(path, layout, CLUB, TODAY)):
                begun.store(CLUB, lambda _: {}, SOMEBODY)

    def opening() -> None:
        with closing(connect(database_url, "opening", Rights.ORGANISE)) as own:
            organise.open_election(own, Deaf(), SOMEBODY, CLUB)

    importer, opener = threading.Thread(target=importing), threading.Thread(target=opening)
    importer.start()
    assert stored.wait(WITHIN_S)
    opener.start()
    wait_for(lambda: waits(connection, "opening"), "the opening waits for the import")
    ledger = Ledger(connection)
    verdicts = ledger.decide([cast_of(0, 0, "m1", f"{CLUB} c0", CLUB), cast_of(0, 1, "m1"), cast_of(0, 2, "v0")])
    assert [verdict_of(one) for one in verdicts] == ["not_open", "unknown_voter", "accepted"], "and nobody had to wait"
    go_on.set()
    importer.join(WITHIN_S)
    opener.join(WITHIN_S)
    assert [verdict_of(one) for one in ledger.decide([cast_of(0, 3, "m1", f"{CLUB} c0", CLUB)])] == ["accepted"]
    assert ledger.decide([cast_of(0, 0, "m1", f"{CLUB} c0", CLUB)]) == verdicts[:1]


def waits(connection: Connection, who: str) -> bool:
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s AND wait_event_type = 'Lock'", (f"livetally {who}%",)
    ).fetchone()
    return row == (1,)


ids = st.sampled_from(["", "", "m1", "m2", "v0", "v1"])
names = st.sampled_from(["Ann", "Bee", "Voter Number 0", "Voter Number 1", "", "x" * 256, "\0"])
born = st.sampled_from(["", "1990-01-01", "01.01.1990", "yesterday", "1940-01-10"])
files = st.lists(st.tuples(ids, names, born), max_size=6)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from([CLUB, "guild"]), files), min_size=1, max_size=3))
def test_the_check_says_what_the_import_does(
    connection: Connection, path: Path, imports: list[tuple[str, list[tuple[str, str, str]]]]
) -> None:
    with connection.transaction(force_rollback=True):
        for election_id, people in imports:
            path.write_bytes("\n".join(["id,name,born", *(",".join(person) for person in people)]).encode())
            before = everything(connection)
            listed_before = on_list(connection, election_id)
            with connection.transaction(force_rollback=True):
                said, rows = check(connection, path, election_id)
                assert everything(connection) == before
            with connection.transaction():
                done = import_roll(connection, election_id, path, TODAY, SOMEBODY)
                for name in ("judged", "repeated", "brought"):  # as at the end of a transaction
                    connection.execute(f"DROP {'VIEW' if name == 'judged' else 'TABLE'} {name}")
            assert (done.ok, done.counts, done.faults) == (said.ok, said.counts, said.faults)
            outcomes = [outcome_of(row) for row in rows]
            assert {name: outcomes.count(name) for name in ("new", "known", "listed")} == {
                name: said.counts[name] for name in ("new", "known", "listed")
            }
            if not done.ok:
                assert everything(connection) == before
            else:
                assert on_list(connection, election_id) == listed_before | {row.voter_id for row in rows}
                assert connection.execute("SELECT count(*) FROM voters").fetchone() == (len(before[0]) + said.counts["new"],)
                assert Roll(connection).on_roll(election_id) == len(on_list(connection, election_id))
                assert Roll(connection).registered() == 3


def on_list(connection: Connection, election_id: str) -> set[str | None]:
    return {row[0] for row in connection.execute("SELECT voter_id FROM roll_entries WHERE election_id = %s", (election_id,))}
