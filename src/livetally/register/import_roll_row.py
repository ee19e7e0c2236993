"""One row of a list of people: the voter that it tells of, or what is wrong with it. Pure."""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache

import orjson

from livetally.core.ballots import FIELD_CHARS_MAX
from livetally.core.elections import PORTRAIT_BYTES_MAX, Voter

YEARS_MAX = 150  # older than that, or registered for longer, is a typing error
NAMED_CHARS = 60  # of somebody's own text that are repeated to them
DATES_REMEMBERED = 1 << 16  # more days than there are in a life

# Ids of people whose list gives them none lie in a space of their own, so that they are nobody else's.
OWN_IDS = uuid.UUID("5b1d7a9e-2f0c-4d63-9f35-0c6e7f1a4b28")
_OWN_SPACE = hashlib.sha1(OWN_IDS.bytes, usedforsecurity=False)
_VARIANT_1 = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}  # what RFC 9562 makes of the digit that says so

YEARS, BORN = Voter._fields.index("registered_age"), Voter._fields.index("date_of_birth")


def reader(columns: Sequence[str | None], election_id: str, today: date) -> Callable[[list[str]], Voter | str]:
    """What makes a voter of a row with these columns, or says what is wrong with it. Fields that are not in the file are empty."""
    nothing = len(columns)  # the place of an empty field behind those of the row
    places = [columns.index(field) if field in columns else nothing for field in Voter._fields]

    def read(row: list[str]) -> Voter | str:
        stripped = [*map(str.strip, row), ""]
        fields = [stripped[place] for place in places]
        if faults := _faults(fields, today):
            return "; ".join(faults)
        fields[BORN] = _day(fields[BORN]) or ""
        years = int(fields[YEARS] or 0)
        voter_id = fields[0] or own_id(election_id, fields)
        return Voter._make((voter_id, *fields[1:YEARS], years))

    return read


def own_id(election_id: str, fields: Sequence[str]) -> str:
    """An id made of what the row says: the same row of the same election has the same one, whoever reads it and whenever.

    It is `uuid.uuid5(OWN_IDS, …)`, without that function's detours: a million are made at a time.
    """
    digest = _OWN_SPACE.copy()
    digest.update(orjson.dumps([election_id, *fields[1:]]))
    digits = digest.hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{_VARIANT_1[digits[16]]}{digits[17:20]}-{digits[20:32]}"


def _faults(fields: Sequence[str], today: date) -> list[str]:
    faults = []
    if not fields[1]:
        faults.append("voter_name is empty")
    if max(map(len, fields)) > FIELD_CHARS_MAX or "\0" in "".join(fields):
        faults += [fault for name, text in zip(Voter._fields, fields, strict=True) if (fault := _text_fault(name, text))]
    if fields[BORN] and (fault := _day_fault(fields[BORN], today)):
        faults.append(f"date_of_birth {fault}")
    if fields[YEARS] and not _is_years(fields[YEARS]):
        faults.append(f"registered_age is not a number of years up to {YEARS_MAX} but {_quoted(fields[YEARS])}")
    return faults


def _is_years(text: str) -> bool:
    """However many zeros stand before it; but no number is made of more digits than a field may hold."""
    return text.isascii() and text.isdecimal() and len(text) <= FIELD_CHARS_MAX and int(text) <= YEARS_MAX


def _text_fault(name: str, text: str) -> str | None:
    if "\0" in text:
        return f"{name} holds the character U+0000"
    if name == "picture":
        size = len(text.encode())
        return (
            f"picture has {size:,} bytes, more than {PORTRAIT_BYTES_MAX:,}: it travels with the vote" if size > PORTRAIT_BYTES_MAX else None
        )
    return f"{name} has {len(text):,} characters, more than {FIELD_CHARS_MAX}" if len(text) > FIELD_CHARS_MAX else None


@lru_cache(DATES_REMEMBERED)
def _day(text: str) -> str | None:
    """As YYYY-MM-DD, from that or from DD.MM.YYYY. Nothing else: whether 03/04 is in March or in April nobody can know."""
    if len(text) == len("DD.MM.YYYY") and text[2] == text[5] == ".":
        text = f"{text[6:]}-{text[3:5]}-{text[:2]}"
    if len(text) != len("YYYY-MM-DD") or not text.isascii() or text[4] != "-" or text[7] != "-":
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


@lru_cache(DATES_REMEMBERED)
def _day_fault(text: str, today: date) -> str | None:
    day = _day(text)
    if day is None:
        return f"is not a day, as YYYY-MM-DD or DD.MM.YYYY, but {_quoted(text)}"
    if not today.year - YEARS_MAX <= int(day[:4]) or day > today.isoformat():
        return f"is {day}: nobody who lives was born then"
    return None


def _quoted(text: str) -> str:
    return repr(text[:NAMED_CHARS])
