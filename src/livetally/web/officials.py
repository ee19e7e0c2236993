"""What officials do: make an election, list its candidates, open, close, publish, certify. The acts are those of the command line."""

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request

from livetally.adapters.acts import Actor
from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.core.access import Person, Role
from livetally.core.elections import Candidate, Election
from livetally.core.errors import LedgerError, NotYetError
from livetally.web import models
from livetally.web.access import allow
from livetally.web.ground import Ground, OnGround
from livetally.web.limits import take_longer
from livetally.web.models import InPath
from livetally.web.problems import Problem
from livetally.web.seeing import election_of, known
from livetally.web.signing import came_from

CERTIFIES_S_MAX = 120.0
OPENS_S_MAX = 60.0  # Kafka has to acknowledge the candidates
AUDITS_S_MAX = 900.0  # what certifying takes besides: it reads every ballot, row and message

router = APIRouter(prefix="/elections", tags=["Administering"])
Official = Annotated[Person, allow(Role.OFFICIAL)]
Act = Callable[[Connection, Actor, str], Election]


@router.post("", status_code=201, summary="Make a draft")
async def create(ground: OnGround, request: Request, body: models.NewElection, person: Official) -> models.Election:
    """For officials of all elections. It takes no ballots before it is opened."""
    now, acts, actor = ground.now(), ground.organising, _actor(request, person)
    fields = body.model_dump() | {"roll_states": tuple(body.roll_states)}
    wanted = Election(**fields, status="draft", seed=0, opens_at=None, closes_at=None)
    for field, fault in acts.faults_of(wanted, now).items():
        raise Problem(422, "not-valid", f"{fault[0].upper()}{fault[1:]}.", field=field)
    made = await ground.desk.ask(lambda connection: acts.create(connection, actor, wanted))
    return election_of(made, person, now)


@router.post("/{election_id}/candidates", response_model=list[models.Candidate], summary="List the candidates of a draft")
async def list_candidates(
    ground: OnGround, request: Request, election_id: InPath, body: models.NewCandidates, person: Official
) -> list[Candidate]:
    """In this order, and nobody else from then on; options of a poll that are no people as well."""
    acts, actor = ground.organising, _actor(request, person)
    listed = acts.listed(election_id, [one.model_dump() for one in body.candidates])
    for place, fault in listed.faults.items():
        raise Problem(422, "not-valid", f"{fault[0].upper()}{fault[1:]}.", field=place)

    def change(connection: Connection) -> list[Candidate]:
        known(connection, person, election_id)
        acts.list_candidates(connection, actor, election_id, listed.candidates)
        return Roll(connection).candidates(election_id)

    return await ground.desk.ask(change)


@router.post("/{election_id}/open", summary="Open a draft")
async def open_election(ground: OnGround, request: Request, election_id: InPath, person: Official) -> models.Election:
    """It takes ballots from the planned time, or from now on. Candidates and roll stand from then on."""
    take_longer(request, OPENS_S_MAX)
    return await _act(ground, request, person, election_id, ground.organising.open)


@router.post("/{election_id}/close", summary="Close an election")
async def close_election(ground: OnGround, request: Request, election_id: InPath, person: Official) -> models.Election:
    """Ballots do not count any more from a few seconds ahead; `closes_at` says from when."""
    return await _act(ground, request, person, election_id, ground.organising.close)


@router.post("/{election_id}/publish", summary="Publish a result")
async def publish(ground: OnGround, request: Request, election_id: InPath, person: Official) -> models.Election:
    """Show everybody a result that was for officials. Doing it again changes nothing."""
    return await _act(ground, request, person, election_id, ground.organising.publish)


@router.post("/{election_id}/certify", summary="Certify a result")
async def certify(
    ground: OnGround,
    request: Request,
    election_id: InPath,
    person: Official,
    within_s: Annotated[float, Query(ge=0, le=CERTIFIES_S_MAX, description="how long to wait for what is still on its way")] = 30.0,
) -> models.Election:
    """Waits until every ballot is decided and counted, holds the audit, and makes the result final. 409 where it cannot be, and why."""
    take_longer(request, within_s + AUDITS_S_MAX)

    def final(connection: Connection, actor: Actor, election_id: str) -> Election:
        try:
            return ground.organising.certify(connection, actor, election_id, within_s)
        except NotYetError as error:
            raise Problem(409, "not-yet", _first_line(error), retry_after_s=10) from error
        except LedgerError as error:
            # The audit's own words may say who voted for whom.
            words = "The audit finds differences; `./livetally audit` names them. Nothing was changed."
            raise Problem(409, "not-in-agreement", words) from error

    if ground.auditing.locked():
        raise Problem(503, "busy", "An audit is under way. Try again when it is over.", retry_after_s=10)
    return await asyncio.shield(asyncio.ensure_future(_certify(ground, request, person, election_id, final)))


async def _certify(ground: Ground, request: Request, person: Person, election_id: str, act: Act) -> models.Election:
    async with ground.auditing:
        return await _act(ground, request, person, election_id, act)


async def _act(ground: Ground, request: Request, person: Person, election_id: str, act: Act) -> models.Election:
    actor = _actor(request, person)

    def change(connection: Connection) -> Election:
        known(connection, person, election_id)
        return act(connection, actor, election_id)

    return election_of(await ground.desk.ask(change), person, ground.now())


def _actor(request: Request, person: Person) -> Actor:
    return Actor(person.user_name, came_from(request))


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
