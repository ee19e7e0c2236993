"""The head of a vote's message: all that a vote is counted by, in front of all that it is not.

A vote is two kilobytes of JSON, of which two hundred bytes are counted by, and parsing is most of what counting costs. So *record* writes
those fields first, always in the same order, and who counts cuts the beginning at its quotes, looks whether the pieces are those of a head,
and has the fields. That is exact: a quote inside a text has a backslash before it, so no text can imitate a head, and a field with a
backslash in it is not taken from there. A message that does not begin with a head (somebody else's, an older one) is parsed as a whole.
"""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import orjson

HEAD_BYTES = 512  # a head that is longer is not looked for; 300 are usual

_ANY = "?"
_HEAD = '{"election_id":"?","candidate_id":"?","voting_time":"?","voter_id":"?","date_of_birth":"?","gender":"?","address":{"city":"?","state":"?"'
_PIECES = _HEAD.split('"')[:-1]

CUTS = len(_PIECES)  # behind the last of them lies the rest of the message
SAID = {number: piece for number, piece in enumerate(_PIECES) if piece != _ANY}  # what stands between the fields
PLACES = {_PIECES[number - 2]: number for number, piece in enumerate(_PIECES) if piece == _ANY}  # field -> its piece

COUNTED_BY = ("election_id", "candidate_id", "voting_time", "date_of_birth", "gender")
COUNTED_BY_IN_ADDRESS = ("city", "state")

_said = itemgetter(*SAID)
_SAID_IN_BYTES = tuple(said.encode() for said in SAID.values())
_fields = itemgetter(*(PLACES[name] for name in (*COUNTED_BY, *COUNTED_BY_IN_ADDRESS)))


def counted_by(message: bytes) -> Mapping[str, Any]:
    """The fields of a vote that it is counted by, and perhaps more. What cannot be read has none."""
    pieces = message[:HEAD_BYTES].split(b'"', CUTS)
    if len(pieces) > CUTS and _said(pieces) == _SAID_IN_BYTES:
        try:
            told = b'"'.join(_fields(pieces)).decode()
        except UnicodeDecodeError:
            return _whole(message)
        if "\\" not in told:
            *fields, city, state = told.split('"')
            return dict(zip(COUNTED_BY, fields, strict=True)) | {"address": {"city": city, "state": state}}
    return _whole(message)


def _whole(message: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(message)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
