"""What the ledger holds, for those who only look: how far it is, its heads, its votes."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries


class StoredVote(NamedTuple):
    """A row of the ledger, with its voter's announcement."""

    offset: int
    voter_id: str
    candidate_id: str
    voting_time: datetime  # UTC, without saying so, as the reference's column has it
    voter_message: str


class Head(NamedTuple):
    """What the chain of a partition ends with."""

    partition: int
    next_offset: int
    digest: bytes


def positions(connection: Connection) -> dict[int, int]:
    """Per partition of the ballots, the offset behind the last one decided."""
    return dict(connection.execute(queries("past")["positions"]).fetchall())


def counts(connection: Connection) -> tuple[int, int, int]:
    """Ballots decided, accepted, rejected."""
    row = connection.execute(queries("past")["counts"]).fetchone()
    return row if row is not None else (0, 0, 0)


def heads(connection: Connection) -> list[Head]:
    return [Head(*row) for row in connection.execute(queries("past")["heads"])]


def order_of_links(connection: Connection) -> Iterator[tuple[int, int]]:
    """Partition and end of each link of the chains, in the order in which they were made; streamed, as they stand at the first."""
    with connection.transaction(), connection.cursor("links") as cursor:
        yield from cursor.execute(queries("past")["links"])


def votes_in_order(connection: Connection, partition: int) -> Iterator[StoredVote]:
    """One partition's votes, streamed in the order of their ballots."""
    with connection.transaction(), connection.cursor("votes_in_order") as cursor:
        cursor.itersize = 10_000
        cursor.execute(queries("past")["votes_in_order"], (partition,))
        for row in cursor:
            yield StoredVote(*row)
