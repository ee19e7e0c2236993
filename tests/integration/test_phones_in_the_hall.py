"""The proxy of docs/phones-in-the-hall.md, as it stands there: nginx with TLS, and a voter who comes through it."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from booths import REAL, hold_real_election, issue_codes
from livetally.core.access import Role
from livetally.settings import is_ci
from pipeline import Pipeline, free_port
from waiting import wait_for
from website import add_person, served

DOCUMENT = Path(__file__).parents[2] / "docs" / "phones-in-the-hall.md"
HOST = "vote.example"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

pytestmark = pytest.mark.skipif(NGINX is None and not is_ci(), reason="nginx is not installed (Debian: apt-get install nginx-light)")


@dataclass
class Hall:
    port: int
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
    port, plain_port = free_port(), free_port()
    settings: dict[str, Any] = {"api_behind_tls": True, "api_proxy_address": "127.0.0.1", "api_public_url": f"https://{HOST}"}
    with served(pipeline.kafka, pipeline.database_url, data_dir=pipeline.data_dir, **settings) as site:
        certificate = _certificate(tmp_path)
        changed = {
            "127.0.0.1:8502": site.url.removeprefix("http://"),
            "listen 80;": f"listen 127.0.0.1:{plain_port};",
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
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
            found = Hall(port, certificate, pipeline)
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
