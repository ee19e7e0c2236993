"""A real election with codes, and ballots for it over HTTP, as anybody outside would cast them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from electorate import add_voters, candidate
from livetally.adapters.acts import Actor
from livetally.adapters.codes import Codes, codes_key
from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.core.elections import Election
from pipeline import PARTITIONS, SOURCE, free_port
from waiting import wait_for

REAL = "may"
LISTED = ("ada", "ben", "cleo")
TIMEOUT_S = 60.0
TESTER = Actor("tests", "here")
SOFT_FILES = 512  # open files that a process may have as long as it does not ask for more
FEW_FILES = ("sh", "-c", f'ulimit -Sn {SOFT_FILES}; exec "$@"', "sh")


def hold_real_election(connection: Connection, voters: int = 10, election_id: str = REAL, **changed: Any) -> None:
    """Open since an hour unless told otherwise, with three candidates and everybody registered on its roll."""
    opened = datetime.now(UTC) - timedelta(hours=1)
    fields: dict[str, Any] = {"kind": "real", "status": "open", "seed": 0, "opens_at": opened, "closes_at": None} | changed
    roll = Roll(connection)
    with roll.changing():
        roll.add_election(Election(election_id, f"Election of {election_id}", **fields))
        roll.add_candidates([candidate(f"{one}-{election_id}", election_id) for one in LISTED])
        connection.execute("UPDATE candidates SET listed_at = %s WHERE election_id = %s", (opened - timedelta(hours=1), election_id))
    if voters:
        add_voters(connection, range(voters))


def issue_codes(connection: Connection, data_dir: Path, election_id: str = REAL) -> dict[str, str]:
    """The code of each voter."""
    codes = Codes(connection, codes_key(connection, data_dir))
    with connection.transaction():
        return {letter.voter_id: letter.code for letters in codes.issue(election_id, TESTER) for letter in letters}


def cast(url: str, code: str, chosen: str = "ada", election_id: str = REAL, **headers: str) -> requests.Response:
    return requests.post(
        f"{url}/elections/{election_id}/ballots",
        json={"candidate_id": f"{chosen}-{election_id}", "code": code},
        headers=headers,
        timeout=TIMEOUT_S,
    )


def state_of(url: str, receipt: str) -> dict[str, Any]:
    answer = requests.get(f"{url}/ballots/{receipt}", timeout=TIMEOUT_S)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def await_state(url: str, receipts: Sequence[str], state: str) -> None:
    for receipt in receipts:
        wait_for(lambda receipt=receipt: state_of(url, receipt)["state"] == state, f"{receipt} is {state}")  # type: ignore[misc]


@dataclass
class ApiProcess:
    """`livetally api` as a process of its own, to be killed and started again."""

    environment: dict[str, str]
    data_dir: Path
    process: "subprocess.Popen[bytes] | None" = None
    url: str = ""

    def start(self) -> None:
        port = free_port()
        environment = self.environment | {"LIVETALLY_API_PORT": str(port), "LIVETALLY_API_REQUESTS_PER_S": "1000000"}
        log = (self.data_dir / f"api-{port}.log").open("wb")
        with log:
            self.process = subprocess.Popen(
                [*FEW_FILES, sys.executable, "-m", "livetally", "api"], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.url = f"http://127.0.0.1:{port}"
        wait_for(self.answers, "the API answers")

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "the API has ended"
        try:
            return requests.get(f"{self.url}/vote", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(TIMEOUT_S)


@contextmanager
def api_process(kafka: str, database_url: str, data_dir: Path, **settings: str) -> Iterator[ApiProcess]:
    services = {
        "kafka_bootstrap_servers": kafka,
        "database_url": database_url,
        "data_dir": str(data_dir),
        "ballot_partitions": str(PARTITIONS),
    }
    named = {f"LIVETALLY_{name.upper()}": value for name, value in (services | settings).items()}
    api = ApiProcess(os.environ | {"PYTHONPATH": str(SOURCE)} | named, data_dir)
    api.start()
    try:
        yield api
    finally:
        api.end()
