"""Ballots as JSON: cast one, follow one; and a new code for a voter who has lost theirs."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from livetally.adapters.acts import Actor
from livetally.adapters.codes import Codes
from livetally.adapters.postgres import Connection
from livetally.core.access import Person, Role
from livetally.core.ballots import FIELD_CHARS_MAX
from livetally.core.codes import keyed_hash, read, written
from livetally.core.elections import ELECTION_ID
from livetally.core.following import follow
from livetally.web.access import allow, allow_code, anybody
from livetally.web.ballots import described
from livetally.web.ballots.asking import wish
from livetally.web.ballots.lane import Cast
from livetally.web.ballots.saying import NOT_KEPT, followed, said
from livetally.web.ballots.service import Request as Casting
from livetally.web.ballots.stand import GetStand
from livetally.web.models import NO_NUL, InPath
from livetally.web.problems import Problem

VoterId = Annotated[str, Path(min_length=1, max_length=FIELD_CHARS_MAX, pattern=NO_NUL)]


class Reissued(BaseModel):
    """Shown once: nobody can look a code up afterwards."""

    voter_id: str
    voter_name: str
    code: str


def casting(stand_of: GetStand) -> Cast:
    """What becomes of a request to cast, by whichever way it has come. Raises Problem."""

    async def cast(election_id: str, body: bytes, headers: Mapping[str, str]) -> Response:
        stand, wanted = stand_of(), wish(body, headers)
        if not ELECTION_ID.fullmatch(election_id):
            raise Problem(404, "unknown-election", "There is no such election.", field="election_id")
        hashed = keyed_hash(stand.key, wanted.secret)
        stand.admit(hashed)
        return said(await stand.ballots.cast(Casting(hashed, election_id, wanted.candidate_id, wanted.idempotency_key)))

    return cast


def ballot_routes(stand_of: GetStand) -> APIRouter:
    router, cast_it = APIRouter(tags=["Ballots"]), casting(stand_of)

    @router.post(
        "/elections/{election_id}/ballots",
        status_code=202,
        dependencies=[allow_code()],
        response_class=Response,
        summary="Cast a ballot",
        responses=described.CAST_ANSWERS,
        openapi_extra=described.CAST,
    )
    async def cast(election_id: str, request: Request) -> Response:
        """The same request again, or another one with the same code, gets the same receipt and never makes a second vote."""
        return await cast_it(election_id, await request.body(), request.headers)

    @router.get(
        "/ballots/{receipt}",
        dependencies=[anybody],
        response_class=JSONResponse,
        summary="What became of a ballot",
        responses=described.FOLLOW_ANSWERS,
    )
    async def ballot(receipt: Annotated[str, Path(min_length=1, max_length=FIELD_CHARS_MAX)]) -> JSONResponse:
        """Pending, accepted with its place in the hash chain, or rejected with the reason; never whom it is for."""
        letters = letters_of(receipt)
        if letters is None:
            raise Problem(422, "malformed-receipt", "This is no receipt: look for a mistyped letter.", field="receipt")
        found = await stand_of().ballots.follow(letters)
        if found is None:
            raise Problem(404, "unknown-receipt", "There is no such receipt.", field="receipt")
        document = followed(letters, found.election_id, found.issued_at.isoformat(), follow(found))
        return JSONResponse(document, headers=NOT_KEPT)

    @router.post(
        "/elections/{election_id}/codes/{voter_id}/reissue",
        summary="A new voting code for one voter; the one before is void from now on",
        response_model=Reissued,
        responses=described.REISSUE_ANSWERS,
    )
    async def reissue(election_id: InPath, voter_id: VoterId, request: Request, person: Annotated[Person, allow(Role.OFFICIAL)]) -> Any:
        """It is shown here and nowhere else. The act is written down, the code is not."""
        stand = stand_of()
        actor = Actor(person.user_name, request.client.host if request.client else "")

        def issue(connection: Connection) -> Reissued:
            with connection.transaction():
                letter = Codes(connection, stand.key).reissue(election_id, voter_id, actor)
            return Reissued(voter_id=letter.voter_id, voter_name=letter.voter_name, code=letter.code)

        return JSONResponse((await stand.ground.desk.ask(issue)).model_dump(), headers=NOT_KEPT)

    return router


def letters_of(receipt: str) -> str | None:
    """A receipt as it is kept, from however somebody has typed it."""
    secret = read(receipt)
    return None if secret is None else written(secret)
