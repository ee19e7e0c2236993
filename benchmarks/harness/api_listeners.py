"""Listeners of a stream of results, each on a connection of its own: when which total came to whom. A process of their own."""

import asyncio
import re
import time
from multiprocessing.connection import Connection as Pipe
from typing import cast

import uvloop

Seen = tuple[int, int]  # nanoseconds, total
TOTAL = re.compile(rb'^event: result\n(?:id: \d+\n)?data: \{.*?"total_votes":(\d+)', re.MULTILINE)
AT_ONCE = 20  # connections that are being made at the same time


class Listener(asyncio.Protocol):
    def __init__(self, request: bytes) -> None:
        self._request = request
        self._rest = b""
        self.seen: list[Seen] = []
        self.has_begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)  # uvloop's own is none by its class

    def data_received(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            if found := TOTAL.search(event):
                self.seen.append((now_ns, int(found[1])))
                if not self.has_begun.done():
                    self.has_begun.set_result(None)


def listen_from(port: int, election_id: str, listeners: int, answer: "Pipe[object, object]") -> None:
    """So many come; the pipe is told when each has heard something, and, when it says stop, what each has heard when."""
    uvloop.run(_listen_all(port, election_id, listeners, answer))


async def _listen_all(port: int, election_id: str, count: int, answer: "Pipe[object, object]") -> None:
    request = (
        f"GET /elections/{election_id}/results/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode()
    )
    loop = asyncio.get_running_loop()
    listeners: list[Listener] = []
    for number in range(count):
        _, listener = await loop.create_connection(lambda: Listener(request), "127.0.0.1", port)
        listeners.append(listener)
        if number % AT_ONCE == AT_ONCE - 1:
            await listener.has_begun
    await asyncio.gather(*(listener.has_begun for listener in listeners))
    answer.send("ready")
    await asyncio.to_thread(answer.recv)
    answer.send([listener.seen for listener in listeners])
    await asyncio.to_thread(answer.recv)
