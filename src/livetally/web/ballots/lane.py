"""The short way for ballots: past the search for a route, which would cost as much as the ballot itself.

The route is declared like every other (`routes.py`), with its rule and its description, and does the same; whoever has a voting code may use
it, and the code is looked up in either case where the ballot is cast.
"""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import Response
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

METHOD, BEGIN, END = "POST", "/elections/", "/ballots"
ROUTE = f"{METHOD} {BEGIN}{{election_id}}{END}"  # that this is the short way to
ASKED_FOR = {b"content-type": "content-type", b"idempotency-key": "idempotency-key"}  # headers that a ballot has

Cast = Callable[[str, bytes, Mapping[str, str]], Awaitable[Response]]  # election, body, headers


class BallotLane:
    """Inside the limits, which also turn what goes wrong into an answer."""

    def __init__(self, app: ASGIApp, cast: Cast) -> None:
        self._app = app
        self._cast = cast

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        election_id = election_of(scope["path"]) if scope["type"] == "http" and scope["method"] == METHOD else None
        if election_id is None:
            await self._app(scope, receive, send)
            return
        headers = {ASKED_FOR[name]: value.decode("latin-1") for name, value in scope["headers"] if name in ASKED_FOR}
        answer = await self._cast(election_id, await _body(receive), headers)
        await answer(scope, receive, send)


def election_of(path: str) -> str | None:
    """The election, if this is the address of its ballots."""
    if not (path.startswith(BEGIN) and path.endswith(END)):
        return None
    election_id = path[len(BEGIN) : -len(END)]
    return election_id if election_id and "/" not in election_id else None


async def _body(receive: Receive) -> bytes:
    parts: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts += message.get("body", b"")
        if not message.get("more_body", False):
            return parts
