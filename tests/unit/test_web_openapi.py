"""The description of the API is complete, and its examples are what it says they are. Nothing is asked of a service."""

import json
from typing import Any

import jsonschema
import pytest

from described import MEDIA_TYPE, OTHERS_TEST, examples_of, operations, resolved
from livetally.web.app import make_app
from livetally.web.parts import every_part
from website import IDLE, settings_of


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = make_app(settings_of("postgresql://nowhere", "nowhere"), "nowhere", "postgresql://nowhere", IDLE, every_part())
    described: dict[str, Any] = json.loads(json.dumps(app.openapi()))
    return described


def test_everything_is_described(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation.get("summary"), name
        assert operation["tags"][0] in {tag["name"] for tag in document["tags"]}, name
        assert "security" in operation, name
        good = [status for status in operation["responses"] if status.startswith("2")]
        assert good, name
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert MEDIA_TYPE in response["content"], (name, status)
        for parameter in operation.get("parameters", []):
            assert parameter["schema"], (name, parameter["name"])
        if "requestBody" in operation and operation["tags"][0] != OTHERS_TEST:
            assert examples_of(document, operation["requestBody"]["content"]["application/json"]), name


def test_examples_are_of_their_schema(document: dict[str, Any]) -> None:
    checked = 0
    for name, operation in operations(document):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for body in [*bodies, *operation["responses"].values()]:
            for kind, content in body.get("content", {}).items():
                for example in examples_of(document, content) if "json" in kind else []:
                    try:
                        jsonschema.validate(example, resolved(document, content["schema"]))
                    except jsonschema.ValidationError as error:
                        pytest.fail(f"{name}: {error.message}")
                    checked += 1
    assert checked > 100


def test_a_voting_code_is_shown_in_the_body_and_nowhere_else(document: dict[str, Any]) -> None:
    cast = dict(operations(document))["POST /elections/{election_id}/ballots"]
    assert cast["security"] == [{}]
    assert "`code` in the body" in cast["description"]
