"""Who may do what. Pure: the same question always has the same answer."""

import hashlib
import hmac
from dataclasses import dataclass
from enum import IntEnum

SESSION_COOKIE = "livetally_session"
USER_NAME_CHARS_MAX = 64
CREDENTIAL_BYTES = 32  # of randomness in a session or a token


class Role(IntEnum):
    """Each may what the one before may."""

    VIEWER = 0  # nobody in particular: what an election's policy lets the public see
    OBSERVER = 1  # audit, alerts, rejected ballots
    OFFICIAL = 2  # elections, candidates, rolls, codes
    ADMIN = 3  # people


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who asks. `elections` are the only ones that the role is for; None: all."""

    user_name: str
    role: Role
    elections: frozenset[str] | None = None


PUBLIC = Person("", Role.VIEWER)


def may(person: Person, role: Role, election_id: str | None) -> bool:
    """Whether this person may do what needs `role`, in one election, or (None) in what belongs to no single one."""
    if role is Role.VIEWER:
        return True
    if person.role < role:
        return False
    return person.elections is None or election_id in person.elections


def role_in(person: Person, election_id: str) -> Role:
    """What this person is for one election; somewhere else they may be more."""
    return person.role if person.elections is None or election_id in person.elections else Role.VIEWER


def is_user_name(name: str) -> bool:
    """Something that can be read, typed, and told from another one in a list."""
    return 0 < len(name) <= USER_NAME_CHARS_MAX and name.isprintable() and name == name.strip()


def cookie_name(*, behind_tls: bool) -> str:
    """Browsers accept a name with this prefix only from whoever serves the page itself, over TLS."""
    return f"__Host-{SESSION_COOKIE}" if behind_tls else SESSION_COOKIE


def credential_hash(credential: str) -> bytes:
    """What the database keeps of a session or a token. It is random, so a plain hash gives nothing away."""
    return hashlib.sha256(credential.encode(errors="replace")).digest()


def csrf_token(session: str) -> str:
    """What every form of a session carries. Only a page that this session was given can know it."""
    return hmac.new(session.encode(errors="replace"), b"csrf", hashlib.sha256).hexdigest()
