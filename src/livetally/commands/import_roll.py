"""`livetally election import-roll`: the people who may vote in an election, from a CSV file."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from livetally.adapters.kafka import Announcer
from livetally.adapters.postgres import Connection, connect, explained
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.adapters.roll_import import Row
from livetally.commands.actor import actor
from livetally.commands.backing import database_of, services_of
from livetally.commands.election import draft_of
from livetally.commands.output import print_json, say
from livetally.commands.plain import safe
from livetally.core.errors import UsageError
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
    if None not in {arguments.draft, arguments.election} and arguments.draft != arguments.election:
        raise UsageError(f"Two elections are named, {arguments.draft!r} and {arguments.election!r}; a list goes into one.")
    report = _check(arguments) if arguments.check else _import(arguments)
    return 0 if report.ok else 1


def _check(arguments: argparse.Namespace) -> Report:
    tell = _write_json if arguments.json else _write_rows
    with database_of(read_settings()) as url, _connected(url) as connection:
        report = check_roll(connection, _election(arguments, connection), Path(arguments.file), _today(), tell)
    if not arguments.json:
        _say_summary(report)
    return report


def _import(arguments: argparse.Namespace) -> Report:
    announced = 0
    with services_of(read_settings(), looks_only=True) as backing, _connected(backing.database_url) as connection:
        election_id = _election(arguments, connection)
        report = carry_out(connection, election_id, Path(arguments.file), _today(), actor())
        if report.ok:
            announcer = Announcer(backing.kafka_bootstrap_servers)
            with _connected(backing.database_url) as reading:
                announced = announce_roll(connection, reading, announcer, election_id, lambda count: say(f"{count:,} announced"))
    if arguments.json:
        print_json(report.as_json() | {"announced": announced})
        return report
    for fault in report.faults:
        sys.stdout.write(_line(fault["line"], f"WRONG, {fault['what']}"))
    _say_summary(report)
    if report.ok:
        say(
            f"{report.counts['new'] + report.counts['known']:,} people have been put on the roll of {election_id}, {announced:,} announced."
        )
    return report


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """Not bounded: a million rows take longer than a stage's transactions may."""
    with closing(connect(url, "import-roll", Rights.ORGANISE, bounded=False)) as connection, explained(url):
        yield connection


def _election(arguments: argparse.Namespace, connection: Connection) -> str:
    return draft_of(Roll(connection), arguments.draft or arguments.election)


def _today() -> date:
    return datetime.now(UTC).date()


def _write_rows(_report: Report, rows: Iterable[Row]) -> None:
    """One line for each row, as they come: there may be a million."""
    for row in rows:
        outcome = outcome_of(row)
        told = f"WRONG, {row.fault}" if outcome == "fault" else f"{row.voter_name} ({row.voter_id}): {WORDS[outcome]}"
        sys.stdout.write(_line(row.line, told))


def _line(line: object, told: str) -> str:
    return f"line {line}: {told if told.isprintable() else safe(told)}\n"


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
    say("columns: " + ", ".join(name if name == field else f"{safe(name)} as {field}" for name, field in report.columns.items()))
    if report.unknown_columns:
        say(f"not read, because no voter has such a field: {', '.join(map(safe, report.unknown_columns))}")
    say(
        f"{counts['rows']:,} rows: {counts['new']:,} new people, {counts['known']:,} registered already, {counts['listed']:,} on the list "
        f"already, {counts['faults']:,} wrong"
    )
    if counts["faults"] > len(report.faults):
        say(f"the first {len(report.faults)} are named; --check names all")
    if not report.ok:
        say("Nothing can be imported before every row is right: it is all or nothing.")
