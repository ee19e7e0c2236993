"""Passwords: which will do, and what is kept of one. Argon2id with the parameters of RFC 9106 for machines with little memory."""

from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

CHARS_MIN = 10  # what may be tried is limited to some a minute
CHARS_MAX = 256  # whoever sends more wants us to work


def fault_of(password: str, user_name: str) -> str | None:
    """Why this one will not do, in words; None if it will."""
    if len(password) < CHARS_MIN:
        return f"The password is shorter than {CHARS_MIN} characters."
    if len(password) > CHARS_MAX:
        return f"The password is longer than {CHARS_MAX} characters."
    if len(set(password)) < 5:  # noqa: PLR2004 (aaaaaaaaaa, 1212121212)
        return "The password repeats a few characters only."
    if user_name and user_name.casefold() in password.casefold():
        return "The password holds the user's name."
    return None


def hash_password(password: str) -> str:
    """Takes some 50 ms and 64 MiB: that is the point of it."""
    return _hasher().hash(password)


def is_password(password: str, kept: str | None) -> bool:
    """Takes as long where nothing is kept, so that nobody learns from it who exists."""
    try:
        _hasher().verify(kept or _of_nobody(), password[:CHARS_MAX])
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1, type=Type.ID)


@cache
def _of_nobody() -> str:
    return hash_password("a password that nobody has")
