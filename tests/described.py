"""Reading the description of the API: its operations, and the examples in it."""

from collections.abc import Iterator
from typing import Any

MEDIA_TYPE = "application/problem+json"
OTHERS_TEST = "Ballots"  # of this tag: test_ballots_over_http


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """With the components beside it, so that its references lead somewhere."""
    return schema | {"components": document["components"]}


def examples_of(document: dict[str, Any], content: dict[str, Any]) -> list[Any]:
    """Of a body: its own, or those of the schema that it refers to."""
    found = [content["example"]] if "example" in content else [one["value"] for one in content.get("examples", {}).values()]
    schema = content.get("schema", {})
    items = schema.get("items", {})
    for one, wrap in ((schema, False), (items, True)):
        name = one.get("$ref", "").rpartition("/")[2]
        of_schema = document["components"]["schemas"].get(name, {}).get("examples", [])
        found += [[value] if wrap else value for value in of_schema]
    return found
