"""One connection to PostgreSQL for an event loop: a question at a time, and a new connection after a fault.

Cheaper than threads where questions are put together: the answer comes to the loop that waits for it, and nobody hands it over.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg.rows import TupleRow

from livetally.adapters.postgres import BOUNDED, CONNECT_TIMEOUT_S, TRANSACTION_TIMEOUT_MS, explained
from livetally.adapters.queries import queries
from livetally.adapters.rights import Rights
from livetally.core.errors import ServiceError

Row = tuple[Any, ...]


class Session:
    """Every question raises ServiceError while PostgreSQL is away, or does not answer in time; the next one tries a new connection."""

    def __init__(self, url: str, application: str, rights: Rights, answer_s_max: float) -> None:
        self._url = url
        self._rights = rights
        self._application = application
        self._answer_s_max = answer_s_max
        self._connection: psycopg.AsyncConnection[TupleRow] | None = None
        self._turn = asyncio.Lock()

    async def ask(self, question: LiteralString, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        async with self._turn:
            is_answered = False
            try:
                with explained(self._url):
                    async with asyncio.timeout(self._answer_s_max):
                        cursor = await (await self._connected()).execute(question, parameters)
                        rows = await cursor.fetchall() if cursor.description else []
                is_answered = True
            except TimeoutError:
                raise ServiceError(f"PostgreSQL has not answered within {self._answer_s_max} s.") from None
            finally:
                if not is_answered:  # whatever the connection is in the middle of, nobody asks on it again
                    await self.close()
        return rows

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _connected(self) -> psycopg.AsyncConnection[TupleRow]:
        if self._connection is None:
            limits = {"transaction_timeout": TRANSACTION_TIMEOUT_MS, "idle_in_transaction_session_timeout": TRANSACTION_TIMEOUT_MS}
            self._connection = connection = await psycopg.AsyncConnection.connect(
                self._url,
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT_S,
                application_name=f"livetally {self._application}{BOUNDED}",
                options=" ".join(["-c timezone=UTC", *(f"-c {name}={limit_ms}" for name, limit_ms in limits.items())]),
            )
            await connection.execute(queries("schema")["become"], {"role": self._rights})
            await connection.execute(queries("ledger")["plan_by_index"])  # a few rows at a time, of tables that grow
        return self._connection
