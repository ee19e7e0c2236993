"""A request to cast a ballot, read: bytes in, fields out. Pure, and quick, because it is done for every ballot."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import orjson

from livetally.core.ballots import FIELD_CHARS_MAX
from livetally.core.codes import read
from livetally.web.problems import Problem

BODY_BYTES_MAX = 4096  # two short fields
KEY_HEADER = "idempotency-key"
_KEY = re.compile(r"[!-~]{1,255}")  # what can be seen, in ASCII
_JSON = re.compile(rb"\s*application/(?:[\w.-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)


class Wish(NamedTuple):
    """Whom somebody wants to vote for, and with which right."""

    candidate_id: str
    secret: bytes  # the code
    idempotency_key: str | None


def wish(body: bytes, headers: Mapping[str, str]) -> Wish:
    """Raises Problem, with the field at fault. Never repeats what was sent: it may be a code."""
    if not _JSON.fullmatch(headers.get("content-type", "").encode("latin-1", "replace")):
        raise Problem(415, "media-type", "The body has to be JSON, sent with `Content-Type: application/json`.", field="content-type")
    key = headers.get(KEY_HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(400, "malformed", "This has to be 1 to 255 visible characters of ASCII.", field=KEY_HEADER)
    if len(body) > BODY_BYTES_MAX:
        raise Problem(413, "too-large", f"A ballot has at most {BODY_BYTES_MAX} bytes.", field="body")
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:  # also: not UTF-8, NaN, lone surrogates, too deeply nested
        raise Problem(400, "malformed", "The body is not JSON in UTF-8.", field="body") from None
    if not isinstance(fields, dict):
        raise Problem(400, "malformed", "The body is not a JSON object.", field="body")
    candidate_id, code = _text(fields, "candidate_id"), _text(fields, "code")
    secret = read(code)
    if secret is None:
        raise Problem(422, "malformed-code", "This is no voting code: look for a letter too many, too few, or mistyped.", field="code")
    return Wish(candidate_id, secret, key)


def _text(fields: Mapping[str, object], name: str) -> str:
    text = fields.get(name)
    if text is None:
        raise Problem(422, "malformed", f"{name} is missing.", field=name)
    if not isinstance(text, str):
        raise Problem(422, "malformed", f"{name} is not a string.", field=name)
    if not text or len(text) > FIELD_CHARS_MAX or "\x00" in text:
        raise Problem(422, "malformed", f"{name} is empty, longer than {FIELD_CHARS_MAX} characters, or contains U+0000.", field=name)
    return text
