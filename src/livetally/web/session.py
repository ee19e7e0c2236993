"""`/session`: who I am, signing in and out, for programs."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from livetally.adapters.people import People
from livetally.core.access import Person, csrf_token
from livetally.web import models
from livetally.web.access import anybody, signed_in
from livetally.web.ground import OnGround
from livetally.web.signing import check_origin, give_cookie, session_of, sign_in, sign_out, take_cookie

router = APIRouter(prefix="/session", tags=["Signing in"])


@router.post(
    "", status_code=201, dependencies=[anybody], responses={401: {"description": "no such user, or another password"}}, summary="Sign in"
)
async def open_session(ground: OnGround, request: Request, response: Response, body: models.SignIn) -> models.Session:
    """The session is a cookie that scripts cannot read. After some attempts in a minute: 429."""
    check_origin(request)
    session = await sign_in(ground, request, body.user_name, body.password.get_secret_value())
    give_cookie(ground, response, session)
    user = await ground.pool.ask(lambda connection: People(connection).user(body.user_name))
    return _session(Person(user.user_name, user.role, None if user.elections is None else frozenset(user.elections)), session)


@router.get("", summary="Who I am")
async def show_session(ground: OnGround, request: Request, person: Annotated[Person, signed_in]) -> models.Session:
    return _session(person, None if "authorization" in request.headers else session_of(ground, request))


@router.delete("", status_code=204, dependencies=[signed_in], summary="Sign out")
async def end_session(ground: OnGround, request: Request, response: Response) -> None:
    """Ends the session whose cookie is sent. Needs the session's `X-CSRF-Token`."""
    await sign_out(ground, request)
    take_cookie(ground, response)


def _session(person: Person, session: str | None) -> models.Session:
    return models.Session(
        user_name=person.user_name,
        role=person.role.name.lower(),
        elections=None if person.elections is None else sorted(person.elections),
        csrf_token=None if session is None else csrf_token(session),
    )
