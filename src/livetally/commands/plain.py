"""Text of strangers, as a terminal may show it."""

import unicodedata

from rich.cells import cell_len, set_cell_size


def safe(text: str) -> str:
    r"""What would move, hide, join or reorder its neighbours is written out, as `\x1b` or `\u202e`; the rest stays as it is."""
    return "".join(one if one == " " or unicodedata.category(one)[0] not in "CMZ" else _escaped(one) for one in text)


def safe_bytes(raw: bytes, width: int) -> str:
    """The same for bytes, of which only so many are looked at as can fill a line of this width. What is no UTF-8 is written out."""
    return safe(raw[: 4 * width].decode(errors="backslashreplace"))  # no character has more than four bytes


def cut(text: str, width: int) -> str:
    """At most so many cells wide, with a sign where something is missing."""
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)) + "…"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
