"""Signing in and out: the steps that the pages and the JSON routes have in common."""

import logging
import secrets
from datetime import datetime
from urllib.parse import urlsplit

from fastapi import Request, Response

from livetally.adapters.acts import Acts
from livetally.adapters.people import SESSION_LASTS, People
from livetally.adapters.postgres import Connection
from livetally.core.access import CREDENTIAL_BYTES, cookie_name
from livetally.core.passwords import is_password
from livetally.web.ground import Ground
from livetally.web.problems import Problem

log = logging.getLogger(__name__)


async def sign_in(ground: Ground, request: Request, name: str, password: str) -> str:
    """A new session. Raises Problem, with the same words and after the same work whether the name or the password is wrong."""
    address = came_from(request)
    if wait_s := ground.logins.wait_s(address, name):
        raise Problem(429, "too-often", "Too many attempts to sign in. Wait, then try again.", retry_after_s=int(wait_s) + 1)
    kept = await ground.pool.ask(lambda connection: People(connection).password_hash(name))
    is_right = await ground.hashing.ask(lambda: is_password(password, kept))
    if not is_right:
        # Not the name: people type their password into the wrong field.
        log.warning("somebody could not sign in", extra={"address": address, "is_user": kept is not None})
        raise Problem(401, "sign-in", "No user has this name and this password.")
    session, now = secrets.token_urlsafe(CREDENTIAL_BYTES), ground.now()
    before = session_of(ground, request)
    await ground.pool.ask(lambda connection: _open(connection, session, name, now, address, before))
    return session


async def sign_out(ground: Ground, request: Request) -> None:
    if (session := session_of(ground, request)) is not None:
        now, address = ground.now(), came_from(request)
        await ground.pool.ask(lambda connection: _end(connection, session, now, address))


def give_cookie(ground: Ground, response: Response, session: str) -> None:
    response.set_cookie(
        cookie_name(behind_tls=ground.settings.api_behind_tls),
        session,
        max_age=int(SESSION_LASTS.total_seconds()),
        path="/",
        secure=ground.settings.api_behind_tls,
        httponly=True,
        samesite="strict",
    )


def take_cookie(ground: Ground, response: Response) -> None:
    is_secure = ground.settings.api_behind_tls
    response.delete_cookie(cookie_name(behind_tls=is_secure), path="/", secure=is_secure, httponly=True, samesite="strict")


def session_of(ground: Ground, request: Request) -> str | None:
    return request.cookies.get(cookie_name(behind_tls=ground.settings.api_behind_tls))


def came_from(request: Request) -> str:
    """The address, as the limits have found it out."""
    return request.client.host if request.client else "unknown"


def check_origin(request: Request) -> None:
    """Nobody else's page may sign anybody in here. Raises Problem."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Problem(403, "form", "This form was not made here. Open the page and sign in there.")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Problem(403, "form", "This form was not made here. Open the page and sign in there.")


def _open(connection: Connection, session: str, name: str, now: datetime, address: str, before: str | None) -> None:
    """In a browser that had one already, that one ends."""
    with connection.transaction():
        if before is not None:
            People(connection).revoke(before, now)
        People(connection).open_session(session, name, now)
        Acts(connection).note(name, "sign in", name, None, {}, address)


def _end(connection: Connection, session: str, now: datetime, address: str) -> None:
    with connection.transaction():
        if (name := People(connection).revoke(session, now)) is not None:
            Acts(connection).note(name, "sign out", name, None, {}, address)
