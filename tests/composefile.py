"""`compose.yaml`, read as Compose reads it: anchors merged, variables substituted. For tests that hold it against the program."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
COMPOSE = ROOT / "compose.yaml"
VARIABLES = {"POSTGRES_PASSWORD": "secret"}  # what somebody who follows `.env.example` must set

# `$$`, or `${NAME}` with one of the forms that we use: `:-default`, `:?message`.
_VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?::(?P<form>[-?])(?P<text>[^}]*))?\})")


@dataclass(frozen=True, slots=True)
class Service:
    """A stage as a container: what follows `livetally` on its command line, and the variables that it is given."""

    command: list[str]
    environment: dict[str, str]


def read(variables: Mapping[str, str] = VARIABLES) -> dict[str, Any]:
    """The whole file. Raises LookupError with the file's own message where a variable must be set and is not."""
    document = substitute(yaml.safe_load(COMPOSE.read_text("utf-8")), variables)
    assert isinstance(document, dict)
    return document


def our_services(variables: Mapping[str, str] = VARIABLES) -> dict[str, Service]:
    """Every service that runs `livetally` (and not Spark, which our image holds too), by its name."""
    document = read(variables)
    return {
        name: Service([str(word) for word in service["command"]], {key: str(value) for key, value in service["environment"].items()})
        for name, service in document["services"].items()
        if service["image"] == document["x-livetally"]["image"] and "entrypoint" not in service
    }


def variables_used() -> set[str]:
    """The names that the file takes from `.env`."""
    return {found["name"] for found in _VARIABLE.finditer(COMPOSE.read_text("utf-8")) if found["name"]}


def substitute(node: Any, variables: Mapping[str, str]) -> Any:
    match node:
        case dict():
            return {key: substitute(value, variables) for key, value in node.items()}
        case list():
            return [substitute(value, variables) for value in node]
        case str():
            return _VARIABLE.sub(lambda found: _value(found, variables), node)
        case _:
            return node


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found["escaped"]:
        return "$"
    if value := variables.get(found["name"]):
        return value
    if found["form"] == "-":
        return found["text"]
    raise LookupError(f"{found['name']}: {found['text'] or 'not set'}")
