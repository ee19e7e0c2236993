"""Every administrative act, written down in the transaction that does it: who, when, what, from where. Rows are only ever added."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries

COMMAND_LINE = "command line"


class Actor(NamedTuple):
    """Who does something, and from where: an address, or COMMAND_LINE."""

    who: str
    came_from: str


@dataclass(frozen=True, slots=True)
class Act:
    number: int
    at: datetime
    who: str
    what: str
    subject: str
    election_id: str | None
    detail: Mapping[str, Any]
    came_from: str


class Acts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("acts")

    def note(self, who: str, what: str, subject: str, election_id: str | None, detail: Mapping[str, Any], came_from: str) -> None:
        """To be called in the transaction of the act. No secret and no choice may stand in `detail`: it is kept for ever."""
        document = orjson.dumps(detail, option=orjson.OPT_UTC_Z).decode()
        self._connection.execute(self._sql["note"], (who, what, subject, election_id, document, came_from))

    def newest(self, limit: int, election_id: str | None = None) -> list[Act]:
        """The newest first."""
        return [Act(*row) for row in self._connection.execute(self._sql["newest"], {"limit": limit, "election_id": election_id})]
