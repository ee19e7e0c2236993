"""Who may use a route. It is said where the route is declared, and `make_app` refuses a route that does not say it.

    @router.get("/elections/{election_id}/audit", dependencies=[allow(Role.OBSERVER)])
    async def audit(election_id: str, person: Annotated[Person, allow(Role.OBSERVER)]) -> ...

A path's `election_id` is the election that the role is asked for. Browsers show a cookie, and with what changes something the
token of their forms; programs show `Authorization: Bearer …`.
"""

import hmac
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.params import Depends
from fastapi.routing import iter_route_contexts

from livetally.adapters.people import Kind, People
from livetally.core.access import PUBLIC, Person, Role, cookie_name, credential_hash, csrf_token, may
from livetally.core.errors import UsageError
from livetally.web.ground import Ground
from livetally.web.limits import bearer
from livetally.web.problems import Problem

CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="livetally"'}


class Rule:
    """Stated by a route; `who` says it in words."""

    def __init__(self, who: str) -> None:
        self.who = who

    async def __call__(self, request: Request) -> Person:
        raise NotImplementedError


class Anybody(Rule):
    """Nobody is asked who they are."""

    async def __call__(self, request: Request) -> Person:  # noqa: ARG002 (a dependency's signature)
        return PUBLIC


class WithCode(Rule):
    """A voting code is the right to use it; the route itself checks the code, with many others at once."""

    async def __call__(self, request: Request) -> Person:  # noqa: ARG002 (a dependency's signature)
        return PUBLIC


class SignedIn(Rule):
    """Whoever has an account, whatever it is for."""

    async def __call__(self, request: Request) -> Person:
        person = await who_asks(request)
        if person is PUBLIC:
            raise _sign_in()
        return person


class Having(Rule):
    """Whoever has this role, where the path names an election: there."""

    def __init__(self, role: Role) -> None:
        super().__init__(role.name.lower())
        self.role = role

    async def __call__(self, request: Request) -> Person:
        person = await who_asks(request)
        if may(person, self.role, request.path_params.get("election_id")):
            return person
        if person is PUBLIC:
            raise _sign_in()
        raise Problem(403, "forbidden", f"This needs the role {self.who}, which {person.user_name} does not have here.")


@cache  # one object for each role: a route that states it twice is asked once
def allow(role: Role) -> Any:
    return Depends(Having(role))


@cache
def allow_code() -> Any:
    return Depends(WithCode("whoever has a voting code"))


anybody: Any = Depends(Anybody("anybody"))
signed_in: Any = Depends(SignedIn("anybody with an account"))


def check_routes(app: FastAPI, lanes: Sequence[str] = ()) -> None:
    """Raises UsageError that names every route that does not say who may use it, and every lane (a short way to a route) that leads to none."""
    declared = dict(rules(app))
    silent = [route for route, rule in declared.items() if rule is None] + [lane for lane in lanes if lane not in declared]
    if silent:
        raise UsageError(
            f"{len(silent)} of the API's routes do not say who may use them: {', '.join(sorted(silent))}. "
            "Declare it with `allow(…)`, `allow_code()`, `signed_in` or `anybody` of livetally.web.access."
        )


def rules(app: FastAPI) -> Iterator[tuple[str, Rule | None]]:
    """Every route as `METHOD /path`, and its rule; of several the strictest stands first in the declaration."""
    for route in iter_route_contexts(app.routes):
        dependant: Dependant | None = getattr(route, "dependant", None)
        found = next(_rules_in(dependant), None) if dependant is not None else None
        for method in sorted(getattr(route, "methods", None) or {"*"}):
            yield f"{method} {getattr(route, 'path', route)}", found


async def who_asks(request: Request) -> Person:
    """Looked up at every request: what has been revoked is refused at once. Raises Problem for a token that is not valid."""
    ground: Ground = request.app.state.ground
    if (shown := request.headers.get("authorization")) is not None:
        token = bearer(shown)
        person = await _person_of(ground, token, "token") if token is not None else None
        if person is None:
            raise Problem(401, "credential", "The token is unknown, has expired or has been revoked.", headers=CHALLENGE)
        return person
    session = request.cookies.get(cookie_name(behind_tls=ground.settings.api_behind_tls))
    if session is None:
        return PUBLIC
    person = await _person_of(ground, session, "session")
    if person is None:
        return PUBLIC
    if request.method not in SAFE_METHODS:
        await check_form(request, csrf_token(session))
    return person


async def check_form(request: Request, expected: str) -> None:
    """A browser sends its cookie whoever made the form; only our own form carries the token. Raises Problem."""
    shown = request.headers.get(CSRF_HEADER)
    if shown is None and request.headers.get("content-type", "").startswith(FORMS):
        field = (await request.form()).get(CSRF_FIELD)
        shown = field if isinstance(field, str) else None
    if shown is None or not hmac.compare_digest(shown.encode(), expected.encode()):
        raise Problem(403, "form", "This did not come from a page of your session. Load the page again and repeat it.", field=CSRF_FIELD)


async def _person_of(ground: Ground, credential: str, kind: Kind) -> Person | None:
    if not credential:
        return None
    hashed, now = credential_hash(credential), ground.now()
    return await ground.pool.ask(lambda connection: People(connection).person_of(hashed, kind, now))


def _sign_in() -> Problem:
    return Problem(401, "sign-in", "Sign in first, or send a token: `Authorization: Bearer …`.", headers=CHALLENGE)


def _rules_in(dependant: Dependant) -> Iterator[Rule]:
    for one in dependant.dependencies:
        if isinstance(one.call, Rule):
            yield one.call
        yield from _rules_in(one)
