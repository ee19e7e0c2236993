"""Every administrative act, in PostgreSQL: only ever added to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries


@dataclass(frozen=True, slots=True)
class Act:
    number: int
    at: datetime
    who: str
    what: str
    subject: str
    election_id: str | None
    detail: dict[str, Any]
    came_from: str


class Acts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("acts")

    def note(self, who: str, what: str, subject: str, election_id: str | None, detail: Mapping[str, object], came_from: str) -> None:
        """In the transaction of the act, if it has one. Never a secret."""
        self._connection.execute(self._sql["note"], (who, what, subject, election_id, Jsonb(dict(detail)), came_from))

    def newest(self, limit: int, before: int | None = None) -> list[Act]:
        """The newest first; `before` a number, to page on."""
        return [Act(*row) for row in self._connection.execute(self._sql["newest"], {"before": before, "limit": limit})]
