"""How commands speak: results on standard output, everything for people on standard error."""

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from livetally.core.errors import LivetallyError
from livetally.observe.log import start_logging

PIPE_COLUMNS = 10_000  # another program reads: nothing may be folded


speech = logging.getLogger("livetally.speech")  # has a handler of its own in a stage: there everything that is said is a line of its log


def say(text: str) -> None:
    """For people."""
    if speech.handlers:
        speech.info("%s", text)
    else:
        print(text, file=sys.stderr, flush=True)


def complain(error: LivetallyError) -> None:
    """The last words of a command that did not work."""
    if speech.handlers:
        speech.error("%s", error)
    else:
        print(f"livetally: {error}", file=sys.stderr, flush=True)


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


def start_stage_log(stage: str) -> None:
    """All that this process says from now on is its log: what is said to people, and the last words of a fault in the program, too."""
    speech.addHandler(start_logging(stage))
    speech.propagate = False
    sys.excepthook = lambda kind, error, trace: speech.critical("ended by a fault in the program", exc_info=(kind, error, trace))


def _text(cell: Any) -> str:
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)
