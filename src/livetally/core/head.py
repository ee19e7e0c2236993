"""The head of a vote's message: all that a vote is counted by, in front of all that it is not.

A vote is two kilobytes of JSON, of which two hundred bytes are counted by, and parsing is most of what counting costs. So *record* writes
those fields first, always in the same order, and who counts cuts the beginning at its quotes, looks whether the pieces are those of a head,
and has the fields. That is exact: a quote inside a text has a backslash before it, so no text can imitate a head, and a field with a
backslash in it is not taken from there. A message that does not begin with a head (somebody else's, an older one) is parsed as a whole.
"""

from collections.abc import Mapping
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


def counted_by(message: bytes) -> Mapping[str, Any]:
    """The fields of a vote that it is counted by, and perhaps more. What cannot be read has none."""
    pieces = message[:HEAD_BYTES].split(b'"', CUTS)
    if len(pieces) > CUTS and all(pieces[number] == said for number, said in _SAID_IN_BYTES):
        try:
            told = {name: pieces[PLACES[name]].decode() for name in (*COUNTED_BY, *COUNTED_BY_IN_ADDRESS)}
        except UnicodeDecodeError:
            return _whole(message)
        if not any("\\" in text for text in told.values()):
            return told | {"address": {name: told[name] for name in COUNTED_BY_IN_ADDRESS}}
    return _whole(message)


_SAID_IN_BYTES = [(number, said.encode()) for number, said in SAID.items()]


def _whole(message: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(message)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
