"""`livetally voter show`: what is known of one person's voting. Whom they voted for is not known here, and cannot be told."""

import argparse
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from typing import Any

from livetally.adapters.electors import Elector, Electors, Standing
from livetally.adapters.postgres import connect, explained
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.commands.backing import database_of
from livetally.commands.output import print_json, print_table, say
from livetally.core.wire import utc_text
from livetally.settings import read_settings


def show(arguments: argparse.Namespace) -> int:
    with database_of(read_settings()) as url, closing(connect(url, "voter", Rights.ORGANISE)) as connection, explained(url):
        if arguments.election is not None:
            Roll(connection).election(arguments.election)  # says so if there is none
        elector = Electors(connection).elector(arguments.id, arguments.election)
    if arguments.json:
        print_json(document(elector))
    else:
        _print(elector)
    return 0


def document(elector: Elector) -> dict[str, Any]:
    found: dict[str, Any] = _with_times(asdict(elector))
    return found


def _print(elector: Elector) -> None:
    say(f"{elector.voter_name}, registered {utc_text(elector.registered_at)} UTC")
    columns = ("election", "on the roll", "code", "voted", "receipt", "not counted")
    print_table(columns, [_line(one) for one in elector.elections])
    if not elector.elections:
        say("On the roll of no election.")
    if elector.elsewhere:
        say(f"{len(elector.elsewhere)} ballots in this name were for no election that exists.")


def _line(one: Standing) -> tuple[str, ...]:
    code = "not issued" if one.code_issued_at is None else f"issued {_time(one.code_issued_at)}"
    receipt = "not issued" if one.receipt_issued_at is None else f"issued {_time(one.receipt_issued_at)}"
    return (
        one.election_id,
        f"since {_time(one.on_roll_since)}" if one.on_roll_since else "no",
        code + (f", {one.codes_voided} before it voided" if one.codes_voided else ""),
        _time(one.voted_at) if one.voted_at else "no",
        receipt + (", not acknowledged" if one.receipt_issued_at and not one.is_acknowledged else ""),
        "; ".join(f"{_time(ballot.at)} {ballot.reason}" for ballot in one.not_counted),
    )


def _time(moment: datetime) -> str:
    return utc_text(moment)


def _with_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_times(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_with_times(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else value
