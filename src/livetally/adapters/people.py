"""Who has an account, and what they show instead of their password, in PostgreSQL."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries
from livetally.core.access import Person, Role, credential_hash
from livetally.core.errors import ElectionError

SESSION_LASTS = timedelta(hours=12)  # one long day at the polls
SESSION_RESTS = timedelta(minutes=30)  # a machine that somebody has left
COUNTED_EVERY = timedelta(minutes=1)  # a row written for every request would cost more than the request
CREDENTIALS_MAX = 50  # of a kind, of one user; each is a key to the house
TOKENS_LISTED_MAX = 200

Kind = Literal["session", "token"]


@dataclass(frozen=True, slots=True)
class User:
    user_name: str
    role: Role
    elections: tuple[str, ...] | None
    is_disabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """A program's token, without the token: that was said once."""

    number: int
    user_name: str
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class People:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("people")

    def person_of(self, hashed: bytes, kind: Kind, now: datetime) -> Person | None:
        """Whom a credential stands for; None if it is unknown, over, revoked, or its user is disabled."""
        row = self._connection.execute(self._sql["person_of"], {"hash": hashed, "kind": kind, "now": now}).fetchone()
        if row is None:
            return None
        name, role, elections, idle_until = row
        if idle_until is not None and idle_until < now + SESSION_RESTS - COUNTED_EVERY:
            self._connection.execute(self._sql["rest_again"], (now + SESSION_RESTS, hashed))
        return Person(name, Role[role.upper()], None if elections is None else frozenset(elections))

    def users(self) -> list[User]:
        return [_user(*row) for row in self._connection.execute(self._sql["users"])]

    def user(self, name: str) -> User:
        row = self._connection.execute(self._sql["user"], (name,)).fetchone()
        if row is None:
            raise ElectionError(f"There is no user {name!r}. `./livetally user list` lists them.")
        return _user(*row)

    def password_hash(self, name: str) -> str | None:
        """Of somebody who may sign in."""
        row = self._connection.execute(self._sql["password_hash"], (name,)).fetchone()
        return row[0] if row else None

    def add_user(self, name: str, role: Role, elections: Sequence[str] | None, password_hash: str) -> None:
        self._check(elections)
        added = self._connection.execute(self._sql["add_user"], (name, role.name.lower(), _listed(elections), password_hash))
        if added.fetchone() is None:
            raise ElectionError(f"There is a user {name!r} already. `./livetally user password {name}` gives them another password.")

    def set_password(self, name: str, password_hash: str, now: datetime) -> None:
        """And end what was opened with the old one."""
        with self._connection.transaction():
            self._change("set_password", (password_hash, name))
            self._connection.execute(self._sql["revoke_all"], (now, name))

    def set_disabled(self, name: str, *, is_disabled: bool, now: datetime) -> None:
        """What a disabled user has opened stays ended, should they be enabled again."""
        with self._connection.transaction():
            self._change("set_disabled", (is_disabled, name))
            if is_disabled:
                self._connection.execute(self._sql["revoke_all"], (now, name))

    def set_role(self, name: str, role: Role, elections: Sequence[str] | None) -> None:
        self._check(elections)
        self._change("set_role", (role.name.lower(), _listed(elections), name))

    def has_admin(self) -> bool:
        """Whether somebody could sign in who may do everything."""
        return self._connection.execute(self._sql["has_admin"]).fetchone() == (True,)

    def open_session(self, session: str, name: str, now: datetime) -> None:
        self._open(session, name, "session", "", now, now + SESSION_LASTS, now + SESSION_RESTS)

    def open_token(self, token: str, name: str, label: str, now: datetime, expires_at: datetime) -> int:
        """Its number, by which it is listed and revoked."""
        return self._open(token, name, "token", label, now, expires_at, None)

    def tokens(self, name: str) -> list[Token]:
        """The newest first, with those that are over."""
        return [Token(*row) for row in self._connection.execute(self._sql["tokens"], (name, TOKENS_LISTED_MAX))]

    def revoke(self, credential: str, now: datetime) -> str | None:
        """Whose it was, if it could still be used."""
        row = self._connection.execute(self._sql["revoke"], (now, credential_hash(credential))).fetchone()
        return row[0] if row else None

    def revoke_token(self, name: str, number: int, now: datetime) -> bool:
        """Whether there was such a token of this user that could still be used."""
        return self._connection.execute(self._sql["revoke_number"], (now, number, name)).fetchone() is not None

    def _open(
        self, credential: str, name: str, kind: Kind, label: str, now: datetime, expires_at: datetime, idle_until: datetime | None
    ) -> int:
        with self._connection.transaction():
            counted = self._connection.execute(self._sql["valid_credentials"], (name, kind, now)).fetchone()
            if counted is not None and counted[0] >= CREDENTIALS_MAX:
                raise ElectionError(f"{name!r} has {counted[0]} {kind}s that can be used. End one first.")
            row = self._connection.execute(
                self._sql["add_credential"], (credential_hash(credential), name, kind, label, now, expires_at, idle_until)
            ).fetchone()
        return int(row[0]) if row else 0

    def _change(self, statement: str, values: tuple[object, ...]) -> None:
        if self._connection.execute(self._sql[statement], values).fetchone() is None:
            raise ElectionError(f"There is no user {values[-1]!r}. `./livetally user list` lists them.")

    def _check(self, elections: Collection[str] | None) -> None:
        """A limit to an election that does not exist is a typing error, and would let nobody in."""
        if elections is None:
            return
        known = {row[0] for row in self._connection.execute(self._sql["known_elections"], (list(elections),))}
        if missing := [one for one in elections if one not in known]:
            raise ElectionError(f"There is no election {missing[0]!r}. `./livetally sql 'TABLE elections'` lists them.")


def _user(name: str, role: str, elections: list[str] | None, is_disabled: bool, created_at: datetime) -> User:  # noqa: FBT001 (a row's columns)
    return User(name, Role[role.upper()], None if elections is None else tuple(elections), is_disabled, created_at)


def _listed(elections: Sequence[str] | None) -> list[str] | None:
    return None if elections is None else list(elections)
