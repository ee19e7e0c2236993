"""What somebody may see of an election: asked by every route that tells something of one, in the question that reads it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from fastapi import Request, Response
from pydantic import BaseModel, TypeAdapter

from livetally.adapters.postgres import Connection
from livetally.adapters.roll import Roll
from livetally.core.access import Person, role_in
from livetally.core.elections import Election
from livetally.core.errors import ElectionError
from livetally.core.sight import Sight, may_know_of, sight
from livetally.web import models
from livetally.web.problems import Problem, no_election

ETAG_CHARS = 32
# May be kept, but nobody is shown it without asking here whether they still may see it.
KEEP = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}


def known(connection: Connection, person: Person, election_id: str) -> Election:
    """Raises Problem, the same for one that this person may not know of as for one that does not exist."""
    try:
        election = Roll(connection).election(election_id)
    except ElectionError:
        raise no_election() from None
    if not may_know_of(election, role_in(person, election_id)):
        raise no_election()
    return election


def sighted(connection: Connection, person: Person, election_id: str, now: datetime, wanted: Sight) -> Election:
    """The same for its result, or for how many have voted."""
    election = known(connection, person, election_id)
    if sight(election, role_in(person, election_id), now) < wanted:
        raise hidden(election)
    return election


def hidden(election: Election) -> Problem:
    until = "it is closed" if election.visible == "turnout" else "an official publishes it"
    return Problem(403, "not-visible", f"This is shown to officials only until {until}.")


def election_of(election: Election, person: Person, now: datetime) -> models.Election:
    seen = sight(election, role_in(person, election.election_id), now)
    fields = {name: getattr(election, name) for name in models.Election.model_fields if name != "sight"}
    return models.Election(
        **fields | {"status": election.status_at(now), "roll_states": [*election.roll_states], "sight": seen.name.lower()}
    )


def told(request: Request, document: BaseModel | Sequence[BaseModel]) -> Response:
    """As JSON; or only that nothing has changed, to those who have it already."""
    body = document.model_dump_json().encode() if isinstance(document, BaseModel) else _list(document)
    return unless_known(request, Response(body, media_type="application/json"))


def unless_known(request: Request, response: Response) -> Response:
    tag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:ETAG_CHARS]}"'
    named = KEEP | {"ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=named)
    response.headers.update(named)
    return response


def _list(documents: Sequence[BaseModel]) -> bytes:
    return TypeAdapter(list[BaseModel]).dump_json(list(documents), serialize_as_any=True)
