"""Registering, with *register*'s own code, as `livetally register` does."""

import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.saying import progress
from harness.stand import Stand
from livetally.adapters.kafka import Announcer
from livetally.adapters.postgres import connect, explained
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.core.elections import Election
from livetally.register.people import people
from livetally.register.register import open_simulated_elections, register_voters


@dataclass(frozen=True, slots=True)
class Contest:
    """An open election and who stands in it."""

    election: Election
    candidate_ids: tuple[str, ...]
    seed: int


def register(stand: Stand, seed: int, voters: int, opens_at: datetime | None = None) -> Contest:
    """Make sure that there are so many voters, and an open election (one that is made now opens now, or at the time named)."""
    announcer = Announcer(stand.kafka)
    if opens_at is not None:  # in the past, which is the owner's to say: nobody else may change what ballots were judged by
        with closing(connect(stand.roll_url, "register", as_owner=True)) as connection, explained(stand.roll_url):
            open_simulated_elections(Roll(connection), announcer, seed, voters, opens_at)
    with closing(connect(stand.roll_url, "register", Rights.REGISTER)) as connection, explained(stand.roll_url):
        roll = Roll(connection)
        (election,) = open_simulated_elections(roll, announcer, seed, voters, datetime.now(UTC))
        register_voters(roll, announcer, people, "synthetic", seed, voters, progress("registered", voters), threading.Event())
        candidate_ids = tuple(candidate.candidate_id for candidate in roll.candidates(election.election_id))
    return Contest(election, candidate_ids, seed)
