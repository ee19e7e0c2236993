"""SQL lives in `.sql` files: each statement named by a line `-- name: …`, described by the comments below it."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def queries(file: str) -> dict[str, LiteralString]:
    """The statements of `sql/<file>.sql` by name."""
    text = files("livetally.adapters").joinpath("sql", f"{file}.sql").read_text("utf-8")
    parts = _NAME.split(text)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


@cache
def migrations() -> tuple[tuple[int, str, LiteralString], ...]:
    """Number, name and text of every migration, in order."""
    folder = files("livetally.adapters").joinpath("sql", "migrations")
    named = ((re.fullmatch(r"(\d{4})_(\w+)\.sql", entry.name), entry) for entry in folder.iterdir())
    return tuple(sorted((int(match[1]), match[2], entry.read_text("utf-8")) for match, entry in named if match))
