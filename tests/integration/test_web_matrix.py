"""Everybody against every route, in an election of each policy: the status that each request ends with.

A route that is not in the table fails, and so does one that is there no more.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from booths import issue_codes
from livetally.adapters.acts import Actor
from livetally.adapters.people import SESSION_LASTS, SESSION_RESTS, People
from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.core.access import Role
from livetally.core.elections import Election
from livetally.core.sight import Sight
from livetally.core.wire import BALLOTS, PER_CANDIDATE, topics
from livetally.web.access import rules
from servers import Servers, recreate
from website import IDLE, Credential, Hall, Site, add_person, served, session_of, token_of


@dataclass(frozen=True)
class Route:
    """Who may use it, and what whoever may is answered.

    `who`: "account" is whoever has one, "code" whoever has a voting code: no other credential is looked at there. `elsewhere`: what is
    answered in the election that the code is not for. `shows`: so much of an election's result, or more, has to be visible to them.
    """

    who: str
    good: int = 200
    sends: dict[str, Any] | None = None
    elsewhere: int | None = None
    shows: Sight = Sight.NOTHING


NOT_IN_BOOTH = 403  # a page for those who have entered their code, or a form that was given to nobody
RESULT, TURNOUT = Sight.RESULT, Sight.TURNOUT
PERSON, PASSWORD = "x", {"password": "quite a long one"}
LISTED = {"candidates": [{"name": "Grace"}, {"name": "Alan"}]}
ROUTES = {
    "GET /openapi.json": Route("anybody"),
    "POST /session": Route("anybody", 415),  # without a body; test_web_signing signs in
    "GET /session": Route("account"),
    "DELETE /session": Route("account", 204),
    "GET /login": Route("anybody"),
    "POST /login": Route("anybody", 401),  # an empty form is no password of anybody's
    "POST /logout": Route("account", 303),
    "GET /account": Route("viewer"),
    "GET /account.css": Route("anybody"),
    "POST /tokens": Route("account", 201, {"label": "x"}),
    "GET /tokens": Route("account"),
    "DELETE /tokens/{number}": Route("account", 404),  # it is nobody's; test_web_signing revokes one
    "GET /users": Route("admin"),
    "POST /users": Route("admin", 409, {"user_name": PERSON, "role": "observer"} | PASSWORD),  # there is one of this name
    "POST /users/{user_name}/disable": Route("admin"),
    "POST /users/{user_name}/enable": Route("admin"),
    "POST /users/{user_name}/password": Route("admin", 200, PASSWORD),
    "POST /users/{user_name}/role": Route("admin", 200, {"role": "observer"}),
    "GET /acts": Route("admin"),
    "GET /elections": Route("viewer"),
    "GET /elections/{election_id}": Route("viewer"),
    "GET /elections/{election_id}/candidates": Route("viewer"),
    "GET /elections/{election_id}/results": Route("viewer", shows=RESULT),
    "GET /elections/{election_id}/turnout": Route("viewer", shows=TURNOUT),
    "GET /elections/{election_id}/history": Route("viewer", shows=RESULT),
    "GET /elections/{election_id}/export.json": Route("viewer", shows=RESULT),
    "GET /elections/{election_id}/export.csv": Route("viewer", shows=RESULT),
    "GET /elections/{election_id}/results/stream": Route("viewer"),
    "GET /elections/{election_id}/alerts": Route("observer"),
    "GET /elections/{election_id}/rejections": Route("observer"),
    "GET /elections/{election_id}/audit": Route("observer"),
    "POST /elections": Route("official", 201, {"election_id": "another", "name": "Another"}),
    "POST /elections/{election_id}/candidates": Route("official", 200, LISTED),
    "POST /elections/{election_id}/open": Route("official"),
    "POST /elections/{election_id}/close": Route("official"),
    "POST /elections/{election_id}/publish": Route("official"),
    "POST /elections/{election_id}/certify": Route("official"),
    "POST /elections/{election_id}/codes/{voter_id}/reissue": Route("official"),
    "POST /elections/{election_id}/ballots": Route("code", 202, {"candidate_id": "here-0"}, elsewhere=403),
    "GET /ballots/{receipt}": Route("anybody", 422),  # that is no receipt
    "GET /vote": Route("anybody"),
    "GET /vote/booth.css": Route("anybody"),
    "GET /vote/{election_id}": Route("anybody"),
    "POST /vote/code": Route(
        "code", NOT_IN_BOOTH
    ),  # the pages of the booth keep the code in a visit of their own: tests/browser/test_booth.py
    "POST /vote/leave": Route("anybody", NOT_IN_BOOTH),
    "GET /vote/{election_id}/ballot": Route("code", NOT_IN_BOOTH),
    "POST /vote/{election_id}/ballot": Route("code", NOT_IN_BOOTH),
    "POST /vote/{election_id}/review": Route("code", NOT_IN_BOOTH),
    "POST /vote/{election_id}/cast": Route("code", NOT_IN_BOOTH),
    "GET /vote/{election_id}/receipt": Route("code", NOT_IN_BOOTH),
    "GET /receipts": Route("anybody"),
    "POST /receipts": Route("anybody", 422),  # nothing was typed
    "GET /receipts/{receipt}": Route("anybody", 404),
}
HERE, THERE = "here", "there"
PLACES: tuple[str, ...] = (HERE, THERE)
TURNOUT_ONLY, DRAFT = "turnout-only", "draft"  # asked by a few alone: one of each role
SHOWN = {HERE: Sight.RESULT, THERE: Sight.NOTHING, TURNOUT_ONLY: Sight.TURNOUT}  # to everybody but officials


@dataclass(frozen=True)
class Somebody:
    """What is expected of them: `role` None where the credential is worth nothing; `only` the one election that they are for."""

    credential: Credential | None
    role: Role | None
    only: str | None = None

    def role_at(self, election_id: str) -> Role:
        return self.role if self.role is not None and self.only in (None, election_id) else Role.VIEWER

    def refusal(self, who: str, election_id: str | None) -> int | None:
        """None if they may use such a route, else the status."""
        if who in ("anybody", "code"):
            return None
        if self.credential is not None and self.role is None:
            # A browser's session that is over is nobody's; a program is told that its token is worth nothing.
            is_public = self.credential.kind == "session" and who == "viewer"
            return None if is_public else 401
        if who == "viewer":
            return None
        if self.role is None:
            return 401
        if who == "account":
            return None
        is_there = self.only is None or self.only == election_id
        return None if self.role >= Role[who.upper()] and is_there else 403


def expected(route: Route, who: Somebody, place: str, *, names_election: bool) -> int:
    """The status that this request has to end with."""
    refusal = who.refusal(route.who, place if names_election else None)
    if refusal is not None or not names_election:
        return refusal or route.good
    if route.who in ("anybody", "code"):
        return route.elsewhere if route.elsewhere and place != HERE else route.good
    is_official = who.role_at(place) >= Role.OFFICIAL
    if place == DRAFT and not is_official:
        return 404  # as if there was none
    return route.good if is_official or SHOWN[place] >= route.shows else 403


@pytest.fixture
def site(servers: Servers, database_url: str, connection: Connection, tmp_path: Path) -> Iterator[Site]:
    hall = Hall(connection)
    hall.add(HERE)
    hall.add(THERE, visible="officials")
    hall.add(TURNOUT_ONLY, visible="turnout")
    hall.add(DRAFT, status="draft", opens_at=None)
    hall.add_voters(2)
    hall.count(HERE, 1)
    add_person(connection, PERSON, Role.OBSERVER)
    recreate(servers.admin, [one for one in topics(1) if one.name in (BALLOTS, PER_CANDIDATE)])
    with served(servers.kafka, database_url, acts=CARRIES_OUT, data_dir=tmp_path) as site:
        yield site


def carried_out(connection: Connection, _actor: Actor, election_id: str, *_: object) -> Election:
    """As if the act had been done; the acts have tests of their own."""
    return Roll(connection).election(election_id)


CARRIES_OUT = replace(
    IDLE,
    create=lambda _connection, _actor, election: election,
    list_candidates=carried_out,
    open=carried_out,
    close=carried_out,
    publish=carried_out,
    certify=carried_out,
)


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


def asked_of(path: str, place: str) -> str:
    values = {"election_id": place, "number": "999999", "voter_id": "v1", "user_name": PERSON, "receipt": "x"}
    return re.sub(r"{(\w+)}", lambda found: values[found[1]], path)


def has_another_answer(route: str, who: Somebody) -> int | None:
    """Where the answer depends on what is shown, not on who shows it."""
    kind = who.credential.kind if who.credential else None
    if route == "GET /account" and (kind != "token" if who.role is None else kind == "token"):
        return 303  # a page of sessions: whoever has none is led to where one is opened
    if route == "POST /tokens" and who.role is not None and kind == "token":
        return 403  # a token makes no tokens
    return None


def test_every_route_has_a_line_and_every_line_a_route(site: Site) -> None:
    assert sorted(route for route, _ in rules(site.app)) == sorted(ROUTES)


def test_who_is_answered_what(site: Site, connection: Connection, tmp_path: Path) -> None:
    people = everybody(connection)
    codes = {place: issue_codes(connection, tmp_path, place) for place in (*PLACES, TURNOUT_ONLY, DRAFT)}
    code = codes[HERE]["v0"]
    people["a voting code as a token"] = Somebody(Credential(code), None)
    people["a voting code as a session"] = Somebody(Credential(code, "session"), None)
    few = {name: people[name] for name in ("nobody", "observer everywhere", "official everywhere", "admin everywhere")}
    wrong = []
    for (name, route), place in product(ROUTES.items(), (*PLACES, TURNOUT_ONLY, DRAFT)):
        method, path = name.split(" ")
        names_election = "{election_id}" in path
        if place != HERE and not names_election:
            continue
        if place not in PLACES and route.who in ("anybody", "code"):
            continue
        for who, somebody in (people if place in PLACES else few).items():
            if name in ("DELETE /session", "POST /logout") and somebody.credential is not None and somebody.credential.kind == "session":
                continue  # it would end the session that the next ones are tried with; test_web_signing does that
            wanted = has_another_answer(name, somebody) or expected(route, somebody, place, names_election=names_election)
            sent = None if route.sends is None else route.sends | ({"code": code} if route.who == "code" else {})
            with site.ask(method, asked_of(path, place), somebody.credential, json=sent, stream=True) as response:
                status, kind = response.status_code, response.headers.get("Content-Type", "")
            is_explained = status < 400 or kind.startswith(("application/problem+json", "text/html"))
            if status != wanted or not is_explained:
                wrong.append((who, name, place, wanted, status, kind))
    assert wrong == []
    assert connection.execute("SELECT DISTINCT voter_id, election_id FROM receipts").fetchall() == [("v0", HERE)]
