"""What the application stands on, made once and reachable from every request."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Request
from starlette.types import ASGIApp

from livetally.adapters.pool import Pool
from livetally.settings import Settings
from livetally.web.hashing import Hashing
from livetally.web.limits import Buckets
from livetally.web.logins import Logins
from livetally.web.meter import Meter
from livetally.web.organising import Organising


@dataclass(frozen=True, slots=True)
class Ground:
    settings: Settings
    kafka_bootstrap_servers: str
    database_url: str
    now: Callable[[], datetime]
    pool: Pool  # for what takes milliseconds
    slow: Pool  # for what reads much: a few at once, and nobody else waits for them
    desk: Pool  # for officials' acts, under the rights of those who hold elections
    organising: Organising
    hashing: Hashing
    logins: Logins  # attempts to sign in
    codes: Buckets  # requests with each voting code
    auditing: asyncio.Lock  # one at a time
    ending: asyncio.Event  # set when the server begins to stop
    meter: Meter | None


class Lane(NamedTuple):
    """A short way to one of the routes, inside limits and headers. It answers before the route is looked for: so it has to be declared."""

    route: str  # as it is declared: `POST /elections/{election_id}/ballots`
    way: Callable[[ASGIApp], ASGIApp]


@dataclass(frozen=True, slots=True)
class Part:
    """Some routes, and what has to run beside them while the application does."""

    router: APIRouter
    running: Callable[[Ground], AbstractAsyncContextManager[None]] | None = None
    lane: Lane | None = None


async def ground_of(request: Request) -> Ground:
    ground: Ground = request.app.state.ground
    return ground


OnGround = Annotated[Ground, Depends(ground_of)]
