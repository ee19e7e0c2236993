"""What went wrong, as `application/problem+json` (RFC 9457): for programs a type, for people what to do. A browser is shown a page."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import Scope

from livetally.core.errors import AuditError, DeliveryError, ElectionError, ServiceError, UsageError
from livetally.web.page import page

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2  # a broker or a database that was killed is back within some seconds
DETAIL_CHARS_MAX = 300

log = logging.getLogger(__name__)


class Problem(Exception):  # noqa: N818 (the name that RFC 9457 gives it)
    """An answer that is not what was asked for. `kind` is for programs and stays; `detail` is for people and never repeats a secret."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        field: str | None = None,
        retry_after_s: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.field = field
        self.headers = dict(headers or {}) | ({"Retry-After": str(retry_after_s)} if retry_after_s is not None else {})

    def document(self, path: str) -> dict[str, Any]:
        named: dict[str, Any] = {
            "type": f"urn:livetally:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": path,
        }
        return named if self.field is None else named | {"field": self.field}

    def response(self, scope: Scope) -> Response:
        headers = {"Cache-Control": "no-store", "Vary": "Accept, Cookie, Authorization"} | self.headers
        if b"text/html" not in dict(scope["headers"]).get(b"accept", b""):  # which a browser asks for, and no program does by itself
            return JSONResponse(self.document(scope["path"]), self.status, headers, MEDIA_TYPE)
        shown = page(
            "problem.html",
            self.status,
            title=HTTPStatus(self.status).phrase,
            detail=self.detail,
            wait_s=self.headers.get("Retry-After"),
            is_voting=scope["path"].startswith("/vote") and (self.status == 429 or self.status >= 500),  # noqa: PLR2004 (it was on its way)
        )
        shown.headers.update(headers)
        return shown


def away(detail: str) -> Problem:
    """A service does not answer; it will again."""
    return Problem(503, "service-away", detail, retry_after_s=RETRY_AFTER_S)


def no_election() -> Problem:
    """The same for one that does not exist as for one that somebody may not know of."""
    return Problem(404, "not-found", "There is no such election, or it is not public. `/elections` lists those that you may see.")


def explain(app: FastAPI) -> None:
    """From now on the application answers every fault with a problem."""
    app.add_exception_handler(Problem, _answer)
    app.add_exception_handler(RequestValidationError, _answer)
    app.add_exception_handler(HTTPException, _answer)
    app.add_exception_handler(ServiceError, _answer)
    app.add_exception_handler(DeliveryError, _answer)
    app.add_exception_handler(ElectionError, _answer)
    app.add_exception_handler(AuditError, _answer)
    app.add_exception_handler(UsageError, _answer)


def problem_of(fault: Exception, scope: Scope) -> Problem:
    """What to say about any exception. Of one that nobody foresaw nothing is said: its words may hold anything."""
    match fault:
        case Problem():
            return fault
        case RequestValidationError():
            return _of_validation(fault, scope)
        case HTTPException(__cause__=Problem() as cause):  # FastAPI's words for whatever happens while it reads a body
            return cause
        case HTTPException():
            return _of_http(fault, scope)
        case ServiceError() | DeliveryError():
            log.warning("a service is away", extra={"path": scope["path"], "why": fault})
            return away("A service that this needs does not answer at present. Nothing was changed; try again.")
        case ElectionError() | AuditError():
            return Problem(409, "not-possible", str(fault).split("\n", 1)[0])
        case UsageError():
            return Problem(422, "not-valid", str(fault).split("\n", 1)[0])
        case _:
            log.error("a request ended by a fault in the program", extra={"path": scope["path"]}, exc_info=fault)
            return Problem(500, "fault", "Something went wrong here that is not your fault. The log of the server says what.")


async def _answer(request: Request, fault: Exception) -> Response:
    return problem_of(fault, request.scope).response(request.scope)


def _of_validation(fault: RequestValidationError, scope: Scope) -> Problem:
    """The first fault alone: whoever mends it sees the next. Never the value, which may be a password."""
    first = fault.errors()[0]
    place, *names = [str(one) for one in first["loc"]]
    if place == "body":
        if first["type"] == "json_invalid":
            return Problem(400, "not-json", "The body is not JSON.", field="body")
        if not names and not _says_what_it_sends(scope):
            return Problem(415, "media-type", "The body has to be JSON, sent with `Content-Type: application/json`.", field="body")
    return Problem(422, "not-valid", f"{first['msg']}."[:DETAIL_CHARS_MAX], field=".".join(names) or place)


def _of_http(fault: HTTPException, scope: Scope) -> Problem:
    headers = fault.headers or {}
    match fault.status_code:
        case 404:
            return Problem(404, "not-found", "There is nothing at this address.", headers=headers)
        case 405:
            return Problem(405, "method", f"{scope['method']} is not possible here.", headers=headers)
        case 413:
            return Problem(413, "too-large", "The body is larger than this accepts.", headers=headers)
        case status:
            return Problem(status, "http", str(fault.detail)[:DETAIL_CHARS_MAX], headers=headers)


def _says_what_it_sends(scope: Scope) -> bool:
    kind = dict(scope["headers"]).get(b"content-type", b"").partition(b";")[0].strip().lower()
    return kind == b"application/json" or kind.endswith(b"+json") or kind in (b"application/x-www-form-urlencoded", b"multipart/form-data")
