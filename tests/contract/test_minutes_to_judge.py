"""Minutes behind which nobody has voted for as long as the rules look back are passed over, and nothing is missed by that."""

from datetime import UTC, datetime, timedelta

import pytest

from livetally.adapters.alerts import Alerts
from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries
from livetally.core.alerts import WINDOW_MINUTES, Minute
from livetally.tally.watch import MINUTES_AT_ONCE, Watch

ELECTION, BURST_MINUTE = "e", 12
MORNING = datetime(2026, 5, 7, 9, 0, tzinfo=UTC)
YEARS_BEFORE = datetime(2001, 1, 1, tzinfo=UTC)
LAST_WEEK = MORNING - timedelta(days=7)


def vote(connection: Connection, moment: datetime, place: str, votes: int) -> None:
    connection.execute(
        """
        INSERT INTO history (generation, election_id, state, from_time, candidate_id, span_minutes, votes, late, batch)
        VALUES (1, %s, %s, %s, 'c', 1, %s, 0, 0), (1, %s, '', %s, 'c', 1, %s, 0, 0)
        ON CONFLICT (from_time, state, candidate_id, election_id, generation) DO UPDATE SET votes = history.votes + excluded.votes
        """,
        (ELECTION, place, moment, votes, ELECTION, moment, votes),
    )


def hold_morning(connection: Connection, begin: datetime) -> None:
    """Kent has a burst, and everybody goes on for a while."""
    for minute in range(BURST_MINUTE + 20):
        for place in ("Kent", "Essex", "Surrey", "Devon"):
            vote(connection, begin + timedelta(minutes=minute), place, 400 if (place, minute) == ("Kent", BURST_MINUTE) else 30)


def look(connection: Connection, reached: datetime) -> list[tuple[str, str, datetime]]:
    connection.execute("UPDATE tally_generations SET reached = %s", (reached,))
    return sorted((one.alert.rule, one.alert.place, one.begins) for one in Watch(connection).look(1, 0))


@pytest.fixture
def asked(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many minutes were looked at, question by question."""
    connection.execute("INSERT INTO tally_generations (fingerprint, state, reason) VALUES ('f', 'shown', 'a count')")
    numbers: list[int] = []
    ask = Alerts.minutes

    def counted(self: Alerts, generation: int, election_id: str, first: int, last: int) -> list[Minute]:
        numbers.append(last - first + 1)
        return ask(self, generation, election_id, first, last)

    monkeypatch.setattr(Alerts, "minutes", counted)
    return numbers


def test_one_vote_that_says_it_is_older_than_all_others_holds_nothing_up(connection: Connection, asked: list[int]) -> None:
    vote(connection, YEARS_BEFORE, "Kent", 1)
    hold_morning(connection, MORNING)
    assert look(connection, MORNING + timedelta(hours=1)) == [("burst", "Kent", MORNING + timedelta(minutes=BURST_MINUTE))]
    assert sum(asked) <= 3 * (MINUTES_AT_ONCE + WINDOW_MINUTES)
    assert connection.execute("SELECT up_to > %s FROM judged", (MORNING + timedelta(minutes=50),)).fetchone() == (True,)


def test_an_election_in_two_parts_is_judged_in_both(connection: Connection, asked: list[int]) -> None:
    for begin in (LAST_WEEK, MORNING):
        hold_morning(connection, begin)
    bursts = [("burst", "Kent", begin + timedelta(minutes=BURST_MINUTE)) for begin in (LAST_WEEK, MORNING)]
    assert look(connection, MORNING + timedelta(hours=1)) == bursts
    assert sum(asked) <= 4 * (MINUTES_AT_ONCE + WINDOW_MINUTES)


def test_what_is_raised_is_over_though_its_minutes_have_become_hours(connection: Connection, asked: list[int]) -> None:
    """As when the tally was stopped behind an election, and the next votes are those of another one."""
    hold_morning(connection, LAST_WEEK)
    burst = LAST_WEEK + timedelta(minutes=BURST_MINUTE)
    assert look(connection, burst + timedelta(seconds=70)) == [("burst", "Kent", burst)]
    assert connection.execute("SELECT state FROM alerts").fetchall() == [("raised",)]
    connection.execute(queries("cells")["thin_history"], {"generation": 1, "before": MORNING})
    asked.clear()
    assert look(connection, MORNING) == [("burst", "Kent", burst)]
    assert connection.execute("SELECT state, to_time FROM alerts").fetchall() == [("cleared", burst + timedelta(minutes=1))]
    assert sum(asked) <= MINUTES_AT_ONCE + WINDOW_MINUTES, "of a week"


def test_repeated_ballots_alone_are_something_to_judge(connection: Connection, asked: list[int]) -> None:
    vote(connection, YEARS_BEFORE, "Kent", 1)
    connection.execute("INSERT INTO judged (election_id, up_to) VALUES (%s, %s)", (ELECTION, MORNING - timedelta(hours=9)))
    assert look(connection, MORNING) == []
    assert asked == [], "nothing has happened since"
    connection.execute(
        """
        INSERT INTO rejections (ballot_partition, ballot_offset, election_id, reason, detail, appended_at)
        VALUES (0, 0, %s, 'already_voted_same', '', %s)
        """,
        (ELECTION, MORNING + timedelta(hours=5)),
    )
    look(connection, MORNING + timedelta(hours=6))
    assert len(asked) == 1
