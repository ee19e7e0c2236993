"""One person as the randomuser.me API describes one in its format 1.4, read as the reference reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from livetally.core.ballots import FIELD_CHARS_MAX
from livetally.core.elections import Voter

REGISTERED_YEARS_MAX = 150  # what is more is no number of years

# Without these a person cannot be told from others, or counted in a group.
_NEVER_EMPTY = ("login.uuid", "login.username", "dob.date", "gender", "name.first", "name.last")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record cannot be used: `field` is its path, `what` continues the sentence."""

    field: str
    what: str


class _UnusableError(Exception):
    """Ends the reading of one record; never leaves this module."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(field, what)
        self.fault = Fault(field, what)


def voter_of(record: object) -> Voter | Fault:
    """The voter, with U+0000 taken out of every text. No field is cut: one that is longer than its column is a fault."""
    if not isinstance(record, Mapping):
        return Fault("the record", "is not an object")
    try:
        return Voter(
            voter_id=_text(record, "login.uuid"),
            voter_name=_joined(record, "name.first", "name.last"),
            date_of_birth=_date(record, "dob.date"),
            gender=_text(record, "gender"),
            nationality=_text(record, "nat"),
            registration_number=_text(record, "login.username"),
            address_street=_joined(record, "location.street.number", "location.street.name"),
            address_city=_text(record, "location.city"),
            address_state=_text(record, "location.state"),
            address_country=_text(record, "location.country"),
            address_postcode=_text(record, "location.postcode"),
            email=_text(record, "email"),
            phone_number=_text(record, "phone"),
            cell_number=_text(record, "cell"),
            picture=_text(record, "picture.large"),
            registered_age=_years(record, "registered.age"),
        )
    except _UnusableError as error:
        return error.fault


def _value(record: Mapping[str, object], path: str) -> object:
    value: object = record
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None:
        raise _UnusableError(path, "is missing")
    return value


def _text(record: Mapping[str, object], path: str) -> str:
    """Text, or a number as text: postcodes and house numbers come as either."""
    value = _value(record, path)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _UnusableError(path, f"is neither text nor a whole number but {value!r:.60}")
    text = str(value).replace("\x00", "").strip()
    if not text and path in _NEVER_EMPTY:
        raise _UnusableError(path, "is empty")
    return _fitting(text, path)


def _joined(record: Mapping[str, object], *paths: str) -> str:
    return _fitting(" ".join(_text(record, path) for path in paths), " and ".join(paths))


def _fitting(text: str, path: str) -> str:
    if len(text) > FIELD_CHARS_MAX:
        raise _UnusableError(path, f"has {len(text)} characters, more than the {FIELD_CHARS_MAX} that are stored")
    return text


def _date(record: Mapping[str, object], path: str) -> str:
    text = _text(record, path)
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise _UnusableError(path, f"is not a date but {text!r:.60}") from None
    return text


def _years(record: Mapping[str, object], path: str) -> int:
    value = _value(record, path)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= REGISTERED_YEARS_MAX:
        raise _UnusableError(path, f"is not a number of years but {value!r:.60}")
    return value
