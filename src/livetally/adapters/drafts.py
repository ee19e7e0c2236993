"""Deleting a draft, with all that belongs to it: candidates, list, codes, officials, and the people who came with that list alone."""

from typing import NamedTuple

from livetally.adapters.postgres import LISTS_LOCK, Connection
from livetally.adapters.queries import queries
from livetally.adapters.roll import Roll
from livetally.adapters.roll_import import source_of
from livetally.core.elections import Election
from livetally.core.errors import ElectionError


class Deleted(NamedTuple):
    """What went with it."""

    candidates: int
    listed: int
    people: int  # of those listed, the ones who are registered nowhere else
    codes: int


def delete_draft(connection: Connection, election_id: str) -> tuple[Election, Deleted]:
    """To be called in a transaction, which may be long. Raises ElectionError unless it is a draft that nobody has cast a ballot for."""
    roll, sql = Roll(connection), queries("drafts")
    connection.execute(sql["wait_for_lists"], (LISTS_LOCK,))
    election = roll.lock_election(election_id)
    if election.status != "draft":
        raise ElectionError(f"{election_id!r} is {election.status}, and only a draft can be deleted. Nothing was changed.")
    _check_nobody_has_cast(connection, election_id)
    candidates = roll.candidate_count(election_id)
    connection.execute(sql["remember_entries"], (election_id,))
    connection.execute(sql["look_at_leaving"])
    codes = connection.execute(sql["delete_codes"], (election_id,)).rowcount
    listed = connection.execute(sql["delete_entries"], (election_id,)).rowcount
    people = connection.execute(sql["delete_people"]).rowcount
    connection.execute(sql["forget_registration"], (source_of(election_id),))
    with roll.changing():  # last, because *record* waits for it; what it has judged before that has been stored
        _check_nobody_has_cast(connection, election_id)
        connection.execute(sql["delete_election"], (election_id,))
        connection.execute(sql["forget_officials"], {"election_id": election_id})
    return election, Deleted(candidates, listed, people, codes)


def _check_nobody_has_cast(connection: Connection, election_id: str) -> None:
    """A ballot for a draft was rejected because it was not open. Were the draft gone, a rebuild would give another reason: no such election."""
    row = connection.execute(queries("drafts")["cast_for"], {"election_id": election_id}).fetchone()
    if row is not None and row[0]:
        raise ElectionError(
            f"{row[0]:,} ballots have been cast for {election_id!r}, and were rejected because it was not open: that stands, so the draft has to. "
            "Nothing was changed. Leave it as it is; a draft is seen by officials alone."
        )
