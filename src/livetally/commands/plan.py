"""What a run is to do: go on with interrupted simulations, or begin new ones; and how to explain that."""

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

from livetally.adapters.postgres import connect, explained
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.core.elections import Election
from livetally.core.errors import ElectionError

GOES_ON = {False: "it goes on where it was", True: "they go on where they were"}


@dataclass(frozen=True, slots=True)
class Plan:
    voters: int
    seed: int  # of the people; of the first election too
    elections: int
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Before:
    """What the data directory holds already."""

    elections: list[Election]  # the newest first
    voters_planned: int | None  # by those that were interrupted
    registered: int
    now: datetime

    @property
    def interrupted(self) -> list[Election]:
        """Simulated elections that are open, the oldest first."""
        return [one for one in reversed(self.elections) if one.simulated and one.status_at(self.now) == "open"]


def look_before(database_url: str) -> Before:
    with closing(connect(database_url, "run", Rights.LOOK)) as connection, explained(database_url):
        roll = Roll(connection)
        before = Before(roll.elections(), None, roll.registered(), roll.now())
        if not before.interrupted:
            return before
        return replace(before, voters_planned=roll.planned(before.interrupted[0].election_id))


def make_plan(before: Before, voters: int | None, seed: int | None, elections: int | None, default_voters: int, default_seed: int) -> Plan:
    """`voters`, `seed`, `elections` as asked for on the command line, None where nothing was asked.

    Raises ElectionError beside a real election.
    """
    if real := next((one for one in before.elections if not one.simulated and one.status in ("draft", "open")), None):
        raise ElectionError(
            f"{real.election_id!r} ({real.name}) is a real election and not over; `run` simulates, and would mislead everybody who looks. "
            "Use another data directory for simulations: LIVETALLY_DATA_DIR=… ./livetally run"
        )
    if before.interrupted:
        return _go_on(before, voters, seed, elections, default_voters)
    chosen = Plan(default_voters if voters is None else voters, default_seed if seed is None else seed, elections or 1, ())
    if not before.elections:
        return chosen
    begins = "a new one begins" if chosen.elections == 1 else f"{chosen.elections} new ones begin"
    remarks = [f"{before.elections[0].name} is over; {begins} beside it (--fresh would delete the old one)."]
    if before.registered > chosen.voters:
        remarks.append(
            f"{before.registered:,} people are registered already, and all of them may vote; --voters {chosen.voters} registers nobody new."
        )
    return replace(chosen, remarks=tuple(remarks))


def _go_on(before: Before, voters: int | None, seed: int | None, elections: int | None, default_voters: int) -> Plan:
    first, *others = before.interrupted
    remarks = [f"{', '.join(one.name for one in before.interrupted)} {'were' if others else 'was'} interrupted; {GOES_ON[bool(others)]}."]
    planned = before.voters_planned or default_voters
    if seed is not None and seed != first.seed:
        remarks.append(f"It was begun with --seed {first.seed} and keeps it; --seed {seed} needs a new election (--fresh).")
    if voters is not None and voters > planned:
        remarks.append(f"It was begun with --voters {planned}; {voters - planned:,} more people are registered now.")
    elif voters is not None and voters < planned:
        remarks.append(f"It was begun with --voters {planned} and keeps them; --voters {voters} needs a new election (--fresh).")
    if elections is not None and elections != len(before.interrupted):
        remarks.append(f"It was begun with --elections {len(before.interrupted)} and keeps them; --elections {elections} needs --fresh.")
    return Plan(max(planned, voters or 0), first.seed, len(before.interrupted), tuple(remarks))
