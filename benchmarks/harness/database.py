"""A plain connection for those who look and prepare: the owner's, without a stage's limits."""

from contextlib import closing
from typing import Any, LiteralString

import psycopg


def owner(url: str) -> "closing[psycopg.Connection[tuple[Any, ...]]]":
    return closing(psycopg.connect(url, autocommit=True, application_name="livetally bench", options="-c timezone=UTC"))


def row(connection: "psycopg.Connection[tuple[Any, ...]]", query: LiteralString) -> tuple[Any, ...]:
    """The one row that a query has for sure."""
    found = connection.execute(query).fetchone()
    assert found is not None
    return found
