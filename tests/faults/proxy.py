"""A TCP proxy between one recorder and a service, on which the answer to a commit can be held back or lost.

Everything else passes as it came. Kafka tells its clients at which address the broker is to be found, so they would go round the
proxy; its answers are rewritten to name the proxy instead, which has an address of the same length.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 65536
END_TXN = 26  # the number of Kafka's request that ends a transaction


class Speech(Protocol):
    """What the proxy must understand of a protocol."""

    def parts(self, stream: socket.socket) -> Iterator[bytes]:
        """What comes, in parts that may be looked at and passed on one by one."""

    def is_commit(self, request: bytes) -> bool: ...

    def translate(self, answer: bytes, upstream_port: int, proxy_port: int) -> bytes: ...


class Kafka:
    """Messages are framed: four bytes of length, then a request that begins with its number, or an answer."""

    def parts(self, stream: socket.socket) -> Iterator[bytes]:
        while head := _read(stream, 4):
            yield head + _read(stream, struct.unpack(">i", head)[0])

    def is_commit(self, request: bytes) -> bool:
        return int(struct.unpack_from(">h", request, 4)[0]) == END_TXN

    def translate(self, answer: bytes, upstream_port: int, proxy_port: int) -> bytes:
        return answer.replace(_address(upstream_port), _address(proxy_port))


class Postgres:
    """A client waits for the answer before it asks again, so a chunk is a request."""

    def parts(self, stream: socket.socket) -> Iterator[bytes]:
        while chunk := stream.recv(CHUNK_BYTES):
            yield chunk

    def is_commit(self, request: bytes) -> bool:
        return b"COMMIT" in request

    def translate(self, answer: bytes, _upstream_port: int, _proxy_port: int) -> bytes:
        return answer


class Mode(Enum):
    PASS = "pass"
    HOLD = "hold back what comes on a connection after a commit was asked for"
    CUT = "end that connection instead of answering"


@dataclass(eq=False)
class _Link:
    """A connection of the recorder's and the one that it is passed on to."""

    client: socket.socket
    server: socket.socket
    has_asked_to_commit: bool = field(default=False)

    def close(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):  # the other direction has closed it already
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Proxy:
    """Listens on a port of its own from the beginning, until `close`."""

    def __init__(self, upstream_port: int, speech: Speech) -> None:
        self._upstream_port = upstream_port
        self._speech = speech
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = int(self._listener.getsockname()[1])
        self._mode = Mode.PASS
        self._links: set[_Link] = set()
        self._released = threading.Event()
        self.caught = threading.Event()  # an answer to a commit has been held back or lost
        _in_background(self._accept)

    def hold(self) -> None:
        """From now on, hold back the answers to commits, and whatever comes behind them, until `release`."""
        self._begin(Mode.HOLD)

    def cut(self) -> None:
        """The next answer to a commit does not arrive: its connection ends instead."""
        self._begin(Mode.CUT)

    def release(self) -> None:
        self._mode = Mode.PASS
        self._released.set()

    def close(self) -> None:
        self.release()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        for link in list(self._links):
            link.close()

    def _begin(self, mode: Mode) -> None:
        self._released.clear()
        self.caught.clear()
        self._mode = mode

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            try:
                server = socket.create_connection((LOOPBACK, self._upstream_port))
            except OSError:  # the service is away: so are we
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = _Link(client, server)
            self._links.add(link)
            _in_background(lambda link=link: self._pass(link, self._requests))  # type: ignore[misc]
            _in_background(lambda link=link: self._pass(link, self._answers))  # type: ignore[misc]

    def _pass(self, link: _Link, direction: Callable[[_Link], None]) -> None:
        try:
            direction(link)
        except (OSError, struct.error):
            pass  # one end has gone, perhaps in the middle of a message
        finally:
            link.close()
            self._links.discard(link)

    def _requests(self, link: _Link) -> None:
        for request in self._speech.parts(link.client):
            if self._mode is not Mode.PASS and self._speech.is_commit(request):
                link.has_asked_to_commit = True
            link.server.sendall(request)

    def _answers(self, link: _Link) -> None:
        for answer in self._speech.parts(link.server):
            if link.has_asked_to_commit:
                mode, link.has_asked_to_commit = self._mode, False
                if mode is not Mode.PASS:
                    self.caught.set()
                if mode is Mode.CUT:
                    self._mode = Mode.PASS
                    return
                if mode is Mode.HOLD:
                    self._released.wait()
            link.client.sendall(self._speech.translate(answer, self._upstream_port, self.port))


def _read(stream: socket.socket, size: int) -> bytes:
    """Exactly so many bytes; what there is if the stream ends before."""
    parts = bytearray()
    while len(parts) < size and (part := stream.recv(size - len(parts))):
        parts += part
    return bytes(parts)


def _address(port: int) -> bytes:
    return LOOPBACK.encode() + struct.pack(">i", port)


def _in_background(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()
