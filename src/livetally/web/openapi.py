"""The description of the API (OpenAPI 3.1): FastAPI's own, and what it cannot know: who may use what, and every problem."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from livetally.core.access import Role, cookie_name
from livetally.web import models
from livetally.web.access import Anybody, Having, Rule, SignedIn, WithCode, anybody, rules
from livetally.web.models import EXAMPLE_ID, ProblemDocument
from livetally.web.problems import MEDIA_TYPE, Problem

router = APIRouter()

ABOUT = """\
Elections, results and ballots. What counts is decided elsewhere: a ballot that is acknowledged here is judged by *record*, and its receipt
tells what came of it.

Programs send `Authorization: Bearer …` with a token (`POST /tokens`), browsers the cookie of a session (`POST /session`) and, with what
changes something, its `X-CSRF-Token`. Much may be read without either. A ballot needs neither: its voting code is in its body. Every answer that is not what was asked for is a problem
(RFC 9457) with a `type` for programs, a `detail` for people and, where one is at fault, the `field`.

Answers that may be kept carry an `ETag`; `If-None-Match` gets a 304 while nothing has changed.
"""
TAGS = [
    {"name": "Elections", "description": "which there are, and who stands"},
    {"name": "Results", "description": "as far as the election's policy lets you see them"},
    {"name": "Ballots", "description": "casting one, and what came of it"},
    {"name": "Observing", "description": "alerts, rejected ballots, the audit; for observers"},
    {"name": "Administering", "description": "for officials and admins"},
    {"name": "Signing in", "description": "sessions of browsers, tokens of programs"},
]
PROBLEMS = {
    "400": Problem(400, "not-json", "The body is not JSON.", field="body"),
    "401": Problem(401, "sign-in", "Sign in first, or send a token: `Authorization: Bearer …`."),
    "403": Problem(403, "forbidden", "This needs the role official, which ada does not have here."),
    "404": Problem(404, "not-found", "There is no such election, or it is not public. `/elections` lists those that you may see."),
    "409": Problem(409, "not-possible", f"'{EXAMPLE_ID}' is open, and only a draft can be opened."),
    "413": Problem(413, "too-large", "The body is larger than 262144 bytes.", field="body"),
    "415": Problem(415, "media-type", "The body has to be JSON, sent with `Content-Type: application/json`.", field="body"),
    "422": Problem(422, "not-valid", "String should have at least 1 character.", field="name"),
    "429": Problem(429, "too-often", "That is more often than this takes. Wait, then try again.", retry_after_s=3),
    "431": Problem(431, "head-too-large", "The headers are larger than 16384 bytes."),
    "500": Problem(500, "fault", "Something went wrong here that is not your fault. The log of the server says what."),
    "503": Problem(
        503, "service-away", "A service that this needs does not answer at present. Nothing was changed; try again.", retry_after_s=2
    ),
}
WAITS = ("429", "503")
UNSAFE = ("post", "put", "patch", "delete")


@router.get("/openapi.json", include_in_schema=False, dependencies=[anybody])
async def openapi(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi(), headers={"Cache-Control": "public, max-age=60"})


def schemes(*, behind_tls: bool) -> dict[str, Any]:
    """A voting code is none of them: it is a field of the ballot, and is read from nowhere else."""
    cookie = cookie_name(behind_tls=behind_tls)
    return {
        "session": {"type": "apiKey", "in": "cookie", "name": cookie, "description": "with `X-CSRF-Token` for what changes something"},
        "token": {"type": "http", "scheme": "bearer", "description": "from `POST /tokens`"},
    }


def described(app: FastAPI, *, behind_tls: bool) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes, tags=TAGS)
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        for foreign in ("HTTPValidationError", "ValidationError"):
            schemas.pop(foreign, None)
        for name, model in vars(models).items():
            if name in schemas and "examples" in schemas[name]:  # FastAPI leaves out what is null, also in examples
                schemas[name]["examples"] = model.model_config["json_schema_extra"]["examples"]
        schemas["Problem"] = ProblemDocument.model_json_schema() | {"title": "Problem"}
        components["securitySchemes"] = schemes(behind_tls=behind_tls)
        for place, rule in rules(app):
            method, path = place.split(" ", 1)
            operation = document["paths"].get(path, {}).get(method.lower())
            if operation is not None and rule is not None:
                _complete(operation, method.lower(), path, rule)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(operation: dict[str, Any], method: str, path: str, rule: Rule) -> None:
    operation["security"] = [{name: []} for name in _schemes(rule)] + ([{}] if _is_open(rule) else [])
    operation["description"] = f"{operation.get('description', '')}\n\nFor {_who(rule)}.".strip()
    responses = operation["responses"]
    if MEDIA_TYPE not in responses.get("422", {}).get("content", {}):
        responses.pop("422", None)
    named = {status for status, response in responses.items() if int(status) >= 400 and "content" not in response}  # noqa: PLR2004 (a refusal)
    for status in {*_statuses(operation, method, path, rule), *named} - (responses.keys() - named):
        responses[status] = _problem(status, path)
    operation["responses"] = dict(sorted(responses.items()))


def _statuses(operation: dict[str, Any], method: str, path: str, rule: Rule) -> Iterator[str]:
    yield from ("429", "431", "500", "503")
    if not isinstance(rule, Anybody):
        yield "401"
    if not isinstance(rule, Anybody | WithCode):
        yield "403"
    if "{" in path:
        yield "404"
    if "requestBody" in operation:
        yield from ("400", "413", "415")
    if "requestBody" in operation or operation.get("parameters"):
        yield "422"
    if method in UNSAFE:
        yield from ("403", "409", "413")


def _problem(status: str, path: str) -> dict[str, Any]:
    problem = PROBLEMS[status]
    schema = {"$ref": "#/components/schemas/Problem"}
    example = problem.document(path.replace("{election_id}", EXAMPLE_ID))
    described: dict[str, Any] = {"description": example["title"], "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}
    if status in WAITS:
        described["headers"] = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
    return described


def _schemes(rule: Rule) -> tuple[str, ...]:
    match rule:
        case Having() | SignedIn():
            return ("token", "session")
        case _:
            return ()


def _is_open(rule: Rule) -> bool:
    return isinstance(rule, Anybody | WithCode) or (isinstance(rule, Having) and rule.role is Role.VIEWER)


def _who(rule: Rule) -> str:
    match rule:
        case Having(role=Role.VIEWER):
            return "everybody, as far as they may see it"
        case Having(role=role):
            return f"whoever has the role {role.name.lower()}"
        case WithCode():
            return f"{rule.who}: `code` in the body is the right to it, and is read from nowhere else; no header is looked at"
        case _:
            return rule.who
