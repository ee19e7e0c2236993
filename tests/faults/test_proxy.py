"""The proxy between recorder and services: passes everything, until a commit's answer is to come late or never."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from faults.proxy import END_TXN, LOOPBACK, Kafka, Postgres, Proxy

WITHIN_S = 10.0


@contextmanager
def answering() -> Iterator[int]:
    """A server that answers everything with itself; its port."""
    with socket.create_server((LOOPBACK, 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection:
                while part := connection.recv(4096):
                    connection.sendall(part)

        threading.Thread(target=serve, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with answering() as port, closing(Proxy(port, Postgres())) as ours:
        yield ours


def calling(proxy: Proxy) -> socket.socket:
    return socket.create_connection((LOOPBACK, proxy.port), WITHIN_S)


def test_everything_passes(proxy: Proxy) -> None:
    with calling(proxy) as client:
        for said in (b"SELECT 1", b"COMMIT"):
            client.sendall(said)
            assert client.recv(100) == said


def test_an_answer_to_a_commit_is_held_back_and_others_are_not(proxy: Proxy) -> None:
    with calling(proxy) as client, calling(proxy) as other:
        proxy.hold()
        client.sendall(b"SELECT 1")
        assert client.recv(100) == b"SELECT 1"
        assert not proxy.caught.is_set()
        client.sendall(b"COMMIT")
        assert proxy.caught.wait(WITHIN_S)
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(100)
        other.sendall(b"SELECT 2")
        assert other.recv(100) == b"SELECT 2"
        proxy.release()
        client.settimeout(WITHIN_S)
        assert client.recv(100) == b"COMMIT"


def test_instead_of_the_answer_to_a_commit_the_connection_ends_once(proxy: Proxy) -> None:
    proxy.cut()
    with calling(proxy) as client:
        client.sendall(b"COMMIT")
        assert proxy.caught.wait(WITHIN_S)
        assert client.recv(100) == b""
    with calling(proxy) as client:
        client.sendall(b"COMMIT")
        assert client.recv(100) == b"COMMIT"


def test_a_service_that_is_away_makes_the_proxy_hang_up() -> None:
    with answering() as port:
        pass
    with closing(Proxy(port, Postgres())) as proxy, calling(proxy) as client:
        assert client.recv(100) == b""


def test_kafkas_answers_name_the_proxy_where_they_name_the_broker() -> None:
    def address(port: int) -> bytes:
        return b"\x0a127.0.0.1" + struct.pack(">i", port)

    speech = Kafka()
    assert speech.translate(b"..." + address(9092) + b"..." + address(7), 9092, 40404) == b"..." + address(40404) + b"..." + address(7)


def test_kafkas_messages_are_told_apart() -> None:
    commit = struct.pack(">hhi", END_TXN, 3, 1)
    heartbeat = struct.pack(">hhi", 12, 4, 2)
    framed = [struct.pack(">i", len(message)) + message for message in (heartbeat, commit)]
    sender, receiver = socket.socketpair()
    with sender, receiver:
        sender.sendall(b"".join(framed))
        sender.shutdown(socket.SHUT_WR)
        parts = list(Kafka().parts(receiver))
    assert parts == framed
    assert [Kafka().is_commit(part) for part in parts] == [False, True]
