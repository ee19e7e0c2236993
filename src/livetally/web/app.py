"""The application: every part of it, what it stands on, and the promise that each route says who may use it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI

from livetally import __version__
from livetally.adapters.pool import Pool
from livetally.settings import Settings
from livetally.web.access import check_routes
from livetally.web.ground import Ground, Part
from livetally.web.headers import Headers
from livetally.web.limits import Limits
from livetally.web.problems import explain

CONNECTIONS = 8  # of the API to PostgreSQL; a question takes a millisecond or two


def make_app(
    settings: Settings,
    kafka_bootstrap_servers: str,
    database_url: str,
    parts: Sequence[Part],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """Raises UsageError if a route does not say who may use it. Nothing is connected to before the application is started."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ground = Ground(settings, kafka_bootstrap_servers, database_url, now, Pool(database_url, "api", CONNECTIONS))
        app.state.ground = ground
        async with AsyncExitStack() as running:
            running.callback(ground.pool.close)
            for part in parts:
                if part.running is not None:
                    await running.enter_async_context(part.running(ground))
            yield

    app = FastAPI(
        title="livetally",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,  # our own route for it says who may read it
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for part in parts:
        app.include_router(part.router)
    explain(app)
    app.add_middleware(Limits, settings=settings)
    app.add_middleware(Headers, behind_tls=settings.api_behind_tls)
    check_routes(app)
    return app
