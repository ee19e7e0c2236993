"""A table for people: what, how much, what it should be or what held it back."""

from collections.abc import Iterable

from livetally.commands.output import print_table

Row = tuple[str, str, str]


def print_rows(rows: Iterable[Row]) -> None:
    print_table(("figure", "measured", "wanted, or bottleneck"), rows, frozenset({"measured"}))
