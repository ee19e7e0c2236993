"""`/elections/{election_id}/results/stream`: the result as server-sent events, each the whole of it, as far as somebody may see it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from livetally.core.access import PUBLIC, Person, Role, role_in
from livetally.core.errors import ServiceError
from livetally.core.sight import Sight, sight
from livetally.web.access import allow, who_asks
from livetally.web.ground import Ground, Part
from livetally.web.live import Live, State
from livetally.web.models import InPath
from livetally.web.problems import Problem
from livetally.web.results import result_of, turnout_of
from livetally.web.seeing import known
from livetally.web.signing import came_from

HEARTBEAT_S = 10.0  # proxies close what is silent for a minute
ASKED_AGAIN_S = 5.0  # so often it is asked again who somebody is, whose role shows them more than the public sees
RETRY_MS = 2_000  # when a browser comes back after the connection was lost

EVENT = "event: result\nid: 3\ndata: {…}\n\n"
DESCRIPTION: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`event: result` with a Result, or `event: turnout` with a Turnout where that is what you may see, or `event: hidden`; "
        "`id` counts the changes. A comment every ten seconds.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EVENT}},
    }
}


def stream_part() -> Part:
    """With the reader that all of them share."""
    router = APIRouter(prefix="/elections/{election_id}/results", tags=["Results"])
    made: list[Live] = []

    @router.get("/stream", response_class=StreamingResponse, responses=DESCRIPTION, summary="The result as it comes")
    async def stream(request: Request, election_id: InPath, person: Annotated[Person, allow(Role.VIEWER)]) -> StreamingResponse:
        """The whole result at once, and again whenever it changes; so nothing is missed, and `Last-Event-ID` needs no answer."""
        ground: Ground = request.app.state.ground
        await ground.pool.ask(lambda connection: known(connection, person, election_id))
        events = _events(ground, made[-1], request, election_id, person)
        first = await anext(events)  # what speaks against it is said as a problem, before anything else
        return StreamingResponse(_all(first, events), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    @asynccontextmanager
    async def running(ground: Ground) -> AsyncIterator[None]:
        live = Live(ground)
        made.append(live)
        if ground.meter is not None:
            ground.meter.watches(lambda: live.listeners)
        async with live.running():
            yield

    return Part(router, running)


async def _events(ground: Ground, live: Live, request: Request, election_id: str, person: Person) -> AsyncGenerator[str, None]:
    loop = asyncio.get_running_loop()
    asked_s = loop.time()
    sent: tuple[int, Sight] | None = None
    async with live.listen(election_id, came_from(request)) as listener:
        yield f"retry: {RETRY_MS}\n\n"
        while not ground.ending.is_set():
            listener.changed.clear()
            if person is not PUBLIC and loop.time() - asked_s >= ASKED_AGAIN_S:
                person, asked_s = await _still(request, person), loop.time()
            state, now = live.state(listener), ground.now()
            if state is not None:
                seen = sight(state.election, role_in(person, election_id), now)
                if sent != (state.number, seen):
                    sent = (state.number, seen)
                    yield _event(state, seen, now)
            try:
                async with asyncio.timeout(HEARTBEAT_S if person is PUBLIC else ASKED_AGAIN_S):
                    await listener.changed.wait()
            except TimeoutError:
                yield ": still here\n\n"


async def _still(request: Request, person: Person) -> Person:
    """Whoever has been disabled meanwhile, or signed out, goes on as one of the public.

    While PostgreSQL is away everybody stays who they were: it has nothing new to show them either, and is asked again soon.
    """
    try:
        return await who_asks(request)
    except Problem as problem:
        return PUBLIC if problem.status == 401 else person  # noqa: PLR2004 (not signed in)
    except ServiceError:
        return person


async def _all(first: str, others: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    async with aclosing(others):
        yield first
        async for one in others:
            yield one


def _event(state: State, seen: Sight, now: datetime) -> str:
    if (written := state.frames.get(seen)) is None:
        written = state.frames[seen] = _write(state, seen, now)
    return written


def _write(state: State, seen: Sight, now: datetime) -> str:
    match seen:
        case Sight.RESULT:
            name, data = "result", result_of(state.election, state.result, now).model_dump_json()
        case Sight.TURNOUT:
            name, data = "turnout", turnout_of(state.election, state.result, now).model_dump_json()
        case Sight.NOTHING:
            name, data = "hidden", "{}"
    return f"event: {name}\nid: {state.number}\ndata: {data}\n\n"
