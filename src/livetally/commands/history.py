"""`livetally history`: how the result came about."""

import argparse
from contextlib import closing
from typing import Any

from livetally.adapters.history import EVERYWHERE, History
from livetally.adapters.postgres import connect, explained
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.commands.backing import database_of
from livetally.commands.output import print_json, print_table, say
from livetally.commands.results import chosen_election
from livetally.core.errors import UsageError
from livetally.core.wire import utc_text
from livetally.settings import read_settings

LINES = 24  # on a terminal; in JSON as many points as a chart can use


def history(arguments: argparse.Namespace) -> int:
    with (
        database_of(read_settings()) as database_url,
        closing(connect(database_url, "history", Rights.LOOK)) as connection,
        explained(database_url),
    ):
        found = read_history(Roll(connection), History(connection), arguments)
    if arguments.json:
        print_json(found)
    else:
        _print(found)
    return 0


def read_history(roll: Roll, past: History, arguments: argparse.Namespace) -> dict[str, Any]:
    election = chosen_election(roll, arguments.election)
    state = arguments.state or EVERYWHERE
    points = {"points_max": arguments.n} if arguments.n else {} if arguments.json else {"points_max": LINES}
    series = past.series(election.election_id, state, **points)
    if state and not series.ends:
        raise UsageError(
            f"Nobody has voted in {state!r} yet, or there is no such place. `./livetally sql 'TABLE turnout_by_state'` lists them."
        )
    off_pace = past.off_pace(election.election_id)
    return {
        "election_id": election.election_id,
        "name": election.name,
        "simulated": election.simulated,
        "state": state or None,
        "late": off_pace.late,
        "untimed": off_pace.untimed,
        "ends": [utc_text(end) for end in series.ends],
        "candidates": [
            {"candidate_id": one.candidate_id, "candidate_name": one.candidate_name, "total_votes": series.votes.get(one.candidate_id, [])}
            for one in roll.candidates(election.election_id)
        ],
    }


def _print(found: dict[str, Any]) -> None:
    where = f" in {found['state']}" if found["state"] else ""
    say(f"{found['name']}{' (SIMULATION)' if found['simulated'] else ''}: votes{where} from ballots cast before")
    names = [one["candidate_name"] for one in found["candidates"]]
    totals = [one["total_votes"] or [0] * len(found["ends"]) for one in found["candidates"]]
    print_table(("UTC", *names), list(zip(found["ends"], *totals, strict=True)), numbers=frozenset(names))
    if not found["ends"]:
        say("Nothing has been counted yet.")
