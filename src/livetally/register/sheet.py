"""The result of an election as a sheet to print and sign: one HTML file that needs nothing besides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files

from livetally.adapters import past
from livetally.adapters.cells import Cells, Standing
from livetally.adapters.electors import Electors
from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.core.elections import Election

REASONS = {
    "malformed": "it could not be read",
    "not_open": "cast before the opening, or at the closing time or later",
    "unknown_candidate": "for nobody who stood in this election",
    "unknown_voter": "by nobody who was on the roll then",
    "already_voted_same": "by somebody who had voted already, for the same candidate",
    "already_voted_other": "by somebody who had voted already, for another candidate",
}
SIGNATURES = 3


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is printed."""

    election: Election
    drawn_at: datetime
    standings: Sequence[Standing]
    voted: int  # rows of the ledger
    on_roll: int
    rejections: Mapping[str, int]
    heads: Sequence[past.Head]

    @property
    def counted(self) -> int:
        return sum(one.total_votes for one in self.standings)

    @property
    def is_final(self) -> bool:
        return self.election.status == "certified"


def read_sheet(connection: Connection, election_id: str) -> Sheet:
    """As it is at one moment."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        roll, electors = Roll(connection), Electors(connection)
        return Sheet(
            roll.election(election_id),
            roll.now(),
            Cells(connection).results(election_id),
            electors.votes_in(election_id),
            roll.on_roll(election_id),
            electors.rejections_in(election_id),
            past.heads(connection),
        )


def draw(sheet: Sheet) -> str:
    """The HTML. What people have written is shown as text, whatever it is."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": _number, "share": _share, "moment": _moment}
    template = environment.from_string(files("livetally.register").joinpath("sheet.html").read_text("utf-8"))
    return template.render(sheet=sheet, election=sheet.election, reasons=REASONS, signatures=SIGNATURES)


def _number(count: int) -> str:
    return f"{count:,}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _moment(moment: datetime | None) -> str:
    return "–" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
