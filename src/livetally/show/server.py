"""The page's server: Streamlit's application, with the first look in front of it, started warm.

python -m livetally.show.server --port 8501 --address 127.0.0.1
"""

import argparse
import asyncio
import gc
import gzip
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route
from streamlit import file_util
from streamlit.runtime import get_instance
from streamlit.web.server.starlette import App

from livetally.adapters.access import secured
from livetally.core.access import Role, may
from livetally.core.errors import UsageError
from livetally.observe.log import start_logging
from livetally.settings import read_settings
from livetally.show.assets import Compressed, takes_gzip
from livetally.show.dashboard import options
from livetally.show.first_look import first_look
from livetally.show.live import PAGES, Page
from livetally.show.page import ICON, SCRIPT, TITLE
from livetally.show.scene import Moment
from livetally.show.serving import Serving
from livetally.show.sharing import shared
from livetally.show.shell import Shell, read_shell
from livetally.show.sources import of_server
from livetally.show.warm import warm_up

LOOK_LEVEL = 3  # made anew for each viewer: a quarter of the bytes for a millisecond
# No other page may draw this one inside itself and lay something over it, and no server that a link leads to learns what was chosen here.
HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept-Encoding, Cookie",
    "Content-Security-Policy": "frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m livetally.show.server", description=__doc__, allow_abbrev=False)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--address", required=True)
    asked = parser.parse_args()
    start_logging("show")
    application(Path(file_util.get_static_dir()), connected()).run(config=options(asked.port, asked.address))


def connected() -> Callable[[], Serving] | None:
    """What is behind the page; None if nobody has told where the services are, which the page then says."""
    try:
        settings = read_settings()
    except UsageError:
        return None
    if settings.kafka_bootstrap_servers is None or settings.database_url is None:
        return None
    return partial(shared, secured(settings.kafka_bootstrap_servers, settings), settings.database_url.get_secret_value())


def application(static: Path, serving: Callable[[], Serving] | None) -> App:
    """`static`: where Streamlit's own files lie. Raises UsageError if a page does not say who may open it."""
    check_pages(PAGES)

    @asynccontextmanager
    async def warm(_app: App) -> AsyncIterator[None]:
        if serving is not None:
            ours = await asyncio.to_thread(serving)
            await warm_up(get_instance(), lambda: ours.snapshot.facts is not None and ours.snapshot.results is not None)
        # What is loaded by now stays: garbage is looked for among the rest, so that it takes little time and is found soon.
        gc.collect()
        gc.freeze()
        yield

    routes = [] if serving is None else looks(static, serving)
    return App(SCRIPT, routes=routes, middleware=[Middleware(Compressed, directory=static)], lifespan=warm)


def check_pages(pages: Sequence[Page]) -> None:
    """As `web/access.py` does with routes. Raises UsageError that names every page that does not say who may open it."""
    said: dict[str, object] = {page.title: page.who for page in pages}  # not every page has been past a type checker
    silent = [title for title, who in said.items() if not isinstance(who, Role)]
    if silent:
        raise UsageError(f"{len(silent)} of the pages do not say who may open them: {', '.join(silent)}. Declare it as `who` of the page.")


def looks(static: Path, serving: Callable[[], Serving], pages: Sequence[Page] = PAGES) -> list[BaseRoute]:
    """What answers where a page has its address. Streamlit answers everywhere else."""
    shell = read_shell(static, TITLE, ICON)
    return [Route(f"/{page.path}", _look(shell, page, serving), methods=["GET"]) for page in pages]


def _look(shell: Shell, page: Page, serving: Callable[[], Serving]) -> Callable[[Request], Response]:
    """Runs in a thread of its own: a question to PostgreSQL that nobody has asked before is waited for, less than a second."""

    def look(request: Request) -> Response:
        sources = of_server(serving(), request.cookies, lambda: datetime.now(UTC))
        if not may(sources.person(), page.who, None):
            return Response("This page is not for you.", HTTPStatus.FORBIDDEN, HEADERS)
        # The browser has not said yet where it is.
        moment = Moment(sources.clock(), UTC, zone_name=" UTC")
        document = shell.around(first_look(sources, page, moment, request.query_params)).encode()
        if not takes_gzip(request):
            return HTMLResponse(document, headers=HEADERS)
        return HTMLResponse(gzip.compress(document, LOOK_LEVEL), headers={**HEADERS, "Content-Encoding": "gzip"})

    return look


if __name__ == "__main__":
    main()
