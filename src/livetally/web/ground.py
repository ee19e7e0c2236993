"""What the application stands on, made once and reachable from every request."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from livetally.adapters.pool import Pool
from livetally.settings import Settings


@dataclass(frozen=True, slots=True)
class Ground:
    settings: Settings
    kafka_bootstrap_servers: str
    database_url: str
    now: Callable[[], datetime]
    pool: Pool


@dataclass(frozen=True, slots=True)
class Part:
    """Some routes, and what has to run beside them while the application does."""

    router: APIRouter
    running: Callable[[Ground], AbstractAsyncContextManager[None]] | None = None


async def ground_of(request: Request) -> Ground:
    ground: Ground = request.app.state.ground
    return ground


OnGround = Annotated[Ground, Depends(ground_of)]
