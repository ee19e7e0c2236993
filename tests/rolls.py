"""Rolls of the three kinds in a database, made without the commands that make them, and people who came with a list."""

from collections.abc import Sequence
from datetime import UTC, datetime

from electorate import LONG_AGO, overrule, voter
from livetally.adapters.postgres import Connection
from livetally.core.wire import voter_message


def for_states(connection: Connection, election_id: str, states: Sequence[str]) -> None:
    overrule(connection, "UPDATE elections SET roll = 'states', roll_states = %s WHERE election_id = %s", (list(states), election_id))


def for_list(connection: Connection, election_id: str) -> None:
    overrule(connection, "UPDATE elections SET roll = 'list' WHERE election_id = %s", (election_id,))


def add_people_of_lists(connection: Connection, numbers: Sequence[int], registered_at: datetime | None = None) -> None:
    """People who are on no general register: rows as everybody's, and in no counter."""
    moment = registered_at or datetime.now(UTC) - 3 * LONG_AGO
    with connection.cursor() as cursor:
        for number in numbers:
            person = voter(number)
            cursor.execute(
                f"INSERT INTO voters VALUES ({', '.join(['%s'] * len(person))}, %s, %s, false)",
                (*person, moment, voter_message(person).decode()),
            )


def put_on_list(connection: Connection, election_id: str, voter_ids: Sequence[str], listed_at: datetime | None = None) -> None:
    moment = listed_at or datetime.now(UTC) - 2 * LONG_AGO
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany("INSERT INTO roll_entries VALUES (%s, %s, %s)", [(voter_id, election_id, moment) for voter_id in voter_ids])
        cursor.execute(
            "INSERT INTO roll_sizes AS s VALUES (%s, %s) ON CONFLICT (election_id) DO UPDATE SET voters = s.voters + excluded.voters",
            (election_id, len(voter_ids)),
        )
