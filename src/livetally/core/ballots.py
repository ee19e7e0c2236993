"""What a ballot says, and why one is refused. Pure: any bytes in, one value out, no exception."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import orjson

BALLOT_BYTES_MAX = 4096  # a ballot is four short fields; what is larger is none, and is not worth parsing
FIELD_CHARS_MAX = 255  # as wide as the columns


class Reason(StrEnum):
    """Why a ballot does not count. The list is closed; the documents name every one."""

    MALFORMED = "malformed"
    UNKNOWN_ELECTION = "unknown_election"
    NOT_OPEN = "not_open"
    UNKNOWN_CANDIDATE = "unknown_candidate"
    UNKNOWN_VOTER = "unknown_voter"
    ALREADY_VOTED_SAME = "already_voted_same"
    ALREADY_VOTED_OTHER = "already_voted_other"


class Ballot(NamedTuple):
    """A ballot that can be read. Whether it counts is for `verdicts` to say."""

    election_id: str
    voter_id: str
    candidate_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """This ballot does not count. `detail` is for a person and never repeats the ballot's own text."""

    reason: Reason
    detail: str = ""


def parse(key: bytes | None, value: bytes | None) -> Ballot | Rejected:
    """Read a ballot as it lies on the topic. Its key is its voter, or nothing."""
    if value is None:
        return _malformed("there is no value")
    if len(value) > BALLOT_BYTES_MAX:
        return _malformed(f"{len(value)} bytes are more than {BALLOT_BYTES_MAX}")
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError:  # also: not UTF-8, NaN, lone surrogates, too deeply nested
        return _malformed("not JSON in UTF-8")
    if not isinstance(fields, dict):
        return _malformed("not a JSON object")
    for name in Ballot._fields:
        text = fields.get(name)
        if not isinstance(text, str) or not 0 < len(text) <= FIELD_CHARS_MAX or "\x00" in text:
            return _malformed(f"{name} {_fault_of(text)}")
    ballot = Ballot(fields["election_id"], fields["voter_id"], fields["candidate_id"])
    if key is not None and key != ballot.voter_id.encode():
        return _malformed("the key is not the voter_id")
    return ballot


def _fault_of(field: object) -> str:
    if field is None:
        return "is missing"
    if not isinstance(field, str):
        return "is not a string"
    if not field:
        return "is empty"
    if len(field) > FIELD_CHARS_MAX:
        return f"is longer than {FIELD_CHARS_MAX} characters"
    return "contains U+0000"


def _malformed(detail: str) -> Rejected:
    return Rejected(Reason.MALFORMED, detail)
