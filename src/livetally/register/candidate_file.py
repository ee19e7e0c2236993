"""Candidates from a CSV file: what organisers write, checked as a whole. All faults are told together, with their lines; or there is none.

Options of a poll that are no people work as well: they have a name, and perhaps nothing else.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import NAMESPACE_OID, uuid5

from livetally.core.elections import LEAFLET_CHARS_MAX, LISTED_MAX, LISTED_MIN, Candidate
from livetally.register.draft import is_printable

FILE_BYTES_MAX = 4 * 1024 * 1024  # 200 candidates with everything take less than half a megabyte
TEXT_CHARS_MAX = 255  # what the reference's columns hold
PICTURE_CHARS_MAX = 4_096  # as it is written in the file: a data URI, or a path

COLUMNS = {
    "name": TEXT_CHARS_MAX,
    "id": TEXT_CHARS_MAX,
    "party": TEXT_CHARS_MAX,
    "biography": LEAFLET_CHARS_MAX,
    "platform": LEAFLET_CHARS_MAX,
    "picture": PICTURE_CHARS_MAX,
}
ALSO_CALLED = {  # as the reference has them
    "candidate_name": "name",
    "candidate_id": "id",
    "party_affiliation": "party",
    "campaign_platform": "platform",
    "photo_url": "picture",
}
SEPARATORS = (",", ";", "\t")  # spreadsheets of some countries write a semicolon where others write a comma


@dataclass(frozen=True, slots=True)
class Fault:
    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


Picture = Callable[[str], str]  # what stands in the file -> a data URI that is small enough; raises ValueError with what is wrong


def read_candidates(content: bytes, election_id: str, picture: Picture) -> tuple[list[Candidate], list[Fault]]:
    """The candidates in the order of the file; if there is any fault, they are not to be used."""
    if len(content) > FILE_BYTES_MAX:
        return [], [Fault(1, f"the file has {len(content):,} bytes; a list of candidates has at most {FILE_BYTES_MAX:,}")]
    text, line = decoded(content)
    if text is None:
        return [], [Fault(line, "this is text neither in UTF-8 nor in Windows-1252. Save the file as “CSV UTF-8”, and try again")]
    head = text.split("\n", 1)[0]
    separator = max(SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        before = 0
        for row in reader:
            rows.append((before + 1, row))
            before = reader.line_num
    except csv.Error as error:
        return [], [
            Fault(reader.line_num, f"this is no CSV ({error}); a text with a separator or a quotation mark stands in quotation marks")
        ]
    return _of_rows(rows, election_id, picture)


def decoded(content: bytes) -> tuple[str | None, int]:
    """The text, or None and the line that cannot be read. What is not UTF-8 is Windows-1252, which many spreadsheets write."""
    try:
        return content.decode("utf-8-sig"), 0
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
    if b"\0" in content:  # UTF-16, or no text at all
        return None, line
    try:
        return content.decode("cp1252"), 0
    except UnicodeDecodeError as error:
        return None, content[: error.start].count(b"\n") + 1


def is_utf_8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _of_rows(rows: list[tuple[int, list[str]]], election_id: str, picture: Picture) -> tuple[list[Candidate], list[Fault]]:
    filled = [(line, [cell.strip() for cell in row]) for line, row in rows if any(cell.strip() for cell in row)]
    if not filled:
        return [], [Fault(1, "the file is empty; its first line names the columns: " + ", ".join(COLUMNS))]
    (_, head), *people = filled
    columns = [ALSO_CALLED.get(name, name) for name in ("_".join(name.casefold().replace("-", " ").split()) for name in head)]
    if faults := _of_head(columns):
        return [], faults
    candidates, faults = [], []
    seen: dict[str, int] = {}
    for line, row in people:
        if len(row) != len(columns):
            faults.append(Fault(line, f"{len(row)} fields, where the first line names {len(columns)} columns"))
            continue
        fields = dict.fromkeys(COLUMNS, "") | dict(zip(columns, row, strict=True))
        wrong = _of_fields(fields)
        candidate_id = fields["id"] or str(uuid5(NAMESPACE_OID, f"livetally candidate {election_id} {fields['name']}"))
        if fields["name"] and (first := seen.setdefault(candidate_id, line)) != line:
            of = f"the id {fields['id']!r}" if fields["id"] else f"the name {fields['name']!r}"
            wrong.append(f"{of} stands in line {first} already; two of the same name need an id each")
        portrait = ""
        if fields["picture"] and len(fields["picture"]) <= PICTURE_CHARS_MAX:
            try:
                portrait = picture(fields["picture"])
            except ValueError as error:
                wrong.append(str(error))
        faults += [Fault(line, what) for what in wrong]
        candidates.append(
            Candidate(candidate_id, fields["name"], fields["party"], fields["biography"], fields["platform"], portrait, election_id)
        )
    if not LISTED_MIN <= len(people) <= LISTED_MAX:
        faults.append(Fault(people[-1][0] if people else 1, f"{len(people)} candidates; an election has {LISTED_MIN} to {LISTED_MAX}"))
    return candidates, faults


def _of_head(columns: list[str]) -> list[Fault]:
    known = ", ".join(COLUMNS)
    faults = [Fault(1, f"there is no column {name!r}; there is {known}") for name in columns if name not in COLUMNS]
    faults += [Fault(1, f"the column {name!r} stands there twice") for name in sorted(set(columns)) if columns.count(name) > 1]
    if "name" not in columns:
        faults.append(Fault(1, f"the column `name` is missing; the first line names the columns: {known}"))
    return faults


def _of_fields(fields: Mapping[str, str]) -> list[str]:
    wrong = [] if fields["name"] else ["the name is missing"]
    for name, chars_max in COLUMNS.items():
        text = fields[name]
        if len(text) > chars_max:
            wrong.append(f"the {name} has {len(text):,} characters, and may have {chars_max:,}")
        if not is_printable(text.replace("\n", " ").replace("\r", " ") if name in ("biography", "platform") else text):
            wrong.append(f"the {name} holds a character that does not print")
    return wrong
