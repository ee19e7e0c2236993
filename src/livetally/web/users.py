"""`/users`: who may sign in, and what for; the acts of `livetally user`, for admins."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request

from livetally.adapters.acts import Acts
from livetally.adapters.people import People, User
from livetally.adapters.postgres import Connection
from livetally.core.access import USER_NAME_CHARS_MAX, Person, Role, is_user_name
from livetally.core.passwords import fault_of, hash_password
from livetally.web import models
from livetally.web.access import allow
from livetally.web.ground import Ground, OnGround
from livetally.web.models import NO_NUL
from livetally.web.problems import Problem
from livetally.web.signing import came_from

router = APIRouter(prefix="/users", tags=["Administering"])
Admin = Annotated[Person, allow(Role.ADMIN)]
UserName = Annotated[str, Path(min_length=1, max_length=USER_NAME_CHARS_MAX, pattern=NO_NUL, examples=["lin"])]


@router.get("", dependencies=[allow(Role.ADMIN)], summary="Everybody who has an account")
async def listing(ground: OnGround) -> list[models.User]:
    return [_told(one) for one in await ground.desk.ask(lambda connection: People(connection).users())]


@router.post("", status_code=201, summary="Add a user")
async def add(ground: OnGround, request: Request, body: models.NewUser, admin: Admin) -> models.User:
    """The password has to be told to them some other way."""
    name, role = body.user_name, Role[body.role.upper()]
    if not is_user_name(name):
        raise Problem(422, "not-valid", "A name has characters that can be read, and no blanks at its ends.", field="user_name")
    hashed = await _hashed(ground, name, body.password.get_secret_value())
    detail = {"role": body.role, "elections": body.elections}
    return await _change(
        ground, request, admin, "user add", name, lambda people: people.add_user(name, role, body.elections, hashed), **detail
    )


@router.post("/{user_name}/disable", summary="Let somebody in no more")
async def disable(ground: OnGround, request: Request, user_name: UserName, admin: Admin) -> models.User:
    """Ends their sessions and tokens at once."""
    now = ground.now()
    return await _change(
        ground, request, admin, "user disable", user_name, lambda people: people.set_disabled(user_name, is_disabled=True, now=now)
    )


@router.post("/{user_name}/enable", summary="Let somebody sign in again")
async def enable(ground: OnGround, request: Request, user_name: UserName, admin: Admin) -> models.User:
    now = ground.now()
    return await _change(
        ground, request, admin, "user enable", user_name, lambda people: people.set_disabled(user_name, is_disabled=False, now=now)
    )


@router.post("/{user_name}/password", summary="Give somebody another password")
async def password(ground: OnGround, request: Request, user_name: UserName, body: models.NewPassword, admin: Admin) -> models.User:
    """Ends what was opened with the old one."""
    hashed, now = await _hashed(ground, user_name, body.password.get_secret_value()), ground.now()
    return await _change(ground, request, admin, "user password", user_name, lambda people: people.set_password(user_name, hashed, now))


@router.post("/{user_name}/role", summary="Say what somebody may do")
async def role(ground: OnGround, request: Request, user_name: UserName, body: models.NewRole, admin: Admin) -> models.User:
    """From the next request on."""
    wanted, detail = Role[body.role.upper()], {"role": body.role, "elections": body.elections}
    return await _change(
        ground, request, admin, "user role", user_name, lambda people: people.set_role(user_name, wanted, body.elections), **detail
    )


async def _hashed(ground: Ground, name: str, password: str) -> str:
    if fault := fault_of(password, name):
        raise Problem(422, "not-valid", fault, field="password")
    return await ground.hashing.ask(lambda: hash_password(password))


async def _change(
    ground: Ground, request: Request, admin: Person, what: str, name: str, change: Callable[[People], None], **detail: object
) -> models.User:
    """In one transaction with the trace that it leaves."""
    address = came_from(request)

    def changed(connection: Connection) -> User:
        with connection.transaction():
            people = People(connection)
            change(people)
            Acts(connection).note(admin.user_name, what, name, None, detail, address)
            return people.user(name)

    return _told(await ground.desk.ask(changed))


def _told(user: User) -> models.User:
    return models.User(
        user_name=user.user_name,
        role=user.role.name.lower(),
        elections=None if user.elections is None else [*user.elections],
        is_disabled=user.is_disabled,
        created_at=user.created_at,
    )
