"""`/login` and `/account`: the pages for people who administer an election or observe one."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from livetally.adapters.people import People
from livetally.core.access import PUBLIC, Person, Role, csrf_token
from livetally.core.passwords import CHARS_MAX
from livetally.web.access import allow, anybody, signed_in
from livetally.web.ground import Ground, OnGround
from livetally.web.models import NO_NUL
from livetally.web.page import page, style
from livetally.web.problems import Problem
from livetally.web.signing import check_origin, give_cookie, session_of, sign_in, sign_out, take_cookie

NAME_CHARS_MAX = 64

router = APIRouter(include_in_schema=False)


@router.get("/login", dependencies=[anybody])
async def login_page(next: str = "/account") -> HTMLResponse:  # noqa: A002 (the name that browsers' addresses have for it)
    return page("login.html", next=_own(next))


@router.post("/login", dependencies=[anybody])
async def login(
    ground: OnGround,
    request: Request,
    user_name: Annotated[str, Form(max_length=NAME_CHARS_MAX, pattern=NO_NUL)] = "",
    password: Annotated[str, Form(max_length=CHARS_MAX)] = "",
    next: Annotated[str, Form(max_length=500)] = "/account",  # noqa: A002 (likewise)
) -> Response:
    check_origin(request)
    try:
        session = await sign_in(ground, request, user_name, password)
    except Problem as problem:
        return page("login.html", problem.status, next=_own(next), user_name=user_name, fault=problem.detail)
    response = RedirectResponse(_own(next), 303)
    give_cookie(ground, response, session)
    return response


@router.post("/logout", dependencies=[signed_in])
async def logout(ground: OnGround, request: Request) -> Response:
    await sign_out(ground, request)
    response = RedirectResponse("/login", 303)
    take_cookie(ground, response)
    return response


@router.get("/account")
async def account(ground: OnGround, request: Request, person: Annotated[Person, allow(Role.VIEWER)]) -> Response:
    session = session_of(ground, request)
    if person is PUBLIC or session is None:
        return RedirectResponse("/login", 303)
    return await _account(ground, person, session)


@router.get("/account.css", dependencies=[anybody])
async def account_style() -> Response:
    return style()


async def _account(ground: Ground, person: Person, session: str) -> HTMLResponse:
    now = ground.now()
    tokens = await ground.pool.ask(lambda connection: People(connection).tokens(person.user_name))
    usable = [token for token in tokens if token.revoked_at is None and token.expires_at > now]
    return page("account.html", person=person, tokens=usable, csrf_token=csrf_token(session))


def _own(address: str) -> str:
    """A place of our own to go on to, or the account: nobody is sent elsewhere by a link to our login."""
    is_own = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable() and "\\" not in address
    return address if is_own else "/account"
