"""A few connections to PostgreSQL for a program that serves many requests at once: each in a thread, none in the event loop."""

import asyncio
import select
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from livetally.adapters.postgres import Connection, connect, explained
from livetally.adapters.rights import Rights
from livetally.core.errors import ServiceError

Found = TypeVar("Found")

WAITING_MAX = 1_000  # questions for one connection to come free; more would wait longer than whoever asks
CLOSES_WITHIN_S = 5.0


class Pool:
    """Every method raises ServiceError while PostgreSQL is away; the next question tries a new connection."""

    def __init__(self, url: str, application: str, rights: Rights, size: int) -> None:
        self._url = url
        self._rights = rights
        self._application = application
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=f"{application}-database")
        self._of_thread = threading.local()
        self._open: set[Connection] = set()
        self._waiting = 0
        self._asking = 0
        self._idle = threading.Condition()

    async def ask(self, question: Callable[[Connection], Found]) -> Found:
        """The answer of one connection; called from the event loop, and not waited for by it."""
        if self._waiting >= WAITING_MAX:
            raise ServiceError("PostgreSQL is asked for more than it can answer at present. Try again in a few seconds.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """What is asked at this moment is answered, unless that takes too long: then it ends with the process, and has not happened."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._idle:
            if self._idle.wait_for(lambda: self._asking == 0, CLOSES_WITHIN_S):
                for connection in self._open:
                    connection.close()

    def _answer(self, question: Callable[[Connection], Found]) -> Found:
        with self._idle:
            self._asking += 1
        try:
            connection = self._connection()
            try:
                with explained(self._url):
                    return question(connection)
            except ServiceError:
                self._forget(connection)
                raise
        finally:
            with self._idle:
                self._asking -= 1
                self._idle.notify_all()

    def _connection(self) -> Connection:
        kept: Connection | None = getattr(self._of_thread, "connection", None)
        if kept is not None and not kept.closed:
            # A server has nothing to say to somebody who asks nothing, except that it goes.
            if not select.select([kept.fileno()], [], [], 0)[0]:
                return kept
            self._forget(kept)
        fresh = connect(self._url, self._application, self._rights)
        self._of_thread.connection = fresh
        self._open.add(fresh)
        return fresh

    def _forget(self, connection: Connection) -> None:
        connection.close()
        self._open.discard(connection)
        self._of_thread.connection = None
