"""The application: every part of it, what it stands on, and the promise that each route says who may use it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI

from livetally import __version__
from livetally.adapters.pool import Pool
from livetally.adapters.rights import Rights
from livetally.core.errors import LivetallyError
from livetally.settings import Settings
from livetally.web.access import check_routes
from livetally.web.ground import Ground, Part
from livetally.web.hashing import Hashing
from livetally.web.headers import Headers
from livetally.web.limits import BURST_S, Buckets, Limits
from livetally.web.logins import Logins
from livetally.web.meter import Meter
from livetally.web.openapi import described
from livetally.web.openapi import router as documents
from livetally.web.organising import Organising
from livetally.web.problems import explain

CONNECTIONS = 8  # to PostgreSQL; a question takes a millisecond or two
SLOW_CONNECTIONS = 2
DESK_CONNECTIONS = 3  # one may certify, which takes minutes


def make_app(
    settings: Settings,
    kafka_bootstrap_servers: str,
    database_url: str,
    organising: Organising,
    parts: Sequence[Part],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    meter: Meter | None = None,
) -> FastAPI:
    """Raises UsageError if a route does not say who may use it. Nothing is connected to before the application is started."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool = Pool(database_url, "api", Rights.API, CONNECTIONS)
        slow = Pool(database_url, "api", Rights.API, SLOW_CONNECTIONS)
        desk = Pool(database_url, "api", Rights.ORGANISE, DESK_CONNECTIONS)
        hashing = Hashing()
        ground = Ground(
            settings=settings,
            kafka_bootstrap_servers=kafka_bootstrap_servers,
            database_url=database_url,
            now=now,
            pool=pool,
            slow=slow,
            desk=desk,
            organising=organising,
            hashing=hashing,
            logins=Logins(settings.api_logins_per_minute),
            codes=Buckets(settings.api_requests_per_s, settings.api_requests_per_s * BURST_S),
            auditing=asyncio.Lock(),
            ending=asyncio.Event(),
            meter=meter,
        )
        app.state.ground = ground
        async with AsyncExitStack() as running:
            for closes in (pool.close, slow.close, desk.close, hashing.close):
                running.callback(closes)
            try:
                for part in parts:
                    if part.running is not None:
                        await running.enter_async_context(part.running(ground))
            except LivetallyError as error:
                app.state.fault = error  # the server only says that it did not start
                raise
            yield

    app = FastAPI(
        title="livetally",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,  # our own route for it says who may read it
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.include_router(documents)
    for part in parts:
        app.include_router(part.router)
    explain(app)
    for part in parts:
        if part.lane is not None:
            app.add_middleware(part.lane.way)
    app.add_middleware(Limits, settings=settings, meter=meter)
    app.add_middleware(Headers, behind_tls=settings.api_behind_tls)
    check_routes(app, [part.lane.route for part in parts if part.lane is not None])
    app.openapi = lambda: described(app, behind_tls=settings.api_behind_tls)  # type: ignore[method-assign]  # FastAPI's own way to have another description
    return app
