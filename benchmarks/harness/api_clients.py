"""Clients that cast ballots over HTTP as fast as they are answered, each on a connection of its own: bytes in, bytes out, nothing more.

They live in processes of their own, so that their processor time can be told apart.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import cast

import uvloop

Ballot = tuple[str, str]  # candidate, code
STALLED_S = 30.0


@dataclass
class Casting:
    """What the clients of a process did. Times are of the machine's monotonic clock."""

    acknowledged: list[tuple[int, int, str]] = field(default_factory=list)  # sent, answered, receipt
    refused: list[str] = field(default_factory=list)  # first lines of answers that are not 202


class Client(asyncio.Protocol):
    """One connection, one ballot at a time, until there are none left or the time is over."""

    def __init__(self, ballots: "list[bytes]", until_ns: int, said: Casting) -> None:
        self._ballots = ballots
        self._until_ns = until_ns
        self._said = said
        self._answer = b""
        self._sent_ns = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is none by its class
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        now_ns = time.monotonic_ns()
        if head.startswith(b"HTTP/1.1 202"):
            self._said.acknowledged.append((self._sent_ns, now_ns, body.partition(b'"receipt":"')[2][:26].decode()))
        else:
            self._said.refused.append(head.partition(b"\r\n")[0].decode() + " " + body[:300].decode(errors="replace"))
        self._answer = b""
        self._next()

    def connection_lost(self, fault: Exception | None) -> None:
        if not self.done.done():
            self._said.refused.append(f"the connection broke: {fault}")
            self.done.set_result(None)

    def _next(self) -> None:
        self._sent_ns = time.monotonic_ns()
        if not self._ballots or self._sent_ns >= self._until_ns:
            if not self.done.done():
                self.done.set_result(None)
            self._transport.close()
            return
        self._transport.write(self._ballots.pop())


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)


def request(host: str, election_id: str, ballot: Ballot) -> bytes:
    candidate_id, code = ballot
    body = f'{{"candidate_id":"{candidate_id}","code":"{code}"}}'
    return (
        f"POST /elections/{election_id}/ballots HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def cast_from(
    port: int, election_id: str, ballots: Sequence[Ballot], connections: int, seconds: float, answer: "Pipe[object, object]"
) -> None:
    """Cast on so many connections for so long, from the moment at which the pipe says so; then it is told what was said."""
    requests = [request(f"127.0.0.1:{port}", election_id, ballot) for ballot in reversed(ballots)]
    answer.send("ready")
    answer.recv()
    said = uvloop.run(_cast_all(port, requests, connections, seconds))
    answer.send((said.acknowledged, said.refused))
    answer.recv()  # the accounts of this process are read before it ends


async def _cast_all(port: int, requests: list[bytes], connections: int, seconds: float) -> Casting:
    said = Casting()
    until_ns = time.monotonic_ns() + round(seconds * 1e9)
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Client(requests, until_ns, said), "127.0.0.1", port) for _ in range(connections)]
    await asyncio.wait_for(asyncio.gather(*(client.done for _, client in made)), seconds + STALLED_S)
    return said
