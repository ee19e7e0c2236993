"""Voting codes and receipts: 128 random bits in 26 letters and digits that cannot be confused. Pure.

130 bits fit into 26 of them. The two that are left over are a check: three of four typing errors are noticed without asking anybody.
"""

import hashlib
import hmac

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: without I and L (1), O (0), and U, which makes words
CODE_BYTES = 16
CODE_LETTERS = 26
GROUPS = (5, 5, 5, 5, 6)  # as they are printed: nobody can read 26 letters in one go
KEY_BYTES = 32
TYPED_CHARS_MAX = 100  # with separators of any kind; what is longer is no code

_CHECK_BITS = 2
_PAIRS = tuple(one + other for one in ALPHABET for other in ALPHABET)  # two letters, ten bits, at a time
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)} | {
    letter.lower(): value for value, letter in enumerate(ALPHABET) if letter.isalpha()
}
_VALUES |= {
    letter: _VALUES[like] for letter, like in {"I": "1", "i": "1", "L": "1", "l": "1", "O": "0", "o": "0", "U": "V", "u": "V"}.items()
}
_SEPARATORS = str.maketrans("", "", " -‐‑‒–—_.\u00a0\u2009\u202f\t\r\n")  # what people, printers and word processors put between groups


def written(secret: bytes) -> str:
    """16 bytes as 26 letters, without separators."""
    number = int.from_bytes(secret, "big") << _CHECK_BITS | _check_of(secret)
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


def grouped(letters: str) -> str:
    """The same as it is printed."""
    parts, start = [], 0
    for length in GROUPS:
        parts.append(letters[start : start + length])
        start += length
    return "-".join(parts)


def read(typed: str) -> bytes | None:
    """The 16 bytes that somebody typed, in whatever case, with whatever separators and look-alikes; None if it is no code at all."""
    if len(typed) > TYPED_CHARS_MAX:
        return None
    letters = typed.translate(_SEPARATORS)
    if len(letters) != CODE_LETTERS:
        return None
    number = 0
    for letter in letters:
        value = _VALUES.get(letter)
        if value is None:
            return None
        number = number << 5 | value
    secret = (number >> _CHECK_BITS).to_bytes(CODE_BYTES, "big")
    return secret if number & 3 == _check_of(secret) else None


def keyed_hash(key: bytes, secret: bytes) -> bytes:
    """What the database keeps of a code. Without the key, which lies elsewhere, nothing can be looked up in it."""
    return hmac.digest(key, secret, "sha256")


def fingerprint(key: bytes) -> bytes:
    """By which a key is known again. It is no hash of any code: those are of 16 bytes."""
    return hmac.digest(key, b"livetally: the key of the voting codes", "sha256")


def _check_of(secret: bytes) -> int:
    return hashlib.sha256(secret).digest()[0] & 3
