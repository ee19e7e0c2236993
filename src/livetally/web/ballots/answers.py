"""What a request to cast a ballot can be told. Values; how they are said is for the routes and the pages."""

from dataclasses import dataclass
from enum import Enum, StrEnum


class Refusal(StrEnum):
    """Nothing was cast, and the same request would be refused again."""

    UNKNOWN_ELECTION = "unknown-election"
    UNKNOWN_CODE = "unknown-code"
    VOIDED_CODE = "voided-code"
    WRONG_ELECTION = "wrong-election"
    NOT_OPEN = "not-open"
    CLOSED = "closed"
    UNKNOWN_CANDIDATE = "unknown-candidate"


class Before(Enum):
    """What had become of this voter's ballot before this request."""

    NOTHING = "this request has cast it"
    CAST = "it had been cast; nothing was cast now"
    UNKNOWN = "a first try had got no answer; it was cast again, and the one that arrived first counts"


@dataclass(frozen=True, slots=True)
class Taken:
    """Kafka has acknowledged a ballot of this voter."""

    receipt: str
    before: Before
    same_request: bool | None = None  # whether it came with the same idempotency key then; None if it says nothing about that


@dataclass(frozen=True, slots=True)
class Refused:
    refusal: Refusal
    receipt: str | None = None  # of an earlier try, whose fate is not known


@dataclass(frozen=True, slots=True)
class NotNow:
    """A service is away, or too many ask at once. Asking again is right, and safe."""

    why: str
    may_be_cast: bool  # Kafka may have it; asking again settles it, and never makes two votes of it


Answer = Taken | Refused | NotNow
