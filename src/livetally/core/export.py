"""Tables as CSV files, for those who want to count for themselves."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from livetally.core.elections import Election
from livetally.core.wire import utc_text

Cell = str | int | float | None

# A spreadsheet would take a name that begins like this for a formula, and calculate it.
_FORMULA = re.compile(r"\s*[=+\-@\t\r]")
_NO_FILE_NAME = re.compile(r"[^a-z0-9]+")
FILE_NAME_CHARS_MAX = 60


@dataclass(frozen=True, slots=True)
class Origin:
    """What every row of an export says of itself, so that no line of a simulation can be taken for one of an election."""

    election_id: str
    kind: str  # "simulation" or "election"
    as_of: str  # UTC, or empty

    @property
    def is_simulation(self) -> bool:
        return self.kind == "simulation"


def origin(election_id: str, election: Election | None, as_of: datetime | None) -> Origin:
    """`election` is None while PostgreSQL has not said which there are: then the kind is unknown, and says so."""
    kind = "unknown" if election is None else "simulation" if election.simulated else "election"
    return Origin(election_id, kind, utc_text(as_of) if as_of else "")


def csv_of(origin: Origin, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8, a head line, lines ended as RFC 4180 says. What nobody says is empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["election_id", "kind", "as_of_utc", *columns])
    said = (_inert(origin.election_id), origin.kind, origin.as_of)
    writer.writerows([*said, *(_inert(cell) for cell in row)] for row in rows)
    return text.getvalue().encode()


def file_name(origin: Origin, what: str) -> str:
    """`simulation-county-votes-2026-05-04-210006.csv`"""
    parts = [origin.kind if origin.kind != "election" else "", what, origin.as_of.partition(".")[0].replace(":", "")]
    name = _NO_FILE_NAME.sub("-", " ".join(part for part in parts if part).lower()).strip("-")
    return f"{name[:FILE_NAME_CHARS_MAX]}.csv"


def _inert(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell
