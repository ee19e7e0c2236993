"""One connection, as uvicorn speaks on it, with what uvicorn leaves open: who does not ask is not waited for, and who is one too many is told."""

import asyncio
import resource
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from livetally.web.headers import Headers
from livetally.web.problems import Problem

HEAD_WITHIN_S = 10.0  # from the connection, or the first byte of a later request, to the end of the request's headers
CONNECTIONS_MAX = 5_000  # at once: a thousand listeners, and everybody else
FILES_KEPT = 200  # for everything that is no connection of a client: PostgreSQL, Kafka, logs
FILES_MAX = 65_536  # more are never asked for, even where the system would give any number


class Connection(HttpToolsProtocol):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._application = self.app
        self._deadline: asyncio.TimerHandle | None = None
        self._connections_max = connections_max()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._deadline is None and self._awaits_head():
            self._wait_for_head()  # the head of a later request has begun; uvicorn has stopped waiting for it to come

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self.app = self._application if len(self.connections) <= self._connections_max else _BUSY
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _awaits_head(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, which uvicorn's annotation leaves out
        return not self.transport.is_closing() and (cycle is None or cycle.response_complete)

    def _wait_for_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_WITHIN_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def allow_files() -> None:
    """As many open files as the system lets this process have: each connection is one, and 1,024 are usual unless one asks."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connections_max() -> int:
    """As many as are served at once: fewer where the system does not allow so many files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS_MAX if soft == resource.RLIM_INFINITY else max(min(CONNECTIONS_MAX, soft - FILES_KEPT), 1)


async def _busy(scope: Scope, receive: Receive, send: Send) -> None:
    problem = Problem(503, "busy", "Too many are connected at once. Try again.", retry_after_s=5, headers={"Connection": "close"})
    await problem.response(scope)(scope, receive, send)


_BUSY = Headers(_busy, behind_tls=False)  # a browser that knows from another answer that there is TLS does not forget it with this one
