"""Tables that are sorted and cut into pages before they reach the browser, so that 5,000 places cost no more than 25."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from livetally.show.charts import label_of
from livetally.show.contrast import painted
from livetally.show.result import Group, Result, Standing
from livetally.show.words import number, party, percent, portrait, said

PAGE_SIZES = (10, 25, 50, 100)

Row = TypeVar("Row")
Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """`value` is what is sorted by, `cell` the HTML that is shown. What is `minor` stands below the first cell on a narrow screen."""

    title: str
    value: Callable[[Row], Value]
    cell: Callable[[Row], str]
    is_number: bool = True
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Sheet(Generic[Row]):
    """One page of a table. `number` counts from 1, and is the last page where a later one was asked for."""

    rows: tuple[Row, ...]
    first: int
    total: int
    number: int
    pages: int


def pages_of(rows: int, size: int) -> int:
    return max(1, -(-rows // size))


def found(rows: Sequence[Row], columns: Sequence[Column[Row]], wanted: str) -> Sequence[Row]:
    """Rows of which any word column has what somebody looks for, in whatever case."""
    folded = wanted.strip().casefold()
    if not folded:
        return rows
    words = [column.value for column in columns if not column.is_number]
    return [row for row in rows if any(folded in str(value(row)).casefold() for value in words)]


def arrange(rows: Sequence[Row], column: Column[Row] | None, *, descending: bool, page: int, size: int) -> Sheet[Row]:
    """Sort, then cut. Rows without a value come last in both directions; rows with equal ones keep their order. No column: as it is."""
    ordered = list(rows) if column is None else _sorted(rows, column, descending=descending)
    pages = pages_of(len(rows), size)
    page = min(max(page, 1), pages)
    first = (page - 1) * size
    return Sheet(tuple(ordered[first : first + size]), first, len(rows), page, pages)


def _sorted(rows: Sequence[Row], column: Column[Row], *, descending: bool) -> list[Row]:
    valued = [(value, row) for row in rows if (value := column.value(row)) is not None]
    valued.sort(key=lambda pair: pair[0].casefold() if isinstance(pair[0], str) else pair[0], reverse=descending)
    return [row for _, row in valued] + [row for row in rows if column.value(row) is None]


def table(columns: Sequence[Column[Row]], sheet: Sheet[Row], caption: str, sorted_by: Column[Row] | None, *, descending: bool) -> str:
    heads = "".join(
        f'<th scope="col" class="{_classes(column)}"{_sort_mark(descending=descending) if column is sorted_by else ""}>{said(column.title)}</th>'
        for column in columns
    )
    lines = "".join(f"<tr>{_cells(columns, row)}</tr>" for row in sheet.rows)
    return f'<table class="lt-table"><caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>'


def _cells(columns: Sequence[Column[Row]], row: Row) -> str:
    """What has no room beside the first cell on a narrow screen stands below it, with its title: the style sheet shows one or the other."""
    first, *others = columns
    below = "".join(
        f'<span class="lt-below-one"><span class="lt-below-title">{said(column.title)}</span> {column.cell(row)}</span> '
        for column in others
        if column.minor
    )
    below = f'<div class="lt-below">{below}</div>' if below else ""
    beside = "".join(f'<td class="{_classes(column)}">{column.cell(row)}</td>' for column in others)
    return f'<td class="{_classes(first)}">{first.cell(row)}{below}</td>{beside}'


def group_columns(result: Result, name: str, within: str = "") -> list[Column[Group]]:
    """Columns for places: `name` heads their names, `within` those of what they lie in, if anything."""
    columns: list[Column[Group]] = [Column(name, lambda row: row.name, lambda row: label_of(row.name), is_number=False)]
    if within:
        columns.append(Column(within, lambda row: row.within, lambda row: label_of(row.within), is_number=False, minor=True))
    columns.append(Column("Votes", lambda row: row.votes, lambda row: number(row.votes)))
    columns.append(
        Column("Share of all votes", lambda row: result.share(row.votes), lambda row: percent(result.share(row.votes)), minor=True)
    )
    columns.append(
        Column("Registered", lambda row: row.registered, lambda row: "–" if row.registered is None else number(row.registered), minor=True)
    )
    columns.append(Column("Turnout", lambda row: row.turnout, lambda row: "–" if row.turnout is None else percent(row.turnout)))
    return columns


def candidate_columns(result: Result, colours: dict[str, str]) -> list[Column[Standing]]:
    def named(row: Standing) -> str:
        return f'<div class="lt-person">{portrait(row.photo, row.name, "lt-portrait-small")}<b>{said(row.name)}</b></div>'

    def affiliated(row: Standing) -> str:
        return f'<span class="lt-swatch" style="{painted(colours[row.candidate_id])}"></span>{party(row.party)}'

    columns = [
        Column("Candidate", lambda row: row.name, named, is_number=False),
        Column("Party", lambda row: row.party, affiliated, is_number=False, minor=True),
        Column("Votes", lambda row: row.votes, lambda row: number(row.votes)),
        Column("Share", lambda row: result.share(row.votes), lambda row: percent(result.share(row.votes))),
    ]
    return [column for column in columns if column.title != "Party" or result.has_parties]


def _classes(column: Column[Row]) -> str:
    return f"{'lt-number' if column.is_number else 'lt-words'}{' lt-minor' if column.minor else ''}"


def _sort_mark(*, descending: bool) -> str:
    return f' aria-sort="{"descending" if descending else "ascending"}"'
