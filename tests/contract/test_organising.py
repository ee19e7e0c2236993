"""Acts of an organiser: what each changes, what it writes down, and what neither the program nor the database allows."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from typing import Any

import psycopg
import pytest

from announcing import Deaf
from electorate import add_election, add_voters, candidate, overrule
from livetally.adapters.acts import Actor, Acts
from livetally.adapters.kafka import Announcer
from livetally.adapters.postgres import HOURS_LOCK, ROLL_LOCK, Connection, connect, explained
from livetally.adapters.reading import Tail
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.core.elections import Election, Status
from livetally.core.errors import ElectionError
from livetally.core.wire import CANDIDATES, decode, topics
from livetally.register import organise
from pipeline import PARTITIONS
from rolls import put_on_list
from servers import Servers, recreate
from waiting import WITHIN_S, wait_for

HOUR = timedelta(hours=1)
OFFICIAL = Actor("olga", "127.0.0.1")
BOARD = Election("board", "Our board", "real", "draft", 42, None, None)
TWO = [candidate("ann", "board"), candidate("bob", "board")]
STATUSES: list[Status] = ["draft", "open", "closed", "certified"]
TOGETHER = 25  # times that two do something at once
LISTED = 500


@pytest.fixture
def app(database_url: str) -> "closing[Connection]":
    return closing(connect(database_url, "election", Rights.ORGANISE))


def drafted(connection: Connection, **fields: Any) -> Election:
    """A draft that can be opened."""
    election = organise.create(connection, OFFICIAL, replace(BOARD, **fields))
    organise.list_candidates(connection, OFFICIAL, "board", TWO)
    return election


def done(connection: Connection) -> list[tuple[str, str, str | None, str]]:
    return [(act.who, act.what, act.election_id, act.came_from) for act in reversed(Acts(connection).newest(100))]


def rows(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT * FROM elections, candidates ORDER BY 1").fetchall()


def test_the_whole_way_is_written_down(connection: Connection, app: "closing[Connection]") -> None:
    """With the rights of a stage."""
    add_voters(connection, range(3))
    with app as ours:
        drafted(ours, visible="officials")
        announcer = Deaf()
        opened = organise.open_election(ours, announcer, OFFICIAL, "board")
        assert opened.status == "open"
        assert opened.opens_at is not None
        assert abs(datetime.now(UTC) - opened.opens_at) < timedelta(seconds=30)
        assert announcer.sent == [b"ann", b"bob"]
        with pytest.raises(ElectionError, match="is not over yet"):
            organise.publish(ours, OFFICIAL, "board")
        before = Roll(ours).now()
        closed = organise.close_election(ours, OFFICIAL, "board")
        assert closed.status == "closed"
        assert closed.closes_at is not None
        assert before < closed.closes_at < before + timedelta(seconds=10), "a little ahead"
        overrule(connection, "UPDATE elections SET closes_at = opens_at")  # for the seconds that are left
        published = organise.publish(ours, OFFICIAL, "board")
        assert published.published_at is not None
        assert organise.publish(ours, OFFICIAL, "board") == published
        whats = ("create", "import-candidates", "open", "close", "publish")
        assert done(ours) == [("olga", f"election {what}", "board", "127.0.0.1") for what in whats]
        assert Acts(ours).newest(1, "another") == []
        opening = Acts(ours).newest(3)[2].detail
        assert (opening["candidates"], opening["on_roll"]) == (2, 3)


def test_the_candidates_are_on_their_topic_when_it_opens(connection: Connection, servers: Servers) -> None:
    recreate(servers.admin, topics(PARTITIONS))
    add_voters(connection, [0])
    drafted(connection)
    organise.open_election(connection, Announcer(servers.kafka), OFFICIAL, "board")
    with closing(Tail(servers.kafka, [CANDIDATES])) as tail:
        found = []
        while not tail.caught_up:
            found += tail.read(1.0)
    assert [(one.key, decode(one.value or b"")["election_id"]) for one in found] == [(b"ann", "board"), (b"bob", "board")]


def test_a_planned_time_is_kept_and_one_that_is_over_means_now(connection: Connection) -> None:
    add_voters(connection, [0])
    now = Roll(connection).now()
    drafted(connection, opens_planned=now + HOUR, closes_planned=now + 2 * HOUR)
    opened = organise.open_election(connection, Deaf(), OFFICIAL, "board")
    assert (opened.opens_at, opened.closes_at) == (now + HOUR, now + 2 * HOUR)
    closed = organise.close_election(connection, OFFICIAL, "board")
    assert closed.opens_at == closed.closes_at, "one that has not opened yet closes at its opening"


def test_one_whose_planned_opening_is_over_opens_now(connection: Connection) -> None:
    add_voters(connection, [0])
    before = Roll(connection).now()
    drafted(connection, opens_planned=before - HOUR)
    opened = organise.open_election(connection, Deaf(), OFFICIAL, "board")
    assert opened.opens_at is not None
    assert opened.opens_at > before


def test_closing_never_puts_the_end_off(connection: Connection) -> None:
    add_election(connection, "e", closes_at=datetime.now(UTC) - timedelta(minutes=1))
    ended = Roll(connection).election("e").closes_at
    assert organise.close_election(connection, OFFICIAL, "e").closes_at == ended


def test_candidates_are_replaced_as_long_as_it_is_a_draft(connection: Connection) -> None:
    add_voters(connection, [0])
    drafted(connection)
    organise.list_candidates(connection, OFFICIAL, "board", [candidate("cy", "board"), *TWO[:1]])
    assert [one.candidate_id for one in Roll(connection).candidates("board")] == ["cy", "ann"]
    add_election(connection, "other", ["yes", "no"])
    with pytest.raises(ElectionError, match="'yes' stands in 'other'"):
        organise.list_candidates(connection, OFFICIAL, "board", [candidate("yes", "board"), *TWO])
    with pytest.raises(ElectionError, match="201 candidates are too many"):
        organise.list_candidates(connection, OFFICIAL, "board", [candidate(f"c{number}", "board") for number in range(201)])
    assert [one.candidate_id for one in Roll(connection).candidates("board")] == ["cy", "ann"], "all or nothing"
    organise.open_election(connection, Deaf(), OFFICIAL, "board")
    with pytest.raises(ElectionError, match="is open; its candidates stand"):
        organise.list_candidates(connection, OFFICIAL, "board", TWO)


def test_an_election_without_choice_or_voters_does_not_open(connection: Connection) -> None:
    organise.create(connection, OFFICIAL, BOARD)
    with pytest.raises(ElectionError, match=r"it has 0 of at least 2 candidates.*nobody is on its roll"):
        organise.open_election(connection, Deaf(), OFFICIAL, "board")
    assert Roll(connection).election("board").status == "draft"


def test_a_roll_of_states_needs_people_in_each(connection: Connection) -> None:
    add_voters(connection, range(9))  # State 0 to State 2
    drafted(connection, roll="states", roll_states=("State 1", "State 7"))
    assert Roll(connection).on_roll("board") == 3
    with pytest.raises(ElectionError, match="nobody is registered in State 7"):
        organise.open_election(connection, Deaf(), OFFICIAL, "board")


def test_what_was_to_close_before_it_opens_does_not_open(connection: Connection) -> None:
    add_voters(connection, [0])
    drafted(connection)
    connection.execute("UPDATE elections SET closes_planned = now() - interval '1 minute'")
    with pytest.raises(ElectionError, match="it was to close at"):
        organise.open_election(connection, Deaf(), OFFICIAL, "board")


def test_an_id_is_given_once(connection: Connection) -> None:
    organise.create(connection, OFFICIAL, BOARD)
    with pytest.raises(ElectionError, match="There is an election 'board' already"):
        organise.create(connection, OFFICIAL, BOARD)
    assert len(done(connection)) == 1
    with pytest.raises(ElectionError, match="There is no election 'bord'"):
        organise.open_election(connection, Deaf(), OFFICIAL, "bord")


ACTS: dict[str, Callable[[Connection], object]] = {
    "open": lambda connection: organise.open_election(connection, Deaf(), OFFICIAL, "board"),
    "close": lambda connection: organise.close_election(connection, OFFICIAL, "board"),
    "list": lambda connection: organise.list_candidates(connection, OFFICIAL, "board", TWO),
    "publish": lambda connection: organise.publish(connection, OFFICIAL, "board"),
    "delete": lambda connection: organise.delete(connection, OFFICIAL, "board"),
}
ALLOWED = {("delete", "draft"), ("open", "draft"), ("close", "open"), ("list", "draft"), ("publish", "closed"), ("publish", "certified")}


def at(connection: Connection, status: Status) -> None:
    """The board's election, come so far."""
    add_voters(connection, [0])
    drafted(connection, visible="officials")
    if status != "draft":
        overrule(
            connection,
            "UPDATE elections SET status = %s, opens_at = now() - interval '2 hours', closes_at = CASE WHEN %s THEN now() - interval '1 hour' END",
            (status, status != "open"),
        )


@pytest.mark.parametrize(("act", "status"), [*product(ACTS, STATUSES)])
def test_every_act_in_every_state(connection: Connection, act: str, status: Status) -> None:
    at(connection, status)
    before, acts = rows(connection), len(done(connection))
    if (act, status) in ALLOWED:
        ACTS[act](connection)
        assert len(done(connection)) == acts + 1
    else:
        with pytest.raises(ElectionError):
            ACTS[act](connection)
        assert (rows(connection), len(done(connection))) == (before, acts), "what is refused leaves nothing behind"


AS_A_RECORDER = {ROLL_LOCK: "SELECT pg_try_advisory_xact_lock(%s)", HOURS_LOCK: "SELECT pg_try_advisory_xact_lock_shared(%s)"}


@pytest.mark.parametrize(
    ("act", "status", "lock"), [("open", "draft", ROLL_LOCK), ("list", "draft", ROLL_LOCK), ("close", "open", HOURS_LOCK)]
)
def test_who_waits_for_an_election_holds_no_recorder_up(
    connection: Connection, database_url: str, act: str, status: Status, lock: int
) -> None:
    """An import holds it for a minute, and so does the deletion of a long list, or the issue of many codes."""
    at(connection, status)
    with (
        closing(connect(database_url, "organiser", Rights.ORGANISE)) as ours,
        closing(connect(database_url, "recorder", as_owner=True)) as recorder,
        ThreadPoolExecutor(1) as pool,
    ):
        with connection.transaction():
            Roll(connection).lock_election("board")
            waiting = pool.submit(ACTS[act], ours)
            wait_for(lambda: is_held_up(recorder, "organiser"), f"{act} waits for the election")
            assert recorder.execute(AS_A_RECORDER[lock], (lock,)).fetchone() == (True,)
        waiting.result(WITHIN_S)
    assert Roll(connection).election("board").status == {"open": "open", "list": "draft", "close": "closed"}[act]


def is_held_up(connection: Connection, who: str) -> bool:
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s AND wait_event_type = 'Lock'", (f"livetally {who}%",)
    ).fetchone()
    return row == (1,)


def test_a_draft_that_is_opened_and_deleted_at_the_same_time_becomes_one_of_the_two(connection: Connection, database_url: str) -> None:
    """While a recorder waits for changes of the roll again and again. PostgreSQL does not help: it would look for a way out after a second."""
    connection.execute(f"ALTER DATABASE {connection.info.dbname} SET deadlock_timeout = '1min'")
    people = [f"v{number}" for number in range(LISTED)]
    add_voters(connection, range(LISTED))
    together, over = threading.Barrier(2), threading.Event()

    def record() -> None:
        with closing(connect(database_url, "recorder", Rights.RECORD)) as recorder:
            while not over.is_set():
                recorder.execute("SELECT pg_advisory_xact_lock(%s)", (ROLL_LOCK,))

    def succeeds(act: Callable[[], object]) -> bool:
        together.wait(WITHIN_S)
        try:
            act()
        except ElectionError:
            return False
        return True

    with (
        closing(connect(database_url, "opener", Rights.ORGANISE)) as opener,
        closing(connect(database_url, "deleter", Rights.ORGANISE)) as deleter,
        ThreadPoolExecutor(3) as pool,
    ):
        recording = pool.submit(record)
        try:
            for number in range(TOGETHER):
                draft = organise.create(connection, OFFICIAL, replace(BOARD, election_id=f"board-{number}", roll="list")).election_id
                organise.list_candidates(connection, OFFICIAL, draft, [candidate(f"{one}-{number}", draft) for one in ("ann", "bob")])
                put_on_list(connection, draft, people)  # which takes a while to delete
                opening = pool.submit(succeeds, partial(organise.open_election, opener, Deaf(), OFFICIAL, draft))
                deleting = pool.submit(succeeds, partial(organise.delete, deleter, OFFICIAL, draft))
                is_open, is_deleted = opening.result(WITHIN_S), deleting.result(WITHIN_S)
                left = {one.election_id: one.status for one in Roll(connection).elections()}
                assert (is_open, is_deleted, left.get(draft)) in {(True, False, "open"), (False, True, None)}
        finally:
            over.set()
        recording.result(WITHIN_S)


@pytest.mark.parametrize(("old", "new"), [*product(STATUSES, STATUSES)])
def test_the_database_lets_an_election_go_one_way(connection: Connection, app: "closing[Connection]", old: Status, new: Status) -> None:
    at(connection, old)
    is_next = STATUSES.index(new) - STATUSES.index(old) in (0, 1)
    hours = ", opens_at = now()" if (old, new) == ("draft", "open") else ""
    with app as ours:
        for user in (connection, ours):  # the owner of the tables too
            if is_next and user is ours:
                user.execute(f"UPDATE elections SET status = %s{hours}", (new,))
            elif not is_next:
                with pytest.raises(psycopg.errors.CheckViolation, match="cannot become"):
                    user.execute("UPDATE elections SET status = %s", (new,))


FORBIDDEN: list[tuple[Status, str]] = [
    ("draft", "opens_at = now()"),
    ("draft", "status = 'open', opens_at = now() - interval '1 second'"),
    ("draft", "status = 'open'"),
    *(
        (status, f"{column} = {value}")
        for status in STATUSES
        for column, value in (("kind", "'simulated'"), ("seed", "7"), ("election_id", "'x'"))
    ),
    *(
        (status, change)
        for status in STATUSES[1:]
        for change in (
            "detail = 'group'",
            "roll = 'list'",
            "roll = 'states', roll_states = '{Kent}'",
            "opens_at = now()",
            "opens_at = NULL",
            "visible = 'live'",
        )
    ),
    *((status, "published_at = now()") for status in ("draft", "open")),
    ("closed", "certified_at = now()"),
    ("certified", "certified_at = now()"),
    ("open", "closes_at = now() - interval '1 second'"),
    ("closed", "closes_at = now()"),
    ("closed", "closes_at = NULL"),
    ("closed", "status = 'certified', closes_at = now() + interval '1 hour'"),
    ("certified", "closes_at = now()"),
]


@pytest.mark.parametrize(("status", "change"), FORBIDDEN)
def test_the_database_keeps_what_ballots_are_judged_by(connection: Connection, status: Status, change: str) -> None:
    at(connection, status)
    connection.execute("DELETE FROM candidates")  # which would keep the id by themselves
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(f"UPDATE elections SET {change}")
    with pytest.raises(ElectionError, match="PostgreSQL refuses this change"), explained("postgresql://there/voting"):
        connection.execute(f"UPDATE elections SET {change}")


@pytest.mark.parametrize(
    ("closes", "change"), [("1 hour", "2 hours"), ("1 hour", None), ("-1 minute", "1 hour"), ("-1 minute", "-1 second")]
)
def test_the_end_of_an_open_election_only_ever_comes_earlier(connection: Connection, closes: str, change: str | None) -> None:
    at(connection, "open")
    overrule(connection, "UPDATE elections SET closes_at = now() + %s::interval", (closes,))
    with pytest.raises(psycopg.errors.CheckViolation, match="the hours of the election board cannot become"):
        connection.execute("UPDATE elections SET closes_at = now() + %s::interval", (change,))
    if not closes.startswith("-"):
        connection.execute("UPDATE elections SET closes_at = now() + interval '2 seconds'")


@pytest.mark.parametrize("statement", ["UPDATE acts SET who = 'nobody'", "DELETE FROM acts", "TRUNCATE acts"])
def test_what_was_done_stays_written_down(connection: Connection, statement: str) -> None:
    organise.create(connection, OFFICIAL, BOARD)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)
    assert len(done(connection)) == 1


STAGES_WHO_ADD = (Rights.ORGANISE, Rights.REGISTER)
BEGINNINGS = {
    "a draft": ("real", "draft", None, True),
    "a simulated draft": ("simulated", "draft", None, True),
    "a simulated one from now on": ("simulated", "open", "0", True),
    "a simulated one that is closed": ("simulated", "closed", "0", False),
    "a simulated one from before": ("simulated", "open", "-1 hour", False),
    "a draft with hours": ("real", "draft", "1 hour", False),
    "open": ("real", "open", "0", False),
    "open in the past": ("real", "open", "-1 hour", False),
    "closed": ("real", "closed", "-1 hour", False),
    "certified": ("real", "certified", "-1 hour", False),
}


@pytest.mark.parametrize("rights", STAGES_WHO_ADD)
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_an_election_begins_as_a_draft(database_url: str, rights: Rights, beginning: str) -> None:
    kind, status, opens, may_be = BEGINNINGS[beginning]
    add = "INSERT INTO elections (election_id, name, kind, status, seed, opens_at) VALUES ('x', 'X', %s, %s, 0, now() + %s::interval)"
    with closing(connect(database_url, "tests", rights)) as stage:
        if may_be:
            stage.execute(add, (kind, status, opens))
            return
        with pytest.raises(psycopg.errors.CheckViolation, match=f"the election x cannot begin as {status}"):
            stage.execute(add, (kind, status, opens))


def test_nothing_is_published_or_certified_before_it_begins(app: "closing[Connection]") -> None:
    with app as ours:
        for column in ("published_at", "certified_at"):
            with pytest.raises(psycopg.errors.CheckViolation, match="cannot begin"):
                ours.execute(
                    f"INSERT INTO elections (election_id, name, kind, status, seed, {column}) VALUES ('x', 'X', 'real', 'draft', 0, now())"
                )


def test_a_result_is_published_once_and_when_it_is_over(connection: Connection) -> None:
    at(connection, "closed")
    overrule(connection, "UPDATE elections SET closes_at = clock_timestamp() + interval '1 minute'")
    with pytest.raises(psycopg.errors.CheckViolation, match="is shown"):
        connection.execute("UPDATE elections SET published_at = now()")
    overrule(connection, "UPDATE elections SET closes_at = clock_timestamp()")
    connection.execute("UPDATE elections SET published_at = now()")
    for change in ("NULL", "now() + interval '1 hour'"):
        with pytest.raises(psycopg.errors.CheckViolation, match="is shown"):
            connection.execute(f"UPDATE elections SET published_at = {change}")


ADD_CANDIDATE = (
    "INSERT INTO candidates (candidate_id, candidate_name, party_affiliation, biography, campaign_platform, photo_url, election_id, listed_at) "
    "VALUES ('new', 'New', '', '', '', '', 'board', now())"
)


STANDING = {
    Rights.REGISTER: (ADD_CANDIDATE,),
    Rights.ORGANISE: (
        ADD_CANDIDATE,
        "DELETE FROM candidates",
        "INSERT INTO roll_entries VALUES ('v1', 'board', now())",
        "DELETE FROM roll_entries",
        "DELETE FROM elections",
        "DELETE FROM voters",
    ),
}


@pytest.mark.parametrize("status", STATUSES[1:])
def test_the_database_keeps_who_stands_and_who_may_vote_since_it_was_opened(
    connection: Connection, database_url: str, status: Status
) -> None:
    at(connection, status)
    add_voters(connection, [1])
    connection.execute("INSERT INTO roll_entries VALUES ('v0', 'board', now())")
    for rights, changes in STANDING.items():
        with closing(connect(database_url, "tests", rights)) as stage:
            for change in changes:
                with pytest.raises(psycopg.errors.CheckViolation):
                    stage.execute(change)


def test_of_a_draft_all_of_it_may_change(connection: Connection, database_url: str) -> None:
    at(connection, "draft")
    add_voters(connection, [1])
    connection.execute("UPDATE voters SET is_general = false")
    for rights, changes in STANDING.items():
        with closing(connect(database_url, "tests", rights)) as stage:
            for change in changes:
                stage.execute(change)
                connection.execute("DELETE FROM candidates WHERE candidate_id = 'new'")


def test_a_simulated_election_gets_candidates_while_it_is_open_and_loses_none(connection: Connection, database_url: str) -> None:
    add_election(connection, "board", ["yes"])
    with closing(connect(database_url, "tests", Rights.REGISTER)) as register:
        register.execute(ADD_CANDIDATE)
    with closing(connect(database_url, "tests", Rights.ORGANISE)) as ours, pytest.raises(psycopg.errors.CheckViolation):
        ours.execute("DELETE FROM candidates")
    connection.execute("UPDATE elections SET status = 'closed', closes_at = now()")
    connection.execute("DELETE FROM candidates WHERE candidate_id = 'new'")
    with closing(connect(database_url, "tests", Rights.REGISTER)) as register, pytest.raises(psycopg.errors.CheckViolation):
        register.execute(ADD_CANDIDATE)
