"""Text of strangers does nothing to a terminal but stand there."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from livetally.commands.plain import cut, safe, safe_bytes


@given(st.text(), st.integers(1, 100))
def test_what_is_shown_neither_moves_nor_hides_nor_joins_anything(text: str, width: int) -> None:
    shown = safe(text)
    assert all(one.isprintable() and not unicodedata.combining(one) for one in shown)
    assert cell_len(cut(shown, width)) <= width


@given(st.binary(max_size=300), st.integers(1, 60))
def test_as_many_bytes_are_looked_at_as_a_line_can_show(raw: bytes, width: int) -> None:
    whole = safe(raw.decode(errors="backslashreplace"))
    assert cut(safe_bytes(raw, width), width) == cut(whole, width)


def test_what_people_write_stays_as_it_is() -> None:
    for text in ("", "Zoë O'Neil, Köln", "山田太郎", '{"voter_id": "v1"}'):
        assert safe(text) == text
        assert safe_bytes(text.encode(), 80) == text


def test_what_is_written_out_says_what_it_was() -> None:
    assert safe("\x1b[2J\t\u202e\u0301\u200b\xa0\U000e0001\x9b") == r"\x1b[2J\t\u202e\u0301\u200b\xa0\U000e0001\x9b"
    assert safe_bytes(b"\xff\x00v", 80) == r"\xff\x00v"
