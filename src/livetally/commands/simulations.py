"""Which election a simulation is about; it never touches a real one, nor stands beside one unless somebody says so."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime

from livetally.adapters.kafka import Announcer
from livetally.adapters.postgres import Connection, connect, explained
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.commands.actor import actor
from livetally.commands.output import say
from livetally.core.elections import Election
from livetally.core.errors import ElectionError


def chosen_simulation(elections: Sequence[Election], election_id: str | None, now: datetime) -> Election:
    """Where the simulated electorate votes: in the one that is named, or in the newest that is open. `elections`: the newest first."""
    if election_id is not None:
        elections = [one for one in elections if one.election_id == election_id]
    are_open = [one for one in elections if one.status_at(now) == "open"]
    if real := next((one for one in (elections if election_id is not None else are_open) if not one.simulated), None):
        beside = "" if election_id is not None else " One that is simulated, beside it, has to be named: --election ID."
        raise ElectionError(f"{real.election_id!r} is a real election; nobody votes there but real people.{beside}")
    if are_open and are_open[0].roll == "list":
        raise ElectionError(
            f"The roll of {are_open[0].election_id!r} is a list, and people who are made up are on none. Name another: --election ID."
        )
    if not are_open:
        which = "No election is open" if election_id is None else f"{election_id!r} is not open"
        raise ElectionError(f"{which}, so nobody can vote. `./livetally register` creates one and registers people.")
    return are_open[0]


def simulated_draft(database_url: str, election_id: str, voters: int) -> Election:
    """A simulated election that somebody has made, for people to be registered; where it has no candidates, it gets some."""
    from livetally.register.candidates import make_candidates
    from livetally.register.organise import list_candidates
    from livetally.register.register import CANDIDATES_DEFAULT

    with _organising(database_url) as connection:
        roll = Roll(connection)
        election = _simulated(roll, election_id)
        if not roll.candidate_count(election_id):
            list_candidates(connection, actor(), election_id, make_candidates(election.seed, election_id, CANDIDATES_DEFAULT))
        for real in roll.elections():
            if not real.simulated and real.status in ("draft", "open") and real.roll != "list":
                say(
                    f"Mind that the roll of the real election {real.election_id!r} is the general register: people made up now are on it too."
                )
        roll.plan(election_id, voters)
    return election


def open_draft(database_url: str, announcer: Announcer, election_id: str) -> Election:
    """Open it, unless it is open."""
    from livetally.register.organise import open_election

    with _organising(database_url) as connection:
        election = Roll(connection).election(election_id)
        return open_election(connection, announcer, actor(), election_id) if election.status == "draft" else election


@contextmanager
def _organising(database_url: str) -> Iterator[Connection]:
    """*register* itself may not do what an organiser does."""
    with closing(connect(database_url, "election", Rights.ORGANISE)) as connection, explained(database_url):
        yield connection


def _simulated(roll: Roll, election_id: str) -> Election:
    election = roll.election(election_id)
    if not election.simulated:
        raise ElectionError(
            f"{election_id!r} is a real election, and this would register people who do not exist. "
            "Its voters come with its roll: `./livetally election import-roll FILE`."
        )
    if election.roll == "list":
        raise ElectionError(f"The roll of {election_id!r} is a list: people come with `./livetally election import-roll FILE`.")
    if election.status not in ("draft", "open"):
        raise ElectionError(f"{election_id!r} is {election.status}; nobody votes in it any more.")
    return election
