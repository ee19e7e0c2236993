"""What others could reach is not served unless it is safe to: `livetally api` and `livetally dashboard`, started as a person starts them."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipeline import PARTITIONS, SOURCE
from servers import Servers

EVERYWHERE = "0.0.0.0"  # noqa: S104 (what is refused)
REFUSES_WITHIN_S = 90  # it would serve for ever
KNOWN = "password that everybody knows"  # the services of these tests have it


def refusal(command: str, servers: Servers, database_url: str, data_dir: Path, **more: str) -> str:
    """What the command says, which has to end with the exit code of a refusal."""
    variables = {
        "LIVETALLY_KAFKA_BOOTSTRAP_SERVERS": servers.kafka,
        "LIVETALLY_DATABASE_URL": database_url,
        "LIVETALLY_BALLOT_PARTITIONS": str(PARTITIONS),  # as the tests before this one may have made the topics
        "LIVETALLY_DATA_DIR": str(data_dir),
        "PYTHONPATH": str(SOURCE),
    }
    done = subprocess.run(
        [sys.executable, "-m", "livetally", command],
        env=os.environ | variables | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=REFUSES_WITHIN_S,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(("command", "what"), [("api", "api"), ("dashboard", "dashboard"), ("run", "api"), ("run", "dashboard")])
def test_listening_for_everybody_is_refused(servers: Servers, database_url: str, tmp_path: Path, command: str, what: str) -> None:
    said = refusal(command, servers, database_url, tmp_path, **{f"LIVETALLY_{what.upper()}_ADDRESS": EVERYWHERE})
    assert f"The {'API' if what == 'api' else 'page'} does not listen on {EVERYWHERE}" in said
    assert "LIVETALLY_API_BEHIND_TLS" in said
    assert KNOWN in said
    assert ("user add" in said) is (what == "api")


@pytest.mark.parametrize("form", ["in the query", "in the environment"])
def test_the_known_password_is_found_wherever_it_stands(servers: Servers, database_url: str, tmp_path: Path, form: str) -> None:
    parts = urlsplit(database_url)
    assert parts.password == "postgres"
    bare = parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}").geturl()
    more = {"LIVETALLY_DASHBOARD_ADDRESS": EVERYWHERE, "LIVETALLY_API_BEHIND_TLS": "true"}
    if form == "in the query":
        bare += "?password=postgres"
    else:
        more["PGPASSWORD"] = "postgres"
    assert KNOWN in refusal("dashboard", servers, bare, tmp_path, **more)
