"""Size, time and number of requests; services that are away; faults in the program: each is a problem that says what to do."""

import asyncio
import http.client
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import APIRouter
from pydantic import BaseModel

from livetally.adapters.postgres import Connection
from livetally.core.access import Role
from livetally.web import connections
from livetally.web.access import anybody
from livetally.web.ground import OnGround, Part
from livetally.web.headers import ALWAYS
from servers import Servers, free_port
from waiting import wait_for
from website import Site, add_person, served, session_of

SECRET = "nobody must read this"
router = APIRouter()


class Body(BaseModel):
    text: str


@router.get("/faulty", dependencies=[anybody])
async def faulty() -> None:
    raise RuntimeError(SECRET)


@router.get("/vote/slow", dependencies=[anybody])
@router.get("/slow", dependencies=[anybody])
async def slow() -> None:
    await asyncio.sleep(3600)


@router.post("/body", dependencies=[anybody])
async def body(body: Body) -> int:
    return len(body.text)


@router.get("/asks", dependencies=[anybody])
async def asks(ground: OnGround) -> bool:
    return await ground.pool.ask(lambda connection: connection.execute("SELECT 1").fetchone() == (1,))


@pytest.fixture
def site(servers: Servers, database_url: str) -> Iterator[Site]:
    with served(servers.kafka, database_url, parts=[Part(router)], api_body_bytes_max=5000, api_request_s_max=1.0) as site:
        yield site


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "kind", "field"),
    [
        ("GET", "/nowhere", {}, 404, "not-found", None),
        ("DELETE", "/faulty", {}, 405, "method", None),
        ("POST", "/body", {"data": b"{", "headers": {"Content-Type": "application/json"}}, 400, "not-json", "body"),
        ("POST", "/body", {"data": b'{"text": "x"}', "headers": {"Content-Type": "text/plain"}}, 415, "media-type", "body"),
        ("POST", "/body", {"data": b'{"text": "x"}'}, 415, "media-type", "body"),
        ("POST", "/body", {"json": {}}, 422, "not-valid", "text"),
        ("POST", "/body", {"json": [1]}, 422, "not-valid", "body"),
        ("POST", "/body", {"json": {"text": "x" * 6000}}, 413, "too-large", "body"),
        ("POST", "/body", {"data": iter([b'{"text": "' + b"x" * 3000, b"x" * 3000])}, 413, "too-large", "body"),
        ("GET", "/nowhere", {"headers": {"X-Long": "x" * 20_000}}, 431, "head-too-large", None),
        ("GET", "/slow", {}, 503, "too-slow", None),
        ("GET", "/faulty", {}, 500, "fault", None),
    ],
)
def test_problems(site: Site, method: str, path: str, more: dict[str, Any], status: int, kind: str, field: str | None) -> None:
    response = site.ask(method, path, **more)
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["status"], problem["type"]) == (status, status, f"urn:livetally:problem:{kind}")
    assert problem.get("field") == field
    assert problem["instance"] == path
    assert SECRET not in response.text
    if status == 405:
        assert response.headers["Allow"] == "GET"
    if status == 503:
        assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "words"),
    [
        ("GET", "/vote/<script>", {}, 404, "nothing at this address"),
        ("POST", "/body", {"data": b"x" * 6000}, 413, "larger than"),
        ("GET", "/slow", {}, 503, "In 2 seconds"),
        ("GET", "/vote/slow", {}, 503, "In 2 seconds"),
        ("GET", "/faulty", {}, 500, "not your fault"),
    ],
)
def test_a_browser_is_shown_a_page(site: Site, method: str, path: str, more: dict[str, Any], status: int, words: str) -> None:
    response = site.ask(method, path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, **more)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Accept" in response.headers["Vary"]
    assert response.headers["Cache-Control"] == "no-store"
    assert words in response.text
    assert ("cannot be counted twice" in response.text) == (path == "/vote/slow")
    assert SECRET not in response.text
    assert "<script>" not in response.text


def test_every_answer_tells_the_browser_what_not_to_do(site: Site) -> None:
    for path in ("/asks", "/nowhere", "/faulty"):
        headers = site.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert "Server" not in headers
        assert "Strict-Transport-Security" not in headers


def test_a_body_that_never_comes(site: Site) -> None:
    address = urlsplit(site.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as slow:
        slow.sendall(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        assert slow.recv(1000).startswith(b"HTTP/1.1 503")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_WITHIN_S", 0.3)


def connected(site: Site) -> socket.socket:
    address = urlsplit(site.url)
    return socket.create_connection((address.hostname, address.port), timeout=60)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("begun", [b"", b"GET /asks HT", b"GET /asks HTTP/1.1\r\nHost: x\r\n"])
def test_who_does_not_ask_is_not_waited_for(site: Site, begun: bytes) -> None:
    with connected(site) as silent:
        silent.sendall(begun)
        assert silent.recv(1000) == b""


@pytest.mark.usefixtures("impatient")
def test_who_has_asked_once_is_not_waited_for_either(site: Site) -> None:
    with connected(site) as slow:
        slow.sendall(b"GET /asks HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = http.client.HTTPResponse(slow)
        answer.begin()
        assert answer.read() == b"true"
        slow.sendall(b"GET /asks HTTP/1.1\r\nHost: x\r\n")
        assert slow.recv(1000) == b""


def test_one_connection_too_many_is_told_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS_MAX", 2)
    with connected(site), connected(site):
        response = site.get("/asks")
        assert (response.status_code, response.headers["Content-Type"]) == (503, "application/problem+json")
        assert response.json()["type"] == "urn:livetally:problem:busy"
        assert int(response.headers["Retry-After"]) > 0
        assert {name: response.headers.get(name) for name in ALWAYS} == ALWAYS
    wait_for(lambda: site.get("/asks").status_code == 200, "there is room again")


@pytest.mark.parametrize("length", ["-1", "1e3", "99999999999999999999999", "5001"])
def test_lengths_that_are_none(site: Site, length: str) -> None:
    address = urlsplit(site.url)
    client = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    client.putrequest("POST", "/body")
    client.putheader("Content-Length", length)
    client.endheaders()
    assert client.getresponse().status in (400, 413)


def test_postgresql_away(servers: Servers) -> None:
    with served(servers.kafka, f"postgresql://x:{SECRET}@127.0.0.1:{free_port()}/x".replace(" ", "_"), parts=[Part(router)]) as site:
        response = site.get("/asks")
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert SECRET.replace(" ", "_") not in response.text


ENDED_WITHIN_MS = 30_000


def test_a_connection_that_was_lost_is_made_again(site: Site, connection: Connection) -> None:
    assert site.get("/asks").json() is True
    ended = connection.execute(  # and waited for: one that has been told to end may still take a question, and the answer never comes
        "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        (ENDED_WITHIN_MS,),
    ).fetchall()
    assert ended == [(True,)] * len(ended)
    assert ended
    assert site.get("/asks").json() is True


def test_too_often_by_address_and_by_credential(servers: Servers, database_url: str, connection: Connection) -> None:
    one, other = add_person(connection, "a", Role.ADMIN), add_person(connection, "b", Role.ADMIN)
    with served(servers.kafka, database_url, api_requests_per_s=0.5, api_proxy_address="127.0.0.1") as site:

        def asked(address: str, who: object = None) -> int:
            return site.get("/account.css", who, headers={"X-Forwarded-For": address}).status_code  # type: ignore[arg-type]

        assert [asked("10.0.0.1") for _ in range(6)] == [200] * 5 + [429]
        assert asked("10.0.0.2") == 200
        assert [asked(f"10.0.1.{number}", one) for number in range(6)] == [200] * 5 + [429]
        assert asked("10.0.2.1", other) == 200
        assert int(site.get("/account.css", headers={"X-Forwarded-For": "10.0.0.1"}).headers["Retry-After"]) > 0


def test_a_credential_is_counted_whatever_is_written_around_it(servers: Servers, database_url: str, connection: Connection) -> None:
    token = add_person(connection, "a", Role.ADMIN)
    session = session_of(connection, "a")
    with served(servers.kafka, database_url, api_requests_per_s=0.5, api_proxy_address="127.0.0.1") as site:

        def asked(number: int, headers: dict[str, str]) -> int:
            return site.get("/session", headers=headers | {"X-Forwarded-For": f"10.0.0.{number}"}).status_code

        tokens = [asked(number, {"Authorization": f"Bearer {' ' * number}{token.text}"}) for number in range(6)]
        assert tokens == [200] * 5 + [429]
        cookies = [asked(number, {"Cookie": f"junk={number}; {session.cookie}={session.text}; {number}=x"}) for number in range(10, 16)]
        assert cookies == [200] * 5 + [429]


def test_only_the_proxy_is_believed(servers: Servers, database_url: str) -> None:
    with served(servers.kafka, database_url, api_requests_per_s=0.1, api_proxy_address="10.9.9.9") as site:
        assert site.get("/account.css", headers={"X-Forwarded-For": "1.1.1.1"}).status_code == 200
        assert site.get("/account.css", headers={"X-Forwarded-For": "2.2.2.2"}).status_code == 429
