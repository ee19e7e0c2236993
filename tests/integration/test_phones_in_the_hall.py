"""The proxy of docs/phones-in-the-hall.md, as it stands there: nginx with TLS, and a voter who comes through it."""

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from booths import REAL, hold_real_election, issue_codes
from livetally.adapters.people import People
from livetally.core.access import Role
from livetally.core.passwords import hash_password
from livetally.settings import Settings, is_ci
from livetally.show.dashboard import answers, command
from pipeline import SOURCE, Pipeline, free_port
from waiting import wait_for
from website import add_person, served

DOCUMENT = Path(__file__).parents[2] / "docs" / "phones-in-the-hall.md"
HOST = "vote.example"
AT_ONCE = 3  # from one address, instead of the document's number
PASSWORD = "a long enough one"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

pytestmark = pytest.mark.skipif(NGINX is None and not is_ci(), reason="nginx is not installed (Debian: apt-get install nginx-light)")


@dataclass
class Hall:
    port: int
    page_port: int  # of the results
    page_behind: int  # where the page itself has to listen
    certificate: Path
    pipeline: Pipeline

    def phone(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # a bundle that the environment names would be asked instead
        session.verify = str(self.certificate)
        session.headers["X-Forwarded-For"] = "6.6.6.6"  # what a phone says of itself
        return session

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


@pytest.fixture
def hall(pipeline: Pipeline, tmp_path: Path) -> Iterator[Hall]:
    hold_real_election(pipeline.connection)
    port, plain_port, page_port, page_behind = free_port(), free_port(), free_port(), free_port()
    settings: dict[str, Any] = {"api_behind_tls": True, "api_proxy_address": "127.0.0.1", "api_public_url": f"https://{HOST}"}
    with served(pipeline.kafka, pipeline.database_url, data_dir=pipeline.data_dir, **settings) as site:
        certificate = _certificate(tmp_path)
        changed = {
            "127.0.0.1:8502": site.url.removeprefix("http://"),
            "listen 80;": f"listen 127.0.0.1:{plain_port};",
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "listen 8443 ssl": f"listen 127.0.0.1:{page_port} ssl",
            "127.0.0.1:8501": f"127.0.0.1:{page_behind}",
            "client_header_timeout 10s;": "client_header_timeout 1s;",
            "limit_conn phones 500;": f"limit_conn phones {AT_ONCE};",
            f"server_name {HOST};": f"server_name {HOST} localhost;",
            "/etc/ssl/certs/vote.pem": str(certificate),
            "/etc/ssl/private/vote.key": str(tmp_path / "vote.key"),
        }
        (block,) = re.findall(r"^```nginx\n(.*?)^```", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        for said, here in changed.items():
            assert said in block
            block = block.replace(said, here)
        configuration = tmp_path / "nginx.conf"
        folders = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        configuration.write_text(f"daemon off; pid {tmp_path}/nginx.pid; user root; events {{}} http {{ {folders}\n{block} }}", "utf-8")
        with (tmp_path / "nginx.log").open("wb") as log:
            process = subprocess.Popen(
                [str(NGINX), "-e", "stderr", "-p", str(tmp_path), "-c", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            found = Hall(port, page_port, page_behind, certificate, pipeline)
            wait_for(lambda: _answers(found, process), "nginx answers")
            yield found
        finally:
            process.terminate()
            process.wait(30)


def test_a_voter_votes_through_the_proxy(hall: Hall) -> None:
    code = issue_codes(hall.pipeline.connection, hall.pipeline.data_dir)["v1"]
    with hall.phone() as phone:
        page = phone.get(f"{hall.url}/vote/{REAL}", timeout=30)
        cookie = page.headers["set-cookie"]
        assert cookie.startswith("__Host-livetally_booth=")
        assert "Secure" in cookie
        assert "max-age=31536000" in page.headers["strict-transport-security"]
        page = phone.post(f"{hall.url}/vote/code", data={"code": code, "form_token": _token(page)}, timeout=30)
        assert page.url == f"{hall.url}/vote/{REAL}/ballot"
        chosen = {"candidate_id": f"ada-{REAL}", "form_token": _token(page)}
        page = phone.post(f"{hall.url}/vote/{REAL}/review", data=chosen, timeout=30)
        page = phone.post(f"{hall.url}/vote/{REAL}/cast", data=chosen, timeout=30)
        assert "Your ballot is cast" in page.text
        assert f"https://{HOST}/receipts/" in page.text
    hall.pipeline.record_all()
    assert hall.pipeline.sql("SELECT voter_id, candidate_id FROM votes") == [("v1", f"ada-{REAL}")]


def test_the_address_that_is_written_down_is_not_the_one_that_was_claimed(hall: Hall) -> None:
    issue_codes(hall.pipeline.connection, hall.pipeline.data_dir)
    official = add_person(hall.pipeline.connection, "olga", Role.OFFICIAL)
    with hall.phone() as phone:
        answer = phone.post(f"{hall.url}/elections/{REAL}/codes/v2/reissue", headers=official.headers("POST"), timeout=30)
    assert answer.status_code == 200, answer.text
    assert hall.pipeline.sql("SELECT came_from FROM acts WHERE who = 'olga'") == [("127.0.0.1",)]


def test_listeners_hear_at_once(hall: Hall) -> None:
    with hall.phone() as phone, phone.get(f"{hall.url}/elections/{REAL}/results/stream", stream=True, timeout=30) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert next(stream.iter_lines()).startswith((b"retry:", b"event:", b":"))


def test_who_says_nothing_is_not_waited_for_and_who_asks_for_too_much_at_once_is_told(hall: Hall) -> None:
    for port in (hall.port, hall.page_port):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as silent:
            assert silent.recv(100) == b""
    with ExitStack() as listening:

        def listen() -> int:
            phone = listening.enter_context(hall.phone())
            url = f"{hall.url}/elections/{REAL}/results/stream"
            return listening.enter_context(closing(phone.get(url, stream=True, timeout=30))).status_code

        assert [listen() for _ in range(AT_ONCE + 1)] == [200] * AT_ONCE + [429]


def test_officials_see_the_results_page_as_officials_through_the_proxy(hall: Hall) -> None:
    """Signed in at the API, looking at the page: the cookie reaches both, because both are the same name behind TLS."""
    connection = hall.pipeline.connection
    hold_real_election(connection, 0, "sealed", visible="officials")
    People(connection).add_user("olga", Role.OFFICIAL, None, hash_password(PASSWORD))
    url = f"https://localhost:{hall.page_port}"
    with page_of(hall), hall.phone() as public, hall.phone() as official:
        signed_in = official.post(f"{hall.url}/session", json={"user_name": "olga", "password": PASSWORD}, timeout=30)
        assert signed_in.status_code == 201, signed_in.text

        def look(phone: requests.Session) -> str:
            return phone.get(f"{url}/?election=sealed", timeout=30).text

        wait_for(lambda: 'data-testid="sealed"' in look(public), "the page is there, and says that the result is not public yet")
        wait_for(lambda: 'data-testid="total-votes"' in look(official), "an official sees the result")
        assert 'data-testid="total-votes"' not in look(public)
        assert _switches_to_websocket(hall, url)


@contextmanager
def page_of(hall: Hall) -> Iterator[None]:
    """The page's own server, as `livetally dashboard` starts it."""
    services = {"LIVETALLY_KAFKA_BOOTSTRAP_SERVERS": hall.pipeline.kafka, "LIVETALLY_DATABASE_URL": hall.pipeline.database_url}
    process = subprocess.Popen(
        command(Settings(), hall.page_behind, "127.0.0.1"),
        env=os.environ | services | {"PYTHONPATH": str(SOURCE)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{hall.page_behind}"), "the page answers")
        yield
    finally:
        process.terminate()
        process.wait(30)


def _switches_to_websocket(hall: Hall, origin: str) -> bool:
    asked = {
        "Host": origin.removeprefix("https://"),
        "Origin": origin,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
    trusted = ssl.create_default_context(cafile=str(hall.certificate))
    with (
        socket.create_connection(("127.0.0.1", hall.page_port), timeout=60) as plain,
        trusted.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.sendall(f"GET /_stcore/stream HTTP/1.1\r\n{lines}\r\n".encode())
        return secure.recv(1000).startswith(b"HTTP/1.1 101 ")


def _token(page: requests.Response) -> str:
    found = re.search(r'name="form_token" value="(\w+)"', page.text)
    assert found is not None, page.text
    return found[1]


def _certificate(directory: Path) -> Path:
    certificate = directory / "vote.pem"
    asked = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    ]
    subprocess.run([*asked, "-keyout", str(directory / "vote.key"), "-out", str(certificate)], check=True, capture_output=True)
    return certificate


def _answers(hall: Hall, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, "nginx has ended"
    try:
        with hall.phone() as phone:
            return phone.get(f"{hall.url}/vote", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False
