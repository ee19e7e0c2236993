"""What goes in and out as JSON. Each model carries the example that the documents show and a test sends."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from livetally.core.passwords import CHARS_MAX

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]


class Body(BaseModel):
    """What somebody sends: fields that nobody knows are typing errors."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False, frozen=True)


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


def example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class SignIn(Body):
    user_name: Name
    password: Annotated[SecretStr, Field(min_length=1, max_length=CHARS_MAX)]

    model_config = example(user_name="ada", password="correct horse battery")  # noqa: S106 (an example)


class Session(Answer):
    user_name: str
    role: Annotated[str, Field(description="observer, official or admin")]
    elections: Annotated[list[str] | None, Field(description="the only ones that the role is for; null: all")]
    csrf_token: Annotated[
        str | None, Field(description="to be sent as `X-CSRF-Token` with whatever changes something; null: a token needs none")
    ]

    model_config = example(user_name="ada", role="official", elections=["board-2026"], csrf_token="…")  # noqa: S106 (an example)


class NewToken(Body):
    label: Annotated[
        str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$", description="what it is for; whoever reads the list should know")
    ]
    days: Annotated[int, Field(ge=1, le=366, description="until it expires")] = 30

    model_config = example(label="results for the newspaper", days=7)


class Token(Answer):
    number: int
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    model_config = example(
        number=4,
        label="results for the newspaper",
        created_at="2026-05-07T09:00:00Z",
        expires_at="2026-05-14T09:00:00Z",
        revoked_at=None,
    )


class TokenOnce(Token):
    token: Annotated[str, Field(description="said this once, and kept nowhere")]

    model_config = example(
        number=4,
        label="results for the newspaper",
        created_at="2026-05-07T09:00:00Z",
        expires_at="2026-05-14T09:00:00Z",
        revoked_at=None,
        token="…",  # noqa: S106 (an example)
    )


class Act(Answer):
    number: int
    at: datetime
    who: str
    what: str
    subject: str
    election_id: str | None
    detail: dict[str, Any]
    came_from: Annotated[str, Field(description="an address, or `command line`")]

    model_config = example(
        number=12,
        at="2026-05-07T09:00:00Z",
        who="ada",
        what="opened an election",
        subject="board-2026",
        election_id="board-2026",
        detail={},
        came_from="127.0.0.1",
    )
