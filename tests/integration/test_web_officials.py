"""What officials do over HTTP: the acts of the command line, each with its trace; and what is refused changes nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from livetally.adapters.acts import Acts
from livetally.adapters.postgres import Connection
from livetally.core.access import Role
from livetally.core.wire import topics
from servers import Servers, recreate, wait_for
from website import Credential, Hall, Site, add_person, served

DRAFT: dict[str, Any] = {"election_id": "board", "name": "Board", "visible": "officials"}
LIST = {"candidates": [{"name": "Grace"}, {"name": "Alan", "party": "Machines"}]}


@pytest.fixture
def site(servers: Servers, database_url: str) -> Iterator[Site]:
    recreate(servers.admin, topics(1))
    with served(servers.kafka, database_url) as site:
        yield site


@pytest.fixture
def official(connection: Connection) -> Credential:
    Hall(connection).add_voters(3)
    return add_person(connection, "ada", Role.OFFICIAL)


def test_from_the_draft_to_its_publication(site: Site, connection: Connection, official: Credential) -> None:
    made = site.post("/elections", official, json=DRAFT)
    assert (made.status_code, made.json()["status"]) == (201, "draft")
    assert site.get("/elections/board").status_code == 404
    listed = site.post("/elections/board/candidates", official, json=LIST)
    assert [one["candidate_name"] for one in listed.json()] == ["Grace", "Alan"]
    assert site.post("/elections/board/open", official).json()["status"] == "open"
    assert site.get("/elections/board").json()["sight"] == "nothing"
    assert site.post("/elections/board/candidates", official, json=LIST).status_code == 409
    assert site.post("/elections/board/publish", official).status_code == 409  # it is not over
    closed = site.post("/elections/board/close", official).json()
    assert closed["status"] == "closed"
    assert datetime.fromisoformat(closed["closes_at"]) > datetime.now(UTC) - timedelta(seconds=1)
    assert site.post("/elections/board/close", official).status_code == 409
    wait_for(lambda: site.post("/elections/board/publish", official).status_code == 200, "it is over, and published")
    assert site.get("/elections/board/results").json()["total_votes"] == 0
    acts = [(act.what, act.who, act.election_id, act.came_from) for act in reversed(Acts(connection).newest(20))]
    assert acts == [
        (what, "ada", "board", "127.0.0.1")
        for what in ("election create", "election import-candidates", "election open", "election close", "election publish")
    ]


@pytest.mark.parametrize(
    ("changed", "status", "field"),
    [
        ({"election_id": "Board"}, 422, "election_id"),
        ({"name": "a\u202eb"}, 422, "name"),
        ({"name": ""}, 422, "name"),
        ({"closes_planned": "2020-01-01T00:00:00Z"}, 422, "closes_planned"),
        ({"closes_planned": "2036-01-01T00:00:00"}, 422, "closes_planned"),
        ({"roll": "states"}, 422, "roll_states"),
        ({"roll": "everybody"}, 422, "roll"),
        ({"colour": "red"}, 422, "colour"),
    ],
)
def test_what_cannot_be_made(site: Site, official: Credential, changed: dict[str, Any], status: int, field: str) -> None:
    response = site.post("/elections", official, json=DRAFT | changed)
    assert (response.status_code, response.json().get("field")) == (status, field)
    assert site.get("/elections", official).json() == []


def test_an_id_stands_for_one_election(site: Site, official: Credential) -> None:
    assert [site.post("/elections", official, json=DRAFT).status_code for _ in range(2)] == [201, 409]


@pytest.mark.parametrize(
    ("candidates", "field"),
    [
        ([{"name": "Grace"}], "candidates"),
        ([{"name": "Grace"}, {"name": "Grace"}], "candidates.1"),
        ([{"name": "Grace", "biography": "one\ntwo"}, {"name": "Alan", "picture": "https://evil.example/x.png"}], "candidates.1"),
        ([{"name": "Grace", "biography": "x" * 301}, {"name": "Alan"}], "candidates.0.biography"),
        ([{"name": "Grace"}, {"party": "none"}], "candidates.1.name"),
    ],
)
def test_candidates_that_cannot_stand(site: Site, official: Credential, candidates: list[dict[str, str]], field: str) -> None:
    site.post("/elections", official, json=DRAFT)
    response = site.post("/elections/board/candidates", official, json={"candidates": candidates})
    assert (response.status_code, response.json()["field"]) == (422, field)
    assert site.get("/elections/board/candidates", official).json() == []


def test_who_is_for_one_election_makes_no_other(site: Site, connection: Connection, official: Credential) -> None:
    site.post("/elections", official, json=DRAFT)
    mine = add_person(connection, "grace", Role.OFFICIAL, ["board"])
    assert site.post("/elections", mine, json=DRAFT | {"election_id": "another"}).status_code == 403
    assert site.post("/elections/board/candidates", mine, json=LIST).status_code == 200


def test_what_is_not_counted_is_not_certified(site: Site, connection: Connection, official: Credential) -> None:
    Hall(connection).add("over", status="closed", closes_at=datetime.now(UTC) - timedelta(minutes=1))
    response = site.post("/elections/over/certify?within_s=0", official)
    assert (response.status_code, response.json()["type"]) == (409, "urn:livetally:problem:not-possible"), response.text
    open_one = site.post("/elections/nowhere/certify?within_s=0", official)
    assert open_one.status_code == 404
