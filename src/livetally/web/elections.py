"""`/elections`: which there are, what is decided about them, and who stands."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.core.access import Person, Role, role_in
from livetally.core.elections import Candidate
from livetally.core.sight import may_know_of
from livetally.web import models
from livetally.web.access import allow
from livetally.web.ground import OnGround
from livetally.web.models import InPath
from livetally.web.seeing import election_of, known, told

router = APIRouter(prefix="/elections", tags=["Elections"])
Viewer = Annotated[Person, allow(Role.VIEWER)]


@router.get("", response_model=list[models.Election], summary="Elections")
async def listing(request: Request, ground: OnGround, person: Viewer) -> Response:
    """Those that you may know of, the newest first. Drafts are for officials."""
    found = await ground.pool.ask(lambda connection: Roll(connection).elections())
    mine = [one for one in found if may_know_of(one, role_in(person, one.election_id))]
    return told(request, [election_of(one, person, ground.now()) for one in mine])


@router.get("/{election_id}", response_model=models.Election, summary="One election")
async def show(request: Request, ground: OnGround, election_id: InPath, person: Viewer) -> Response:
    found = await ground.pool.ask(lambda connection: known(connection, person, election_id))
    return told(request, election_of(found, person, ground.now()))


@router.get("/{election_id}/candidates", response_model=list[models.Candidate], summary="Who stands")
async def candidates(request: Request, ground: OnGround, election_id: InPath, person: Viewer) -> Response:
    """In the order of the list. A ballot page shuffles it for each voter."""

    def read(connection: Connection) -> list[Candidate]:
        known(connection, person, election_id)
        return Roll(connection).candidates(election_id)

    return told(request, [models.Candidate.model_validate(one) for one in await ground.pool.ask(read)])
