"""Everybody against every route: who is let in, who is not. A route that is not in the table fails, and so does one that is there no more."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from livetally.adapters.people import SESSION_LASTS, SESSION_RESTS, People
from livetally.adapters.postgres import Connection
from livetally.core.access import Role
from livetally.web.access import rules
from servers import Servers
from website import IDLE, Credential, Hall, Site, add_person, served, session_of, token_of

# Who may use it. "account": whoever has one. "code": whoever has a voting code, which nobody here has.
NEEDS = {
    "GET /openapi.json": "anybody",
    "POST /session": "anybody",
    "GET /session": "account",
    "DELETE /session": "account",
    "GET /login": "anybody",
    "POST /login": "anybody",
    "POST /logout": "account",
    "GET /account": "viewer",
    "GET /account.css": "anybody",
    "POST /tokens": "account",
    "GET /tokens": "account",
    "DELETE /tokens/{number}": "account",
    "GET /users": "admin",
    "POST /users": "admin",
    "POST /users/{user_name}/disable": "admin",
    "POST /users/{user_name}/enable": "admin",
    "POST /users/{user_name}/password": "admin",
    "POST /users/{user_name}/role": "admin",
    "GET /acts": "admin",
    "GET /elections": "viewer",
    "GET /elections/{election_id}": "viewer",
    "GET /elections/{election_id}/candidates": "viewer",
    "GET /elections/{election_id}/results": "viewer",
    "GET /elections/{election_id}/turnout": "viewer",
    "GET /elections/{election_id}/history": "viewer",
    "GET /elections/{election_id}/export.json": "viewer",
    "GET /elections/{election_id}/export.csv": "viewer",
    "GET /elections/{election_id}/results/stream": "viewer",
    "GET /elections/{election_id}/alerts": "observer",
    "GET /elections/{election_id}/rejections": "observer",
    "GET /elections/{election_id}/audit": "observer",
    "POST /elections": "official",
    "POST /elections/{election_id}/candidates": "official",
    "POST /elections/{election_id}/open": "official",
    "POST /elections/{election_id}/close": "official",
    "POST /elections/{election_id}/publish": "official",
    "POST /elections/{election_id}/certify": "official",
    "POST /elections/{election_id}/codes/{voter_id}/reissue": "official",
    "POST /elections/{election_id}/ballots": "code",
    "GET /ballots/{receipt}": "anybody",
    "GET /vote": "anybody",
    "GET /vote/booth.css": "anybody",
    "GET /vote/{election_id}": "anybody",
    "POST /vote/code": "code",
    "POST /vote/leave": "anybody",
    "GET /vote/{election_id}/ballot": "code",
    "POST /vote/{election_id}/ballot": "code",
    "POST /vote/{election_id}/review": "code",
    "POST /vote/{election_id}/cast": "code",
    "GET /vote/{election_id}/receipt": "code",
    "GET /receipts": "anybody",
    "GET /receipts/{receipt}": "anybody",
}
HERE, THERE = "here", "there"
PLACES: tuple[str, ...] = (HERE, THERE)


@dataclass(frozen=True)
class Somebody:
    """What is expected of them: `role` None where the credential is worth nothing; `only` the one election that they are for."""

    credential: Credential | None
    role: Role | None
    only: str | None = None

    def may(self, need: str, election_id: str | None) -> int:
        """0 if they may, else the status of the refusal."""
        if need == "anybody":
            return 0
        if self.credential is not None and self.role is None:
            # A browser's session that is over is nobody's; a program is told that its token is worth nothing.
            is_public = self.credential.kind == "session" and need == "viewer"
            return 0 if is_public else 401
        if need == "viewer":
            return 0
        if self.role is None:
            return 401
        if need == "account":
            return 0
        is_there = self.only is None or self.only == election_id
        return 0 if self.role >= Role[need.upper()] and is_there else 403


@pytest.fixture
def site(servers: Servers, database_url: str, connection: Connection) -> Iterator[Site]:
    hall = Hall(connection)
    for election_id in PLACES:
        hall.add(election_id)
    hall.count(HERE, 1)
    with served(servers.kafka, database_url, acts=IDLE) as site:
        yield site


def everybody(connection: Connection) -> dict[str, Somebody]:
    now, yesterday = datetime.now(UTC), datetime.now(UTC) - timedelta(days=1)
    people = People(connection)
    found = {"nobody": Somebody(None, None), "nonsense": Somebody(Credential("nonsense"), None)}
    found["nonsense as a session"] = Somebody(Credential("nonsense", "session"), None)
    for role in (Role.OBSERVER, Role.OFFICIAL, Role.ADMIN):
        for only in (None, *PLACES):
            name = f"{role.name.lower()} {'everywhere' if only is None else only}"
            found[name] = Somebody(add_person(connection, name, role, None if only is None else [only]), role, only)
            found[f"{name} in a browser"] = Somebody(session_of(connection, name), role, only)
    add_person(connection, "late", Role.ADMIN)
    found["expired"] = Somebody(token_of(connection, "late", yesterday), None)
    found["expired in a browser"] = Somebody(session_of(connection, "late", now - SESSION_LASTS), None)
    found["at rest in a browser"] = Somebody(session_of(connection, "late", now - SESSION_RESTS), None)
    for name, kind in product(("revoked", "disabled"), ("token", "session")):
        who = f"{name} {kind}"
        token = add_person(connection, who, Role.ADMIN)
        found[who] = Somebody(token if kind == "token" else session_of(connection, who), None)
        if name == "disabled":
            people.set_disabled(who, is_disabled=True, now=now)
        else:
            people.revoke(found[who].credential.text, now)  # type: ignore[union-attr]  # it has one
    return found


def test_every_route_has_a_line_and_every_line_a_route(site: Site) -> None:
    assert sorted(route for route, _ in rules(site.app)) == sorted(NEEDS)


def test_who_is_let_in(site: Site, connection: Connection) -> None:
    wrong = []
    people = everybody(connection)
    for (route, need), place, (name, who) in product(NEEDS.items(), PLACES, people.items()):
        method, path = route.split(" ")
        if "{election_id}" not in path and place != HERE:
            continue
        if route in ("DELETE /session", "POST /logout") and who.credential is not None and who.credential.kind == "session":
            continue  # it would end the session that the next ones are tried with; test_web_signing does that
        asked = (
            path.replace("{election_id}", place)
            .replace("{number}", "999999")
            .replace("{voter_id}", "v1")
            .replace("{user_name}", "x")
            .replace("{receipt}", "x")
        )
        expected = 0 if need == "code" else who.may(need, place if "{election_id}" in path else None)
        with site.ask(method, asked, who.credential, stream=True) as response:
            status, kind = response.status_code, response.headers.get("Content-Type", "")
        seen = status if status in (401, 403) else 0
        if need == "anybody" and status in (401, 403) and method == "POST":
            seen = 0  # the form itself was refused, not the person
        if route == "POST /tokens" and who.credential is not None and who.credential.kind == "token" and status == 403:
            seen = 0  # a token makes no tokens: test_web_signing
        if need == "code":
            assert status >= 300, (name, route)  # told to enter a code, or that this is none
            seen = 0
        if seen != expected or status >= 500 or (status >= 400 and not kind.startswith(("application/problem+json", "text/html"))):
            wrong.append((name, route, place, expected, status, kind))
    assert wrong == []
