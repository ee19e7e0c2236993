"""Streamlit's scripts and styles, compressed once and kept: over a radio network in a hall a third of the bytes is a third of the time.

Streamlit serves them as they are, because it would compress them again for every request.
"""

import asyncio
import gzip
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX = "/static/"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
LEVEL = 6
KEPT_BYTES_MAX = 16_000_000  # more than all that a page loads; what is beyond that goes uncompressed
CACHE = "public, immutable, max-age=31536000"  # as Streamlit says it: their names change with their content


class Compressed:
    """In front of Streamlit's application."""

    def __init__(self, app: ASGIApp, directory: Path) -> None:
        self._app = app
        self._directory = directory
        self._kept: dict[str, bytes] = {}
        # Only what lies there: a path from outside is compared with names, and never opened.
        self._files = {f"/{path.relative_to(directory).as_posix()}": path for path in directory.rglob("*") if path.suffix in TYPES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        file = self._files.get(path)
        if file is None or not path.startswith(PREFIX) or scope["method"] != "GET" or not takes_gzip(Request(scope)):
            await self._app(scope, receive, send)
            return
        if path not in self._kept:
            if sum(map(len, self._kept.values())) > KEPT_BYTES_MAX:
                await self._app(scope, receive, send)
                return
            self._kept[path] = await asyncio.to_thread(_packed, file)
        headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding", "Cache-Control": CACHE, "Content-Type": TYPES[file.suffix]}
        await Response(self._kept[path], headers=headers)(scope, receive, send)


def takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")


def _packed(file: Path) -> bytes:
    return gzip.compress(file.read_bytes(), LEVEL, mtime=0)
