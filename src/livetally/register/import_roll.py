"""The roll of an election from a CSV file: looked at, judged row by row, stored all or nothing, then announced.

The announcement comes after the storing and is marked as it goes. Whatever is interrupted: doing it again with the same file changes
nothing that is stored, and finishes the announcement.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from livetally.adapters.acts import Actor
from livetally.adapters.kafka import Announcer
from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.adapters.roll_import import SEED, Brought, Counts, RollImport, Row, source_of, unannounced
from livetally.core.elections import Voter
from livetally.core.wire import VOTERS, listed_voter_message
from livetally.register.import_roll_file import Broken, Layout, look_at, rows
from livetally.register.import_roll_row import reader

FAULTS_NAMED_MAX = 100  # the rest are counted; `--check` names every one
ANNOUNCED_AT_ONCE = 100_000  # between two marks; for each Kafka is waited for

Outcome = Literal["new", "known", "listed", "fault"]


@dataclass
class Report:
    """What a file says and comes to. `ok`: nothing is wrong with it."""

    ok: bool
    imported: bool
    election_id: str
    file: str
    encoding: str
    delimiter: str
    columns: Mapping[str, str]  # of the file -> of the voters
    unknown_columns: list[str]
    counts: Mapping[str, int] = field(default_factory=dict)
    faults: list[dict[str, object]] = field(default_factory=list)  # the first of them

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def outcome_of(row: Row) -> Outcome:
    """What becomes of somebody: a new person, a known one who is put on the list, one who is on it already; or a row that is wrong."""
    if row.fault is not None:
        return "fault"
    if row.is_listed:
        return "listed"
    return "known" if row.is_known else "new"


def check_roll(connection: Connection, election_id: str, path: Path, today: date, told: Callable[[Report, Iterable[Row]], None]) -> Report:
    """Say what an import would do. `told` is given the report and every row, which it has to read in one go; nothing is changed."""
    importing, layout = _begin(connection, election_id, path)
    with importing.bringing(election_id, _brought(path, layout, election_id, today)):
        counts = importing.counts()
        importing.check_may_grow(Roll(connection).election(election_id), counts)
        report = _report(importing, counts, layout, election_id, path)
        told(report, importing.judged())
    return report


def import_roll(connection: Connection, election_id: str, path: Path, today: date, actor: Actor) -> Report:
    """Put everybody in the file on the roll, or nobody if a row is wrong."""
    importing, layout = _begin(connection, election_id, path)
    with importing.bringing(election_id, _brought(path, layout, election_id, today)):
        counts = importing.store(election_id, lambda found: {"file": path.name, **found._asdict()}, actor)
        report = _report(importing, counts, layout, election_id, path)
        report.imported = report.ok
    return report


def announce_roll(
    connection: Connection, reading: Connection, announcer: Announcer, election_id: str, progress: Callable[[int], None]
) -> int:
    """Announce those who came with the roll and have not been announced; returns how many. `reading`: a connection for nothing else."""
    roll, source = Roll(connection), source_of(election_id)
    stored, announced = roll.registration(source, SEED)
    first = announced
    if announced < stored:
        for voter_id, message in unannounced(reading, election_id, announced):
            announcer.send(VOTERS, voter_id, message)
            announced += 1
            if announced % ANNOUNCED_AT_ONCE == 0:
                _mark(roll, announcer, source, announced)
                progress(announced)
        _mark(roll, announcer, source, announced)
    return announced - first


def _mark(roll: Roll, announcer: Announcer, source: str, announced: int) -> None:
    announcer.flush()
    roll.mark_announced(source, SEED, announced)


def _begin(connection: Connection, election_id: str, path: Path) -> tuple[RollImport, Layout]:
    importing = RollImport(connection)
    importing.check_takes_lists(election_id)
    return importing, look_at(path)


def _brought(path: Path, layout: Layout, election_id: str, today: date) -> Iterator[Brought]:
    read = reader(layout.columns, election_id, today)
    for line, row in rows(path, layout):
        person = row.what if isinstance(row, Broken) else read(row)
        yield line, person, listed_voter_message(person, election_id).decode() if isinstance(person, Voter) else ""


def _report(importing: RollImport, counts: Counts, layout: Layout, election_id: str, path: Path) -> Report:
    faults = importing.faults(FAULTS_NAMED_MAX) if counts.faults else []
    return Report(
        ok=not counts.faults,
        imported=False,
        election_id=election_id,
        file=str(path),
        encoding=layout.encoding,
        delimiter=layout.delimiter,
        columns={name: column for name, column in zip(layout.head, layout.columns, strict=True) if column is not None},
        unknown_columns=layout.unknown,
        counts=counts._asdict(),
        faults=[{"line": line, "what": what} for line, what in faults],
    )
