"""`/acts`: who administered what, when, and from where."""

from typing import Annotated

from fastapi import APIRouter, Query

from livetally.adapters.acts import Acts
from livetally.core.access import Role
from livetally.web import models
from livetally.web.access import allow
from livetally.web.ground import OnGround
from livetally.web.models import ElectionId

LISTED_MAX = 500

router = APIRouter(prefix="/acts", tags=["Administering"])


@router.get("", dependencies=[allow(Role.ADMIN)], summary="What was done")
async def listing(
    ground: OnGround,
    limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 50,
    election_id: Annotated[ElectionId | None, Query(description="of one election alone")] = None,
) -> list[models.Act]:
    """Administrative acts, the newest first. Nobody can change or delete one."""
    found = await ground.pool.ask(lambda connection: Acts(connection).newest(limit, election_id))
    return [models.Act.model_validate(one) for one in found]
