"""The description of the API: its examples work, and the application is as it says."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection

from described import OTHERS_TEST, examples_of, operations, resolved
from livetally.adapters.people import People
from livetally.adapters.postgres import Connection
from livetally.core.access import Role
from livetally.core.passwords import hash_password
from livetally.core.wire import topics
from livetally.web.models import EXAMPLE_ID
from servers import Servers, recreate
from website import IDLE, Credential, Hall, Site, add_person, served, session_of

EXAMPLES_PER_OPERATION = 8
SEED = 7
ENDLESS = "/elections/{election_id}/results/stream"

# The order in which an election goes; the others come between opening and closing it.
FIRST = [
    "POST /session",
    "POST /tokens",
    "POST /elections",
    "POST /elections/{election_id}/candidates",
    "POST /elections/{election_id}/open",
]
LAST = [
    "POST /elections/{election_id}/close",
    "POST /elections/{election_id}/publish",
    "POST /elections/{election_id}/certify",
    "DELETE /tokens/{number}",
    "DELETE /session",
]
# What cannot succeed with the example alone, and says so: nothing is kept back that could be published, and nobody records or tallies.
REFUSED = {
    "POST /elections/{election_id}/publish": 409,
    "POST /elections/{election_id}/certify": 409,
    "GET /elections/{election_id}/audit": 409,  # nothing has been tallied here
}


@pytest.fixture
def site(servers: Servers, database_url: str) -> Iterator[Site]:
    recreate(servers.admin, topics(1))
    with served(servers.kafka, database_url) as site:
        yield site


@pytest.fixture
def document(site: Site) -> dict[str, Any]:
    described: dict[str, Any] = site.get("/openapi.json").json()
    return described


def test_every_example_against_the_application(site: Site, document: dict[str, Any], connection: Connection) -> None:
    People(connection).add_user("ada", Role.ADMIN, None, hash_password("correct horse battery"))
    people = {"token": add_person(connection, "grace", Role.ADMIN), "session": session_of(connection, "grace")}
    Hall(connection).add_voters(1)
    every = dict(operations(document))
    between = [name for name in every if name not in (*FIRST, *LAST)]
    for name in [*FIRST, *between, *LAST]:
        if every[name]["tags"][0] == OTHERS_TEST:
            continue
        _call(site, document, name, every[name], people)
        if name == "POST /elections":
            connection.execute("INSERT INTO roll_entries VALUES ('v0', %s, now())", (EXAMPLE_ID,))
            connection.execute("INSERT INTO roll_sizes VALUES (%s, 1)", (EXAMPLE_ID,))


def _call(site: Site, document: dict[str, Any], name: str, operation: dict[str, Any], people: dict[str, Credential]) -> None:
    method, path = name.split(" ")
    query: dict[str, Any] = {}
    for parameter in operation.get("parameters", []):
        examples = parameter["schema"].get("examples") or [one["value"] for one in parameter.get("examples", {}).values()]
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(examples[0]))
        elif examples:
            query[parameter["name"]] = examples[0]
    if name.endswith("/certify"):
        query["within_s"] = 0
    who = people["session" if name in ("POST /tokens", "DELETE /session", "DELETE /tokens/{number}") else "token"]
    bodies = examples_of(document, operation["requestBody"]["content"]["application/json"]) if "requestBody" in operation else [None]
    for body in bodies:
        if name == "DELETE /tokens/{number}":
            path = f"/tokens/{site.get('/tokens', who).json()[0]['number']}"
        with site.ask(method, path, None if name == "POST /session" else who, params=query, json=body, stream=True) as response:
            _check(document, name, operation, response)


def _check(document: dict[str, Any], name: str, operation: dict[str, Any], response: Any) -> None:
    described = operation["responses"].get(str(response.status_code))
    if name.endswith("/stream"):
        assert response.status_code == 200
        return
    assert described is not None, (name, response.status_code, response.text)
    expected = REFUSED.get(name)
    assert response.status_code == expected if expected else response.ok, (name, response.status_code, response.text)
    if response.status_code == 204:
        assert not response.content
        return
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    assert kind in described["content"], (name, kind)
    if "json" in kind:
        jsonschema.validate(json.loads(response.text), resolved(document, described["content"][kind]["schema"]))


@pytest.mark.parametrize("behind_tls", [False, True])
def test_every_way_to_show_who_one_is_is_accepted(servers: Servers, database_url: str, connection: Connection, behind_tls: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    token = add_person(connection, "grace", Role.ADMIN).text
    session = session_of(connection, "grace").text
    with served(servers.kafka, database_url, acts=IDLE, api_behind_tls=behind_tls) as site:
        document = site.get("/openapi.json").json()
        schemes = document["components"]["securitySchemes"]
        named = {name for _, operation in operations(document) for one in operation["security"] for name in one}
        assert named == schemes.keys() == {"token", "session"}
        assert site.get("/acts").status_code == 401
        assert site.get("/acts", headers={"Cookie": f"{schemes['session']['name']}={session}"}).status_code == 200
        assert schemes["token"] | {"description": ""} == {"type": "http", "scheme": "bearer", "description": ""}
        assert site.get("/acts", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_schemathesis(servers: Servers, database_url: str, connection: Connection) -> None:
    """Requests that fit the description, and such that do not, from a fixed seed: the answers fit it, and nothing ends in a fault."""
    hall = Hall(connection)
    hall.add(EXAMPLE_ID)
    hall.count(EXAMPLE_ID, 3, 4)
    admin = add_person(connection, "grace", Role.ADMIN)
    with served(servers.kafka, database_url, acts=IDLE) as site:
        schema = schemathesis.openapi.from_url(f"{site.url}/openapi.json")
        tried = 0
        for found in schema.get_all_operations():
            assert isinstance(found, Ok), found
            operation = found.ok()
            if operation.path == ENDLESS:
                continue
            tried += 1
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                _try_out(operation.as_strategy(generation_mode=mode), admin)
        assert tried > 25


def _try_out(cases: st.SearchStrategy[Any], admin: Credential) -> None:
    @seed(SEED)
    @settings(max_examples=EXAMPLES_PER_OPERATION, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def one(case: Any) -> None:
        response = case.call(headers=admin.headers())
        try:
            case.validate_response(
                response,
                checks=[
                    schemathesis.checks.not_a_server_error,
                    schemathesis.checks.status_code_conformance,
                    schemathesis.checks.content_type_conformance,
                    schemathesis.checks.response_schema_conformance,
                    negative_data_rejection,
                    ignored_auth,
                ],
            )
        except FailureGroup as group:
            pytest.fail(f"{case.method} {case.path}: {[str(one) for one in group.exceptions]}")

    with suppress(Unsatisfiable):  # nothing is asked that could be wrong
        one()
