"""`livetally results`: the board, in the terminal."""

import argparse
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from livetally.adapters.cells import Cells
from livetally.adapters.history import History
from livetally.adapters.postgres import connect, explained
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.commands.backing import database_of
from livetally.commands.output import print_json, print_table, say
from livetally.core.elections import Election
from livetally.core.errors import ElectionError, UsageError
from livetally.settings import read_settings


def results(arguments: argparse.Namespace) -> int:
    if arguments.watch:
        from livetally.commands.watch import watch  # it loads what reads topics: a result told once does not wait for that

        return watch(arguments)
    at = None if arguments.at is None else parse_time(arguments.at)
    with database_of(read_settings()) as database_url:
        board = read_board(database_url, arguments.election, at)
    if arguments.json:
        print_json(board)
    else:
        print_board(board)
    return 0


def read_board(database_url: str, election_id: str | None = None, at: datetime | None = None) -> dict[str, Any]:
    """The result of an election (the newest, if none is named) as one document."""
    # Not bounded for a moment: that is asked of the ledger, and to count a large one takes longer than a stage's transactions may.
    with (
        closing(connect(database_url, "results", Rights.LOOK, bounded=at is None)) as connection,
        explained(database_url),
        connection.transaction(),
    ):
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")  # one moment for all of it
        roll, cells = Roll(connection), Cells(connection)
        election = chosen_election(roll, election_id)
        standings = cells.results(election.election_id, at)
        recount = cells.recounting() if at is None else None
        off_pace = History(connection).off_pace(election.election_id)
        return {
            "election_id": election.election_id,
            "name": election.name,
            "simulated": election.simulated,
            "status": election.status_at(datetime.now(UTC)),
            "at": None if at is None else at.isoformat(),
            "recounting": recount and recount.reason,
            "recounted_percent": recount and recount.percent,
            "total_votes": sum(one.total_votes for one in standings),
            "unreadable_votes": cells.unreadable(),  # of the whole count, whatever moment is asked for
            "late_votes": off_pace.late,
            "untimed_votes": off_pace.untimed,
            "registered": roll.on_roll(election.election_id),
            "candidates": [
                {
                    "candidate_id": one.candidate_id,
                    "candidate_name": one.candidate_name,
                    "party_affiliation": one.party_affiliation,
                    "total_votes": one.total_votes,
                }
                for one in standings
            ],
        }


def print_board(board: dict[str, Any]) -> None:
    total, registered = board["total_votes"], board["registered"]
    say(f"{board['name']} ({board['status']}{', SIMULATION' if board['simulated'] else ''}){' at ' + board['at'] if board['at'] else ''}")
    if board["recounting"]:
        say(
            f"The votes are being counted anew ({board['recounting']}), {board['recounted_percent']}% of them so far; "
            "these are the numbers from before."
        )
    print_table(
        ("candidate", "party", "votes", "share"),
        [
            (one["candidate_name"], one["party_affiliation"], one["total_votes"], f"{one['total_votes'] / total:.1%}" if total else "–")
            for one in board["candidates"]
        ],
        numbers=frozenset({"votes", "share"}),
    )
    if board["unreadable_votes"]:
        say(
            f"{board['unreadable_votes']:,} votes on the topic could not be read or are for nobody who stands, and are in no total here. "
            "`./livetally audit` says where."
        )
    if board["late_votes"]:
        say(f"{board['late_votes']:,} of the votes came too late for the votes per minute; they are in every total.")
    if board["untimed_votes"]:
        say(f"{board['untimed_votes']:,} of the votes say no time; they are in every total, and missing in the past.")
    say(f"{total:,} votes of {registered:,} registered" + (f", a turnout of {total / registered:.1%}" if registered else ""))


def parse_time(text: str) -> datetime:
    """A moment in UTC, without a zone, as `voting_time` has it; a text without a zone means UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at {text!r} is not a time. Write `2026-05-07 21:30:00`, or with a zone `2026-05-07T22:30:00+01:00`.") from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def chosen_election(roll: Roll, election_id: str | None) -> Election:
    """The one that is named, or else the newest."""
    if election_id is not None:
        return roll.election(election_id)
    elections = roll.elections()
    if not elections:
        raise ElectionError("There is no election yet. `./livetally run` holds one, `./livetally register` creates one.")
    return elections[0]
