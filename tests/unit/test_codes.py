"""Codes and receipts: what is written can be read, however it is typed, and typing errors are seen."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetally.core.codes import ALPHABET, CODE_LETTERS, GROUPS, TYPED_CHARS_MAX, fingerprint, grouped, keyed_hash, read, written

SECRETS = st.binary(min_size=16, max_size=16)
KEY = b"k" * 32


@given(SECRETS)
def test_what_is_written_can_be_read(secret: bytes) -> None:
    letters = written(secret)
    assert len(letters) == CODE_LETTERS
    assert set(letters) <= set(ALPHABET)
    assert read(letters) == secret
    assert read(grouped(letters)) == secret


@given(SECRETS, st.randoms(use_true_random=False))
def test_case_separators_and_look_alikes_are_forgiven(secret: bytes, random: Random) -> None:
    confused = {"1": "1IiLl", "0": "0Oo", "V": "VvUu"}
    typed = "".join(
        random.choice([*confused.get(letter, letter + letter.lower())]) + random.choice(["", " ", "-", "–"]) for letter in written(secret)
    )
    assert read(f"  {typed}\r\n") == secret


def test_letters_that_look_like_others_are_in_no_code() -> None:
    assert not set(ALPHABET) & set("ILOU")
    assert len(ALPHABET) == 32
    assert sum(GROUPS) == CODE_LETTERS
    assert CODE_LETTERS * math.log2(len(ALPHABET)) >= 128


@pytest.mark.parametrize(
    "typed", ["", "-", "A", "A" * 25, "A" * 27, "é" * 26, "!" * 26, "A" * 10_000, " " * TYPED_CHARS_MAX, "\x00" * 26, "Ａ" * 26]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert read(typed) is None


def test_most_typing_errors_are_seen() -> None:
    """One wrong letter, or two that have changed places: three of four, by two bits."""
    random = Random(1)
    seen = made = 0
    for _ in range(400):
        secret = random.randbytes(16)
        letters = [*written(secret)]
        place = random.randrange(CODE_LETTERS - 1)
        if random.random() < 0.5:
            letters[place] = random.choice([letter for letter in ALPHABET if letter != letters[place]])
        else:
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
        if "".join(letters) != written(secret):
            made += 1
            seen += read("".join(letters)) is None
    assert seen / made > 0.68


def test_the_hash_needs_the_key() -> None:
    assert keyed_hash(KEY, b"x" * 16) != keyed_hash(b"l" * 32, b"x" * 16)
    assert len(keyed_hash(KEY, b"x" * 16)) == 32
    assert fingerprint(KEY) != fingerprint(b"l" * 32)
