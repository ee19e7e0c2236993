"""The small world of `rules.py`, in a database."""

from datetime import timedelta

from electorate import add_election, add_voters
from livetally.adapters.ledger import Ledger
from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.core.elections import Election
from rolls import add_people_of_lists, for_list, for_states, put_on_list
from rules import CLUB_MS, DRAFT, FOREVER_MS, HOURS_MS, LISTED_MS, REGION_STATES, START, at


def populate(connection: Connection) -> None:
    for election_id, (opens_ms, closes_ms) in HOURS_MS.items():
        candidates = [one for other, one in LISTED_MS if other == election_id]
        add_election(connection, election_id, candidates, at(opens_ms), at(closes_ms) if closes_ms < FOREVER_MS else None)
    Roll(connection).add_election(Election(DRAFT, "No hours yet", "simulated", "draft", 1, None, None))
    connection.execute("UPDATE elections SET status = 'closed' WHERE election_id = 'hour'")  # must not matter
    connection.execute("UPDATE candidates SET listed_at = %s WHERE candidate_id = 'late'", (at(500),))
    add_voters(connection, range(3), START - timedelta(days=1))
    add_voters(connection, [3], at(300))
    add_people_of_lists(connection, [6, 7], START - timedelta(days=1))
    for_states(connection, "region", REGION_STATES)
    for_list(connection, "club")
    for voter_id, listed_ms in CLUB_MS.items():
        put_on_list(connection, "club", [voter_id], at(max(listed_ms, -1_000_000)))


def empty(connection: Connection) -> Ledger:
    """Without a trace of what was decided before."""
    Ledger(connection).replay([])
    return Ledger(connection)
