"""Every kind of ballot that should not be there, as bytes, with the verdict that it must get.

Whoever asks says which election, candidate and voters are real; everything else is built here with the standard library alone, so that
no fault of our own code can hide itself. Each ballot has a voter of its own: one that counts by mistake is seen, and none is refused as
a second vote. The expected verdict is a reason, or COUNTS for what looks odd and is a ballot all the same.

What is said of duplicate names in an object is what holds today: the last one wins, as in most JSON parsers.
"""

import codecs
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

COUNTS = "counts"
MALFORMED = "malformed"
UNKNOWN = {"election_id": "unknown_election", "voter_id": "unknown_voter", "candidate_id": "unknown_candidate"}
VALUE_BYTES_MAX = 4096  # said here once more, and not imported: a limit that moves is a change that somebody must see
FIELD_CHARS_MAX = 255
NESTING_MAX = 1024  # of the parser in use


class BadBallot(NamedTuple):
    name: str
    key: bytes | None
    value: bytes | None
    verdict: str


@dataclass(frozen=True)
class Good:
    """A ballot that would count, to be spoiled."""

    election_id: str
    voter_id: str
    candidate_id: str

    @property
    def key(self) -> bytes:
        return self.voter_id.encode()

    @property
    def fields(self) -> dict[str, Any]:
        return {
            "election_id": self.election_id,
            "voter_id": self.voter_id,
            "candidate_id": self.candidate_id,
            "cast_at": "2026-05-07 08:00:00.000",
        }

    @property
    def text(self) -> str:
        return json.dumps(self.fields)

    @property
    def value(self) -> bytes:
        return self.text.encode()

    def having(self, **changes: object) -> bytes:
        return json.dumps(self.fields | changes, ensure_ascii=False).encode()

    def without(self, name: str) -> bytes:
        return json.dumps({one: value for one, value in self.fields.items() if one != name}).encode()

    def spliced(self, json_text: bytes) -> bytes:
        """With more text at the end of the object, taken as it is: `"name": value`."""
        return self.value[:-1] + b", " + json_text + b"}"

    def in_field(self, name: str, json_text: bytes) -> bytes:
        """With a field's value written in so many bytes."""
        return self.without(name)[:-1] + b', "' + name.encode() + b'": ' + json_text + b"}"

    def padded_to(self, size: int) -> bytes:
        room = size - len(self.having(note=""))
        return self.having(note="x" * room)


Making = Callable[[Good], bytes | None]

NOT_TEXT: dict[str, Making] = {
    "tombstone": lambda _: None,
    "empty": lambda _: b"",
    "one NUL": lambda _: b"\x00",
    "only spaces": lambda _: b"    ",
    "only a newline": lambda _: b"\n",
    "every byte there is": lambda _: bytes(range(256)),
    "a picture": lambda _: b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "gzip of a good ballot": lambda good: gzip.compress(good.value, mtime=0),
    "byte order mark": lambda good: codecs.BOM_UTF8 + good.value,
    "UTF-16 with a mark": lambda good: good.text.encode("utf-16"),
    "UTF-16 little-endian": lambda good: good.text.encode("utf-16-le"),
    "UTF-16 big-endian": lambda good: good.text.encode("utf-16-be"),
    "UTF-32": lambda good: good.text.encode("utf-32"),
    "EBCDIC": lambda good: good.text.encode("cp500"),
    "NUL behind it": lambda good: good.value + b"\x00",
    "NUL before it": lambda good: b"\x00" + good.value,
}

NOT_UTF8 = {  # as it stands between quotes
    "a stray byte": b"\xff",
    "Latin-1": "Müller".encode("latin-1"),
    "a sequence cut short": b"\xe2\x82",
    "an overlong NUL": b"\xc0\x80",
    "an overlong slash": b"\xe0\x80\xaf",
    "a surrogate in UTF-8": b"\xed\xa0\x80",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80",
}

NOT_JSON: dict[str, Making] = {
    "words": lambda _: b"I vote for the second one",
    "as Python writes it": lambda good: repr(good.fields).encode(),
    "cut short": lambda good: good.value[:-1],
    "cut in a field": lambda good: good.value[:20],
    "cut in an escape": lambda good: good.in_field("voter_id", b'"\\u00')[:-1],
    "trailing comma": lambda good: good.value[:-1] + b",}",
    "no comma": lambda good: good.value.replace(b", ", b" ", 1),
    "unquoted names": lambda good: good.value.replace(b'"voter_id"', b"voter_id"),
    "a comment": lambda good: b"/* mine */ " + good.value,
    "trailing garbage": lambda good: good.value + b"x",
    "two ballots": lambda good: good.value + good.value,
    "two lines": lambda good: good.value + b"\n" + good.value,
    "a raw newline in a field": lambda good: good.in_field("voter_id", b'"v\n1"'),
    "a raw tab in a field": lambda good: good.in_field("candidate_id", b'"c\t1"'),
    "a raw NUL in a field": lambda good: good.in_field("election_id", b'"e\x001"'),
    "a raw NUL in a field that nobody reads": lambda good: good.in_field("cast_at", b'"\x00"'),
    "a raw NUL in a name": lambda good: good.spliced(b'"x\x00": 1'),
    "NaN": lambda good: good.in_field("cast_at", b"NaN"),
    "NaN as voter": lambda good: good.in_field("voter_id", b"NaN"),
    "Infinity": lambda good: good.in_field("cast_at", b"Infinity"),
    "minus Infinity": lambda good: good.in_field("cast_at", b"-Infinity"),
    "a number beyond any double": lambda good: good.in_field("cast_at", b"1e400"),
    "a number of 400 digits": lambda good: good.spliced(b'"n": ' + b"9" * 400),
    "a number with a leading zero": lambda good: good.spliced(b'"n": 01'),
    "a number with a plus": lambda good: good.spliced(b'"n": +1'),
    "a hexadecimal number": lambda good: good.spliced(b'"n": 0x1'),
    "undefined": lambda good: good.spliced(b'"n": undefined'),
    "an escape that JSON has not": lambda good: good.in_field("voter_id", b'"\\x41"'),
    "vertical tab before it": lambda good: b"\x0b" + good.value,
    "no-break space before it": lambda good: b"\xc2\xa0" + good.value,
    "a form": lambda good: f"election_id={good.election_id}&voter_id={good.voter_id}&candidate_id={good.candidate_id}".encode(),
    "CSV": lambda good: f"{good.election_id},{good.voter_id},{good.candidate_id}\r\n".encode(),
    "XML": lambda good: f"<ballot voter='{good.voter_id}'>{good.candidate_id}</ballot>".encode(),
    "SQL": lambda good: f"INSERT INTO votes VALUES ('{good.voter_id}', '{good.candidate_id}');".encode(),
    "the end of a COPY": lambda _: b"\\.\n",
    "arrays without end": lambda _: b"[" * 4000,
    "objects without end": lambda _: b'{"a":' * 800,
}

NO_OBJECT: dict[str, Making] = {
    "null": lambda _: b"null",
    "true": lambda _: b"true",
    "a number": lambda _: b"7",
    "a huge number": lambda _: b"9" * 300,
    "a text": lambda _: b'"c1"',
    "a good ballot as text": lambda good: json.dumps(good.text).encode(),
    "an empty array": lambda _: b"[]",
    "an array of its fields": lambda good: json.dumps([good.election_id, good.voter_id, good.candidate_id]).encode(),
    "an array with a good ballot": lambda good: b"[" + good.value + b"]",
    "nested arrays": lambda _: b"[" * 1000 + b"]" * 1000,
    "arrays nested too deeply": lambda _: b"[" * 2000 + b"]" * 2000,
}

NO_BALLOT: dict[str, Making] = {
    "an empty object": lambda _: b"{}",
    "a good ballot one level down": lambda good: b'{"ballot": ' + good.value + b"}",
    "names in capitals": lambda good: good.value.replace(b'"voter_id"', b'"VOTER_ID"'),
    "a name with a space": lambda good: good.value.replace(b'"voter_id"', b'"voter_id "'),
    "a name with a zero-width space": lambda good: good.value.replace(b'"voter_id"', '"voter\u200b_id"'.encode()),
    "a name with a Cyrillic letter": lambda good: good.value.replace(b'"voter_id"', '"v\u043eter_id"'.encode()),
    "one byte too many": lambda good: good.padded_to(VALUE_BYTES_MAX + 1),
    "5,000 bytes of spaces behind it": lambda good: good.value + b" " * 5000,
    "100,000 bytes": lambda good: good.padded_to(100_000),
    "nested too deeply in a field that nobody reads": lambda good: good.spliced(b'"x": ' + b"[" * NESTING_MAX + b"]" * NESTING_MAX),
    "twice, the last one empty": lambda good: good.spliced(b'"voter_id": ""'),
    "twice, the last one null": lambda good: good.spliced(b'"candidate_id": null'),
    "a lone surrogate in a field that nobody reads": lambda good: good.spliced(b'"x": "\\udc00"'),
    "a lone surrogate in a name": lambda good: good.spliced(b'"\\ud800": 1'),
    "not UTF-8 in a name": lambda good: good.spliced(b'"\xff": 1'),
}

WRONG_FIELDS: dict[str, bytes | None] = {  # what stands where a text should; None: nothing does
    "missing": None,
    "null": b"null",
    "true": b"true",
    "0": b"0",
    "a number": b"17",
    "a fraction": b"1.5",
    "a large number": b"1e308",
    "an array": b'["v1"]',
    "an object": b'{"$ne": ""}',
    "empty": b'""',
    "256 characters": b'"' + b"x" * (FIELD_CHARS_MAX + 1) + b'"',
    "256 characters of four bytes": '"{}"'.format("\U0001f600" * (FIELD_CHARS_MAX + 1)).encode(),
    "256 escaped characters": b'"' + b"\\u00e9" * (FIELD_CHARS_MAX + 1) + b'"',
    "3,000 characters": b'"' + b"x" * 3000 + b'"',
    "U+0000": b'"\\u0000"',
    "U+0000 before it": b'"\\u0000v1"',
    "U+0000 in it": b'"v\\u00001"',
    "U+0000 behind it": b'"v1\\u0000"',
    "a high surrogate": b'"\\ud800"',
    "a low surrogate": b'"\\udfff"',
    "surrogates the wrong way round": b'"\\ude00\\ud83d"',
    "a high surrogate and a letter": b'"\\ud83dv"',
}

ODD_TEXTS: dict[str, Callable[[str], str]] = {  # what a field can say, and the real one does not
    "a space behind it": lambda text: text + " ",
    "a space before it": lambda text: " " + text,
    "only a space": lambda _: " ",
    "in another case": lambda text: text.swapcase() if text.swapcase() != text else text + "X",
    "tab": lambda text: text + "\t",
    "a tab and a field more": lambda text: f"{text}\t{text}",
    "newline": lambda text: text + "\n",
    "a line more": lambda text: f"{text}\n{text}",
    "carriage return": lambda text: text + "\r\n",
    "backslash": lambda text: text + "\\",
    "a backslash and n": lambda text: text + "\\n",
    "NULL in a COPY": lambda _: "\\N",
    "the end of a COPY": lambda _: "\\.",
    "the end of a COPY on a line of its own": lambda text: f"{text}\n\\.\n",
    "an octal escape of COPY": lambda _: "\\101",
    "control character U+0001": lambda text: "\x01" + text,
    "backspace": lambda text: text + "x\b",
    "escape sequence of a terminal": lambda text: f"\x1b[2J\x1b[31m{text}",
    "U+007F": lambda text: text + "\x7f",
    "U+0085": lambda text: text + "\x85",
    "no-break space": lambda text: text + "\xa0",
    "zero-width space": lambda text: text + "\u200b",
    "zero-width joiner": lambda text: text[:1] + "\u200d" + text[1:],
    "byte order mark in it": lambda text: "\ufeff" + text,
    "right-to-left override": lambda text: "\u202e" + text[::-1] + "\u202c",
    "line separator": lambda text: text + "\u2028",
    "a combining accent": lambda text: text + "\u0301",
    "a homoglyph": lambda text: text.replace(text[0], "\u0435", 1),
    "full width": lambda text: "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text),
    "U+FFFD": lambda text: text + "\ufffd",
    "U+FFFF": lambda text: text + "\uffff",
    "U+10FFFF": lambda text: text + "\U0010ffff",
    "beyond the basic plane": lambda text: text + "\U0001f5f3",
    "255 characters of four bytes": lambda _: "\U0001f600" * FIELD_CHARS_MAX,
    "255 characters": lambda _: "x" * FIELD_CHARS_MAX,
    "SQL": lambda text: f"{text}'; DROP TABLE votes; --",
    "SQL that is always true": lambda _: "' OR '1'='1",
    "HTML": lambda text: f"<script>alert('{text}')</script>",
    "a formula": lambda text: f"=cmd|' /C calc'!A0,{text}",
    "CSV": lambda text: f'{text}","{text}',
    "a format": lambda _: "%s%s%n",
    "braces": lambda _: "{0.__class__}",
    "a shell's substitution": lambda _: "$(reboot)`reboot`",
    "a path": lambda _: "../../etc/passwd",
    "the word null": lambda _: "null",
    "the word None": lambda _: "None",
    "an escape of NUL as text": lambda text: text + "\\u0000",
    "a percent escape of NUL": lambda text: text + "%00",
    "JSON": lambda text: json.dumps({"voter_id": text}),
}

KEYS: dict[str, Callable[[Good], bytes]] = {  # that contradict the value
    "of somebody else": lambda _: b"somebody else",
    "empty": lambda _: b"",
    "with NUL behind it": lambda good: good.key + b"\x00",
    "with a newline": lambda good: good.key + b"\n",
    "in another case": lambda good: good.key.swapcase(),
    "not UTF-8": lambda _: b"\xff\xfe",
    "in UTF-16": lambda good: good.voter_id.encode("utf-16-le"),
    "in quotes": lambda good: b'"' + good.key + b'"',
    "cut short": lambda good: good.key[:-1],
    "that is the ballot": lambda good: good.value,
    "of 100 kB": lambda _: b"k" * 100_000,
}

ODD_BUT_GOOD: dict[str, Making] = {
    "spaces around it": lambda good: b" \t\r\n" + good.value + b"\n\n",
    "fields in another order": lambda good: json.dumps(dict(reversed(good.fields.items()))).encode(),
    "every letter escaped": lambda good: good.in_field("voter_id", b'"%b"' % b"".join(b"\\u%04x" % ord(one) for one in good.voter_id)),
    "an escaped name": lambda good: good.value.replace(b'"voter_id"', b'"\\u0076oter\\u005fid"'),
    "without cast_at": lambda good: good.without("cast_at"),
    "cast_at is null": lambda good: good.having(cast_at=None),
    "cast_at is a list": lambda good: good.having(cast_at=[1, {}]),
    "cast_at from the year 2999": lambda good: good.having(cast_at="2999-12-31 23:59:59.999"),
    "U+0000 in cast_at": lambda good: good.in_field("cast_at", b'"\\u0000"'),
    "U+0000 in a name": lambda good: good.spliced(b'"\\u0000": "\\u0000"'),
    "control characters in cast_at": lambda good: good.having(cast_at="\t\n\\N\x1b[2J\u202e"),
    "another field": lambda good: good.having(note="<script>alert(1)</script>'; DROP TABLE votes; --"),
    "a field without a name": lambda good: good.spliced(b'"": 1'),
    "a field named as a prototype": lambda good: good.spliced(b'"__proto__": {"voter_id": "nobody"}'),
    "a number beyond 64 bits": lambda good: good.spliced(b'"n": 340282366920938463463374607431768211456'),
    "a number too small for a double": lambda good: good.spliced(b'"n": 1e-400'),
    "nested, but not too deeply": lambda good: good.spliced(b'"x": ' + b"[" * 900 + b"]" * 900),
    "as many bytes as there may be": lambda good: good.padded_to(VALUE_BYTES_MAX),
    "a candidate twice, the last one real": lambda good: b'{"candidate_id": "nobody", ' + good.value[1:],
    "a voter twice, the last one real": lambda good: b'{"voter_id": 17, ' + good.value[1:],
    "a voter twice, the same": lambda good: b'{"voter_id": "%b", ' % good.key + good.value[1:],
}


def bad_ballots(election_id: str, candidate_id: str, voter_of: Callable[[int], str]) -> list[BadBallot]:
    """The whole corpus. `voter_of(n)` is the voter of ballot number n: registered, nobody else's, in plain letters and digits."""
    found: list[BadBallot] = []
    for name, verdict, make in _all():
        good = Good(election_id, voter_of(len(found)), candidate_id)
        found.append(BadBallot(name, *make(good), verdict))
    return found


Made = Callable[[Good], tuple[bytes | None, bytes | None]]  # key and value


def _all() -> Iterator[tuple[str, str, Made]]:
    """Name, verdict, and how it is made."""
    for kind, makings in {"no text": NOT_TEXT, "no JSON": NOT_JSON, "no object": NO_OBJECT, "no ballot": NO_BALLOT}.items():
        for what, make in makings.items():
            yield f"{kind}: {what}", MALFORMED, _with_value(make)
    for what, spoilt in NOT_UTF8.items():
        for name in (*UNKNOWN, "cast_at"):
            yield f"not UTF-8 in {name}: {what}", MALFORMED, _with_field(name, b'"' + spoilt + b'"')
    for name, unknown in UNKNOWN.items():
        for what, written in WRONG_FIELDS.items():
            yield f"{name}: {what}", MALFORMED, _with_field(name, written)
        for what, change in ODD_TEXTS.items():
            yield f"{name} is nobody's: {what}", unknown, _with_text(name, change)
    for what, key_of in KEYS.items():
        yield f"a key {what}", MALFORMED, _with_key(key_of)
    yield "no key, and no ballot", MALFORMED, lambda _: (None, b"\xff")
    yield "no key, and no value", MALFORMED, lambda _: (None, None)
    yield "no key", COUNTS, lambda good: (None, good.value)
    for what, make in ODD_BUT_GOOD.items():
        yield f"odd: {what}", COUNTS, _with_value(make)


def _with_value(make: Making) -> Made:
    return lambda good: (good.key, make(good))


def _with_key(key_of: Callable[[Good], bytes]) -> Made:
    return lambda good: (key_of(good), good.value)


def _with_field(name: str, written: bytes | None) -> Made:
    return lambda good: (good.key, good.without(name) if written is None else good.in_field(name, written))


def _with_text(name: str, change: Callable[[str], str]) -> Made:
    """A field that says something else; the key agrees with it, if it is the voter's."""

    def make(good: Good) -> tuple[bytes | None, bytes | None]:
        changed = replace(good, **{name: change(getattr(good, name))})
        return changed.key, json.dumps(changed.fields, ensure_ascii=False).encode()

    return make
