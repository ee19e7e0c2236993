"""Somebody who has been registered, as the electorate needs to know them."""

from typing import NamedTuple

from livetally.core.wire import decode


class Person(NamedTuple):
    partition: int  # where on `voters_topic` they were announced
    offset: int
    voter_id: str
    state: str
    date_of_birth: str


def person_of(partition: int, offset: int, value: bytes | None) -> Person | None:
    """The person announced by a message; None if it announces nobody."""
    try:
        voter = decode(value or b"null")
        return Person(partition, offset, str(voter["voter_id"]), str(voter["address"]["state"]), str(voter["date_of_birth"]))
    except (ValueError, KeyError, TypeError):
        return None
