"""How commands speak: results on standard output, everything for people on standard error."""

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

PIPE_COLUMNS = 10_000  # another program reads: nothing may be folded


def say(text: str) -> None:
    """For people."""
    print(text, file=sys.stderr, flush=True)


def print_json(document: Any) -> None:
    """One document, and nothing else, on standard output."""
    print(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], numbers: frozenset[str] = frozenset()) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else _text(cell) for cell in row))
    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)
    console.print(table)


def start_logging(stage: str) -> None:
    """One line per event that a person would act on, on standard error."""
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {stage}: %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    logging.getLogger("py4j").setLevel(logging.ERROR)


def _text(cell: Any) -> str:
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)
