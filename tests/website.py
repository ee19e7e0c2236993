"""The application, really served, on real services; people with every kind of credential; elections with votes that are counted."""

import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from fastapi import FastAPI
from pydantic import SecretStr

from electorate import add_voters, candidate
from livetally.adapters.cells import Batch, Cells
from livetally.adapters.people import People
from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.commands.api import organising
from livetally.core.access import Role, csrf_token
from livetally.core.elections import Candidate, Election
from livetally.core.errors import ElectionError
from livetally.settings import Settings
from livetally.web.app import make_app
from livetally.web.ground import Part
from livetally.web.meter import Meter
from livetally.web.organising import Listed, Organising
from livetally.web.parts import every_part
from livetally.web.server import Server, config_of
from servers import free_port
from waiting import wait_for

UNLIMITED = 1_000_000.0
TIMEOUT_S = 60.0
NO_HASH = "no password"


@dataclass
class Site:
    """An application that is served, as somebody outside sees it."""

    url: str
    app: FastAPI
    meter: Meter

    def ask(self, method: str, path: str, who: "Credential | None" = None, **more: Any) -> requests.Response:
        headers = (who.headers(method) if who else {}) | more.pop("headers", {})
        return requests.request(method, self.url + path, headers=headers, allow_redirects=False, timeout=TIMEOUT_S, **more)

    def get(self, path: str, who: "Credential | None" = None, **more: Any) -> requests.Response:
        return self.ask("GET", path, who, **more)

    def post(self, path: str, who: "Credential | None" = None, **more: Any) -> requests.Response:
        return self.ask("POST", path, who, **more)


@dataclass(frozen=True)
class Credential:
    text: str
    kind: str = "token"
    cookie: str = "livetally_session"

    def headers(self, method: str = "GET") -> dict[str, str]:
        if self.kind == "token":
            return {"Authorization": f"Bearer {self.text}"}
        unsafe = {} if method in ("GET", "HEAD") else {"X-CSRF-Token": csrf_token(self.text)}
        return {"Cookie": f"{self.cookie}={self.text}"} | unsafe


def settings_of(database_url: str, kafka: str, **changed: Any) -> Settings:
    limits: dict[str, Any] = {"api_requests_per_s": UNLIMITED, "api_logins_per_minute": UNLIMITED} | changed
    return Settings(database_url=SecretStr(database_url), kafka_bootstrap_servers=kafka, **limits)


@contextmanager
def served(
    kafka: str,
    database_url: str,
    *,
    parts: Sequence[Part] | None = None,
    acts: Organising | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    **settings: Any,
) -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="livetally-tests-") as directory:  # for the key of the codes, unless the test has one
        yield from _served(kafka, database_url, parts, acts, now, {"data_dir": Path(directory)} | settings)


def _served(
    kafka: str,
    database_url: str,
    parts: Sequence[Part] | None,
    acts: Organising | None,
    now: Callable[[], datetime],
    settings: dict[str, Any],
) -> Iterator[Site]:
    wanted = settings_of(database_url, kafka, **settings)
    meter = Meter()
    app = make_app(
        wanted, kafka, database_url, acts or organising(kafka, database_url), every_part() if parts is None else parts, now, meter
    )
    port = free_port()
    config = config_of(app, "127.0.0.1", port)
    config.timeout_graceful_shutdown = 1
    server = Server(app, config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive(), "the application is served")
        assert server.started, "it did not start"
        yield Site(f"http://127.0.0.1:{port}", app, meter)
    finally:
        server.should_exit = True
        thread.join(TIMEOUT_S)


def add_person(connection: Connection, name: str, role: Role, elections: Sequence[str] | None = None) -> Credential:
    """Somebody, and a token of theirs."""
    people, now = People(connection), datetime.now(UTC)
    people.add_user(name, role, elections, NO_HASH)
    return token_of(connection, name, now + timedelta(days=1))


def token_of(connection: Connection, name: str, expires_at: datetime) -> Credential:
    token = secrets.token_urlsafe()
    People(connection).open_token(token, name, "tests", datetime.now(UTC), expires_at)
    return Credential(token)


def session_of(connection: Connection, name: str, opened_at: datetime | None = None) -> Credential:
    session = secrets.token_urlsafe()
    People(connection).open_session(session, name, opened_at or datetime.now(UTC))
    return Credential(session, "session")


@dataclass
class Hall:
    """Elections in every state of what may be seen, and votes in them."""

    connection: Connection
    counted: dict[int, int] = field(default_factory=dict)
    _batch: int = 0
    _generation: int = -1

    def add(self, election_id: str, **changed: Any) -> Election:
        """Open since an hour, with two candidates; unless told otherwise."""
        opened = datetime.now(UTC) - timedelta(hours=1)
        election = Election(election_id, f"Election {election_id}", "real", "open", 0, opened, None)
        election = replace(election, **changed)
        roll = Roll(self.connection)
        with roll.changing():
            roll.add_election(election)
            roll.add_candidates([candidate(f"{election_id}-{number}", election_id) for number in range(2)])
        return election

    def add_voters(self, count: int = 10) -> None:
        add_voters(self.connection, range(count))

    def count(self, election_id: str, *votes: int, at: datetime | None = None, state: str = "State 1") -> None:
        """So many votes more for each candidate, as a tally stores them."""
        moment = at or datetime.now(UTC)
        cells = Cells(self.connection)
        if self._generation < 0:
            self._generation = cells.begin("tests", "first count").number
        minute = int(moment.timestamp()) // 60
        rows = "".join(
            f"{election_id},{election_id}-{number},{state},City 1,female,65+,{minute},{some}\n" for number, some in enumerate(votes) if some
        )
        starts, ends = ({0: self._batch} if self._batch else {}), {0: self._batch + 1}
        with self.connection.transaction():
            assert cells.store(self._generation, Batch(self._batch, rows.encode(), starts, ends, int(moment.timestamp()))) is not None
        self._batch += 1


class Report:
    def told_of(self, election_id: str) -> dict[str, Any]:
        none: list[str] = []
        counts = dict.fromkeys(("accepted", "tallied", "differences_total"), 0)
        return {"election_id": election_id, "ok": True, "chain_ok": True, **counts, "differences": none, "shared_differences": none}

    def as_json(self) -> dict[str, Any]:
        counts = dict.fromkeys(("ballots", "accepted", "ledger", "published", "tallied", "behind", "differences_total"), 0)
        return counts | {"ok": True, "rejected": {}, "heads": [], "differences": []}


def refused(*_: object) -> Election:
    raise ElectionError("No act is carried out here.")


def nothing_listed(_election_id: str, _rows: Sequence[object]) -> Listed:
    none: list[Candidate] = []
    return Listed(none, {})


IDLE = Organising(
    faults_of=lambda _election, _now: {},
    create=refused,
    listed=nothing_listed,
    list_candidates=refused,
    open=refused,
    close=refused,
    publish=refused,
    certify=refused,
    audit=Report,
)
