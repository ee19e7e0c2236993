"""`livetally user …`: who may sign in, and what for. A password is asked for or read, never an argument: `ps` shows arguments."""

import argparse
import getpass
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from livetally.adapters.acts import Acts
from livetally.adapters.people import People, User
from livetally.adapters.postgres import Connection, connect, explained
from livetally.adapters.rights import Rights
from livetally.commands.actor import actor
from livetally.commands.backing import database_of
from livetally.commands.output import print_json, print_table, say
from livetally.core.access import USER_NAME_CHARS_MAX, Role, is_user_name
from livetally.core.errors import UsageError
from livetally.core.passwords import CHARS_MAX, fault_of, hash_password
from livetally.settings import read_settings


def add(arguments: argparse.Namespace) -> int:
    name, role, elections = arguments.name, Role[arguments.role.upper()], _limit(arguments)
    if not is_user_name(name):
        raise UsageError(f"{name!r} is no name for a user: 1 to {USER_NAME_CHARS_MAX} characters that can be read, no blanks at the ends.")
    hashed = hash_password(_password(arguments, name))
    _change("user add", name, lambda people: people.add_user(name, role, elections, hashed), role=arguments.role, elections=elections)
    say(f"{name} may sign in, as {arguments.role}{_where(elections)}.")
    return 0


def listing(arguments: argparse.Namespace) -> int:
    with (
        database_of(read_settings(), looks_only=False) as url,
        closing(connect(url, "user", Rights.ORGANISE)) as connection,
        explained(url),
    ):
        users = People(connection).users()
    if arguments.json:
        print_json([_document(user) for user in users])
    else:
        columns = ("user", "role", "elections", "may sign in", "since")
        print_table(columns, [_row(user) for user in users])
        if not users:
            say("Nobody may sign in. `./livetally user add NAME --role admin` adds the first one.")
    return 0


def disable(arguments: argparse.Namespace) -> int:
    name = arguments.name
    _change("user disable", name, lambda people: people.set_disabled(name, is_disabled=True, now=datetime.now(UTC)))
    say(f"{name} may not sign in any more; sessions and tokens have been ended.")
    return 0


def enable(arguments: argparse.Namespace) -> int:
    name = arguments.name
    _change("user enable", name, lambda people: people.set_disabled(name, is_disabled=False, now=datetime.now(UTC)))
    say(f"{name} may sign in again.")
    return 0


def password(arguments: argparse.Namespace) -> int:
    name = arguments.name
    hashed = hash_password(_password(arguments, name))
    _change("user password", name, lambda people: people.set_password(name, hashed, datetime.now(UTC)))
    say(f"{name} has another password; sessions and tokens have been ended.")
    return 0


def role(arguments: argparse.Namespace) -> int:
    name, wanted, elections = arguments.name, Role[arguments.role.upper()], _limit(arguments)
    _change("user role", name, lambda people: people.set_role(name, wanted, elections), role=arguments.role, elections=elections)
    say(f"{name} is {arguments.role}{_where(elections)}, from the next request on.")
    return 0


def _change(what: str, name: str, change: Callable[[People], None], **detail: object) -> None:
    """In one transaction with the trace that it leaves."""
    with (
        database_of(read_settings(), looks_only=False) as url,
        closing(connect(url, "user", Rights.ORGANISE)) as connection,
        explained(url),
    ):
        _changed(connection, what, name, change, detail)


def _changed(connection: Connection, what: str, name: str, change: Callable[[People], None], detail: dict[str, object]) -> None:
    with connection.transaction():
        change(People(connection))
        who = actor()
        Acts(connection).note(who.who, what, name, None, detail, who.came_from)


def _password(arguments: argparse.Namespace, name: str) -> str:
    """Raises UsageError if it will not do."""
    if arguments.password_stdin:
        given = sys.stdin.readline(CHARS_MAX + 2).rstrip("\r\n")
    elif not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask for the password. With --password-stdin it is read from standard input.")
    else:
        given = getpass.getpass(f"Password for {name}: ")
        if getpass.getpass("The same again: ") != given:
            raise UsageError("The two differ; nothing was changed.")
    if fault := fault_of(given, name):
        raise UsageError(f"{fault} Nothing was changed.")
    return given


def _limit(arguments: argparse.Namespace) -> list[str] | None:
    return sorted(set(arguments.election)) if arguments.election else None


def _where(elections: list[str] | None) -> str:
    return "" if elections is None else f" of {', '.join(elections)}"


def _document(user: User) -> dict[str, Any]:
    return {
        "user_name": user.user_name,
        "role": user.role.name.lower(),
        "elections": user.elections,
        "is_disabled": user.is_disabled,
        "created_at": user.created_at,
    }


def _row(user: User) -> tuple[str, str, str, str, str]:
    elections = "all" if user.elections is None else ", ".join(user.elections)
    return user.user_name, user.role.name.lower(), elections, "no" if user.is_disabled else "yes", f"{user.created_at:%Y-%m-%d %H:%M}"
