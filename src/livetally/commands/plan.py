"""What a run is to do: go on with an interrupted simulation, or begin a new one; and how to explain that."""

from contextlib import closing
from dataclasses import dataclass

from livetally.adapters.postgres import connect, explained
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.core.elections import Election
from livetally.core.errors import ElectionError


@dataclass(frozen=True, slots=True)
class Plan:
    voters: int
    seed: int
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Before:
    """What the data directory holds already."""

    elections: list[Election]  # the newest first
    voters_planned: int | None
    registered: int


def look_before(database_url: str) -> Before:
    with closing(connect(database_url, "run", Rights.LOOK)) as connection, explained(database_url):
        roll = Roll(connection)
        elections = roll.elections()
        return Before(elections, roll.planned(elections[0].election_id) if elections else None, roll.registered())


def make_plan(before: Before, voters: int | None, seed: int | None, default_voters: int, default_seed: int) -> Plan:
    """`voters` and `seed` as asked for on the command line, None where nothing was asked. Raises ElectionError beside a real election."""
    if real := next((one for one in before.elections if not one.simulated and one.status in ("draft", "open")), None):
        raise ElectionError(
            f"{real.election_id!r} ({real.name}) is a real election and not over; `run` simulates, and would mislead everybody who looks. "
            "Use another data directory for simulations: LIVETALLY_DATA_DIR=… ./livetally run"
        )
    newest = before.elections[0] if before.elections else None
    if newest is None:
        return Plan(default_voters if voters is None else voters, default_seed if seed is None else seed, ())
    if newest.status == "open":
        return _go_on(newest, before, voters, seed, default_voters)
    chosen_voters, chosen_seed = default_voters if voters is None else voters, default_seed if seed is None else seed
    remarks = [f"{newest.name} is over; a new one begins beside it (--fresh would delete the old one)."]
    if before.registered > chosen_voters:
        remarks.append(
            f"{before.registered:,} people are registered already, and all of them may vote; --voters {chosen_voters} registers nobody new."
        )
    return Plan(chosen_voters, chosen_seed, tuple(remarks))


def _go_on(election: Election, before: Before, voters: int | None, seed: int | None, default_voters: int) -> Plan:
    remarks = [f"{election.name} was interrupted; it goes on where it was."]
    planned = before.voters_planned or default_voters
    if seed is not None and seed != election.seed:
        remarks.append(f"It was begun with --seed {election.seed} and keeps it; --seed {seed} needs a new election (--fresh).")
    if voters is not None and voters > planned:
        remarks.append(f"It was begun with --voters {planned}; {voters - planned:,} more people are registered now.")
    elif voters is not None and voters < planned:
        remarks.append(f"It was begun with --voters {planned} and keeps them; --voters {voters} needs a new election (--fresh).")
    return Plan(max(planned, voters or 0), election.seed, tuple(remarks))
