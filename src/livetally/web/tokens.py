"""`/tokens`: what programs show instead of a password. Each person makes, lists and revokes their own."""

import secrets
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request

from livetally.adapters.acts import Acts
from livetally.adapters.people import People, Token
from livetally.adapters.postgres import Connection
from livetally.core.access import CREDENTIAL_BYTES, Person
from livetally.web import models
from livetally.web.access import signed_in
from livetally.web.ground import OnGround
from livetally.web.problems import Problem
from livetally.web.signing import came_from

NUMBER_MAX = 2**63 - 1

router = APIRouter(prefix="/tokens", tags=["Signing in"])


@router.post("", status_code=201, summary="Make a token")
async def make(ground: OnGround, request: Request, body: models.NewToken, person: Annotated[Person, signed_in]) -> models.TokenOnce:
    """It may do what you may, until it expires, is revoked, or your account is disabled. Needs a session: a token makes no tokens."""
    if "authorization" in request.headers:
        raise Problem(403, "needs-session", "A token cannot make another one: whoever found it could keep themselves in. Sign in.")
    token, now, address = secrets.token_urlsafe(CREDENTIAL_BYTES), ground.now(), came_from(request)
    expires_at = now + timedelta(days=body.days)

    def store(connection: Connection) -> int:
        with connection.transaction():
            number = People(connection).open_token(token, person.user_name, body.label, now, expires_at)
            detail = {"label": body.label, "expires_at": expires_at.isoformat()}
            Acts(connection).note(person.user_name, "token add", str(number), None, detail, address)
        return number

    kept = Token(await ground.pool.ask(store), person.user_name, body.label, now, expires_at, None)
    return models.TokenOnce(**models.Token.model_validate(kept).model_dump(), token=token)


@router.get("", summary="My tokens")
async def listing(ground: OnGround, person: Annotated[Person, signed_in]) -> list[models.Token]:
    """The newest first, with those that are over. A token itself cannot be shown again."""
    kept = await ground.pool.ask(lambda connection: People(connection).tokens(person.user_name))
    return [models.Token.model_validate(one) for one in kept]


@router.delete("/{number}", status_code=204, summary="Revoke a token")
async def revoke(
    ground: OnGround,
    request: Request,
    number: Annotated[int, Path(ge=1, le=NUMBER_MAX, examples=[1])],
    person: Annotated[Person, signed_in],
) -> None:
    """It is refused from the next request on."""
    now, address = ground.now(), came_from(request)

    def end(connection: Connection) -> bool:
        with connection.transaction():
            is_ended = People(connection).revoke_token(person.user_name, number, now)
            if is_ended:
                Acts(connection).note(person.user_name, "token revoke", str(number), None, {}, address)
        return is_ended

    if not await ground.pool.ask(end):
        raise Problem(404, "not-found", f"You have no token {number} that could still be used.")
