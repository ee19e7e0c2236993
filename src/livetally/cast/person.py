"""Somebody who has been registered, as the electorate needs to know them."""

from typing import NamedTuple

from livetally.core.elections import Election
from livetally.core.wire import decode


class Person(NamedTuple):
    partition: int  # where on `voters_topic` they were announced
    offset: int
    voter_id: str
    state: str
    date_of_birth: str
    roll: str = ""  # of somebody who came with the roll of one election, and is on no other register: that election


def person_of(partition: int, offset: int, value: bytes | None) -> Person | None:
    """The person announced by a message; None if it announces nobody."""
    try:
        voter = decode(value or b"null")
        name, born, roll = str(voter["voter_id"]), str(voter["date_of_birth"]), str(voter.get("roll") or "")
        return Person(partition, offset, name, str(voter["address"]["state"]), born, roll)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def is_simulated(person: Person, election: Election) -> bool:
    """Whether a simulation votes for them: never for those who came with a list, who are real; and for nobody who is not on the roll."""
    return not person.roll and (election.roll != "states" or person.state in election.roll_states)
