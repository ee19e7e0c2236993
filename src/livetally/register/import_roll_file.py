"""A CSV file as organisers have them: what its bytes mean, what separates its fields, which column is what; then row by row."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from livetally.core.elections import Voter
from livetally.core.errors import SourceError

UTF_8, UTF_8_MARKED, WINDOWS_1252 = "UTF-8", "UTF-8 with a byte order mark", "Windows-1252"
CODECS = {UTF_8: "utf-8", UTF_8_MARKED: "utf-8-sig", WINDOWS_1252: "cp1252"}
DELIMITERS = (",", ";")
CHUNK_BYTES = 1 << 20
HEAD_CHARS_MAX = 64 * 1024  # a first line that is longer is no head
NAMED_MAX = 60  # characters of somebody's own text that are repeated to them

# What else a column may be called, besides the names of the voters' columns and those without `address_`.
ALSO_CALLED = {
    "id": "voter_id",
    "name": "voter_name",
    "full_name": "voter_name",
    "birth_date": "date_of_birth",
    "born": "date_of_birth",
    "dob": "date_of_birth",
    "zip": "address_postcode",
    "postal_code": "address_postcode",
    "e_mail": "email",
    "phone": "phone_number",
    "mobile": "cell_number",
}
FIELD_OF = {name.removeprefix("address_"): name for name in Voter._fields} | {name: name for name in Voter._fields} | ALSO_CALLED


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is to be read. `columns`: for each the voter's field that it holds, None for one that is not read."""

    encoding: str
    delimiter: str
    head: tuple[str, ...]
    columns: tuple[str | None, ...]

    @property
    def unknown(self) -> list[str]:
        return [name for name, field in zip(self.head, self.columns, strict=True) if field is None]


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that cannot be taken apart into its fields, and why."""

    what: str


def look_at(path: Path) -> Layout:
    """Find out how to read it. All of it is read once, for its encoding. Raises SourceError if it is no list of people."""
    try:
        encoding = _encoding(path)
        with path.open(encoding=CODECS[encoding], newline="") as lines:
            line = lines.readline(HEAD_CHARS_MAX)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.") from error
    heads = [next(csv.reader([line], delimiter=delimiter), []) for delimiter in DELIMITERS]
    _, delimiter = max(
        zip(heads, DELIMITERS, strict=True), key=lambda one: (sum(field is not None for field in _fields(one[0])), len(one[0]))
    )
    head = _head(path, line, delimiter)
    layout = Layout(encoding, delimiter, tuple(name.strip()[:NAMED_MAX] for name in head), _fields(head))
    _check(path, layout)
    return layout


def rows(path: Path, layout: Layout) -> Iterator[tuple[int, list[str] | Broken]]:
    """Every row behind the head that is not blank, with the number of the line on which it begins."""
    with path.open(encoding=CODECS[layout.encoding], newline="") as lines:
        reader = csv.reader(lines, delimiter=layout.delimiter, strict=True)
        width = len(layout.columns)
        next(reader, None)
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, Broken(_explained(str(error)))
                continue
            if (text := "".join(row)) and not text.isspace():
                fits = len(row) == width
                yield line, row if fits else Broken(f"{len(row)} field{'' if len(row) == 1 else 's'}, and the head has {width}")


def _head(path: Path, line: str, delimiter: str) -> list[str]:
    """As `rows` is going to pass over it. Raises SourceError where that would end behind the first line, or nowhere."""
    if len(line) == HEAD_CHARS_MAX:
        raise SourceError(f"The first line of {path} names no columns: it is longer than {HEAD_CHARS_MAX:,} characters.")
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise SourceError(
            f"The first line of {path}, which names the columns, cannot be read: {_explained(str(error))}. No name goes on in the line behind it."
        ) from error


def _encoding(path: Path) -> str:
    """UTF-8 if all of it is; else Windows-1252, which most spreadsheets write where they do not write UTF-8."""
    utf_8, windows = codecs.getincrementaldecoder("utf-8")(), codecs.getincrementaldecoder("cp1252")()
    is_utf_8 = is_windows = True
    with path.open("rb") as file:
        begin = file.read(4)
        if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise SourceError(f"{path} is in UTF-16. Save it as “CSV UTF-8” and try again.")
        file.seek(0)
        while (is_utf_8 or is_windows) and (chunk := file.read(CHUNK_BYTES)):
            is_utf_8 = is_utf_8 and _decodes(utf_8, chunk)
            is_windows = is_windows and _decodes(windows, chunk)
    if is_utf_8 and _decodes(utf_8, b"", final=True):
        return UTF_8_MARKED if begin.startswith(codecs.BOM_UTF8) else UTF_8
    if is_windows and not begin.startswith(codecs.BOM_UTF8):
        return WINDOWS_1252
    raise SourceError(f"{path} is text neither in UTF-8 nor in Windows-1252. Save it as “CSV UTF-8” and try again.")


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _fields(head: list[str]) -> tuple[str | None, ...]:
    return tuple(FIELD_OF.get("_".join(name.strip().casefold().replace("-", " ").replace("_", " ").split())) for name in head)


def _check(path: Path, layout: Layout) -> None:
    if "voter_name" not in layout.columns:
        seen = ", ".join(layout.head) or "nothing"
        raise SourceError(
            f"{path} has no column `voter_name` (or `name`); its first line says: {seen:.200}. "
            "The first line names the columns, with commas or semicolons between them. docs/rolls.md lists the names."
        )
    for field in filter(None, layout.columns):
        if layout.columns.count(field) > 1:
            names = " and ".join(repr(name) for name, other in zip(layout.head, layout.columns, strict=True) if other == field)
            raise SourceError(f"{path} says `{field}` more than once: {names} are columns of the same meaning. Take all but one out.")


def _explained(error: str) -> str:
    if "unexpected end of data" in error or "field larger than" in error:
        return "a quotation mark is opened and never closed"
    if "expected after" in error:
        return "a field goes on behind its closing quotation mark; within quotation marks one is written as two"
    return f"it cannot be read as CSV ({error})"
