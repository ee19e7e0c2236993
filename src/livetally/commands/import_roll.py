"""`livetally election import-roll`: the people who may vote in an election, from a CSV file."""

import argparse
import getpass
import json
import sys
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from livetally.adapters.acts import COMMAND_LINE, Actor
from livetally.adapters.kafka import Announcer
from livetally.adapters.postgres import connect, explained
from livetally.adapters.roll_import import Row
from livetally.commands.backing import database_of, services_of
from livetally.commands.output import print_json, say
from livetally.register.import_roll import Report, announce_roll, check_roll, outcome_of
from livetally.register.import_roll import import_roll as carry_out
from livetally.settings import read_settings

WORDS = {
    "new": "a new person",
    "known": "registered already, is put on the list",
    "listed": "on the list already",
}


def import_roll(arguments: argparse.Namespace) -> int:
    """Exit code 1 if a row is wrong: then nothing is imported."""
    path, today = Path(arguments.file), datetime.now(UTC).date()
    if arguments.check:
        tell = _write_json if arguments.json else _write_rows
        with database_of(read_settings()) as url, closing(connect(url, "import-roll", bounded=False)) as connection, explained(url):
            report = check_roll(connection, arguments.election, path, today, tell)
        if not arguments.json:
            _say_summary(report)
        return 0 if report.ok else 1
    with services_of(read_settings()) as backing, explained(backing.database_url):
        url = backing.database_url
        with (
            closing(connect(url, "import-roll", bounded=False)) as connection,
            closing(connect(url, "import-roll", bounded=False)) as other,
        ):
            report = carry_out(connection, arguments.election, path, today, Actor(_who(), COMMAND_LINE))
            if report.ok:
                announcer = Announcer(backing.kafka_bootstrap_servers)
                announced = announce_roll(connection, other, announcer, arguments.election, lambda count: say(f"{count:,} announced"))
    if arguments.json:
        print_json(report.as_json())
        return 0 if report.ok else 1
    for fault in report.faults:
        print(f"line {fault['line']}: {fault['what']}")
    _say_summary(report)
    if report.ok:
        say(f"Imported; {announced:,} people announced." if report.counts["new"] or announced else "Nobody had to be announced.")
    return 0 if report.ok else 1


def _write_rows(_report: Report, rows: Iterable[Row]) -> None:
    """One line for each row, as they come: there may be a million."""
    for row in rows:
        outcome = outcome_of(row)
        told = row.fault if outcome == "fault" else f"{row.voter_name} ({row.voter_id}): {WORDS[outcome]}"
        sys.stdout.write(f"line {row.line}: {'WRONG, ' if outcome == 'fault' else ''}{told}\n")


def _write_json(report: Report, rows: Iterable[Row]) -> None:
    """One document, written as its rows come."""
    head = json.dumps(report.as_json(), ensure_ascii=False, indent=2)
    sys.stdout.write(head.removesuffix("\n}") + ',\n  "rows": [')
    for number, row in enumerate(rows):
        told = {"line": row.line, "outcome": outcome_of(row), "voter_id": row.voter_id, "voter_name": row.voter_name, "what": row.fault}
        sys.stdout.write((",\n    " if number else "\n    ") + json.dumps(told, ensure_ascii=False))
    sys.stdout.write("\n  ]\n}\n")


def _say_summary(report: Report) -> None:
    counts = report.counts
    say(f"{report.file}: {report.encoding}, separated by {'commas' if report.delimiter == ',' else 'semicolons'}")
    say("columns: " + ", ".join(name if name == field else f"{name} as {field}" for name, field in report.columns.items()))
    if report.unknown_columns:
        say(f"not read, because no voter has such a field: {', '.join(report.unknown_columns)}")
    say(
        f"{counts['rows']:,} rows: {counts['new']:,} new people, {counts['known']:,} registered already, {counts['listed']:,} on the list "
        f"already, {counts['faults']:,} wrong"
    )
    if counts["faults"] > len(report.faults):
        say(f"the first {len(report.faults)} are named; --check names all")
    if not report.ok:
        say("Nothing can be imported before every row is right: it is all or nothing.")


def _who() -> str:
    """The system's user, for the trace."""
    try:
        return getpass.getuser()
    except OSError:  # a number without a name, as in some containers
        return "somebody"
