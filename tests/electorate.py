"""An election made up for tests: people, candidates, ballots; and how they come into a database."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.core.ballots import Ballot
from livetally.core.elections import Candidate, Election, Voter
from livetally.core.verdicts import Cast
from livetally.core.wire import voter_message

ELECTION = "e"
CANDIDATES = ("c0", "c1", "c2")
LONG_AGO = timedelta(hours=1)

_number = count(1)


def voter(number: int) -> Voter:
    """Somebody; people differ in everything that is counted by."""
    return Voter(
        voter_id=f"v{number}",
        voter_name=f"Voter Number {number}",
        date_of_birth=f"{1940 + number * 7 % 65}-0{1 + number % 9}-1{number % 10}",
        gender=("female", "male")[number % 2],
        nationality="British",
        registration_number=f"R-{number}",
        address_street=f"{number} High Street",
        address_city=f"City {number % 5}",
        address_state=f"State {number % 3}",
        address_country="United Kingdom",
        address_postcode=f"AB{number}",
        email=f"v{number}@example.org",
        phone_number="01",
        cell_number="07",
        picture="",
        registered_age=18 + number % 60,
    )


def candidate(candidate_id: str, election_id: str = ELECTION) -> Candidate:
    return Candidate(candidate_id, f"Name of {candidate_id}", f"Party of {candidate_id}", "A life.", "A plan.", "data:,", election_id)


def ballot(voter_id: str, candidate_id: str = "c0", election_id: str = ELECTION) -> bytes:
    return json.dumps({"election_id": election_id, "voter_id": voter_id, "candidate_id": candidate_id, "cast_at": "whenever"}).encode()


def casting(partition: int, offset: int, content: Any, appended_at: datetime | None = None) -> Cast:
    """A ballot as *record* hands it to the ledger."""
    moment = appended_at or datetime.now(UTC)
    return Cast(partition, offset, round(moment.timestamp() * 1000), content)


def cast_of(partition: int, offset: int, voter_id: str, candidate_id: str = "c0", election_id: str = ELECTION) -> Cast:
    return casting(partition, offset, Ballot(election_id, voter_id, candidate_id))


def add_election(
    connection: Connection,
    election_id: str = ELECTION,
    candidates: Sequence[str] = CANDIDATES,
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
) -> None:
    """An election that opened an hour ago, unless told otherwise, with candidates listed before."""
    opened = opens_at or datetime.now(UTC) - LONG_AGO
    roll = Roll(connection)
    with roll.changing():
        roll.add_election(Election(election_id, f"Election {election_id}", "simulated", "open", 42, opened, closes_at))
        roll.add_candidates([candidate(one, election_id) for one in candidates])
        connection.execute("UPDATE candidates SET listed_at = %s WHERE election_id = %s", (opened - LONG_AGO, election_id))


def overrule(connection: Connection, statement: str, parameters: Sequence[Any] = ()) -> None:
    """Change an election as nobody may: past the trigger that refuses it, with the owner's rights."""
    with connection.transaction():
        connection.execute("ALTER TABLE elections DISABLE TRIGGER one_way")
        connection.execute(statement, parameters)
        connection.execute("ALTER TABLE elections ENABLE TRIGGER one_way")


def add_voters(connection: Connection, numbers: Sequence[int], registered_at: datetime | None = None) -> None:
    """People v0, v1, … who registered long ago, unless told otherwise."""
    people = [voter(number) for number in numbers]
    roll = Roll(connection)
    with connection.transaction():
        roll.store_voters("tests", 0, next(_number) * 1_000_000, people, [voter_message(one) for one in people])
        moment = registered_at or datetime.now(UTC) - 3 * LONG_AGO
        connection.execute("UPDATE voters SET registered_at = %s WHERE voter_id = ANY (%s)", (moment, [one.voter_id for one in people]))
