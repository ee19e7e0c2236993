"""What is told of elections: the numbers, and to whom."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from livetally.adapters.alerts import Alerts, KnownAlert
from livetally.adapters.cells import Cells
from livetally.adapters.postgres import Connection
from livetally.audit.report import Report
from livetally.core.access import Role
from livetally.core.alert_facts import Alert, Rule
from servers import Servers
from website import IDLE, Credential, Hall, Site, add_person, served

RESULT_PATHS = ("results", "results/stream", "history", "export.json", "export.csv")
PATHS = (*RESULT_PATHS, "turnout")
NOW = datetime.now(UTC)
SOON, BEFORE = NOW + timedelta(hours=1), NOW - timedelta(minutes=5)


@pytest.fixture
def hall(connection: Connection) -> Hall:
    hall = Hall(connection)
    hall.add_voters(10)
    hall.add("live")
    hall.add("turnout", visible="turnout", closes_at=SOON)
    hall.add("turnout-over", visible="turnout", closes_at=BEFORE)
    hall.add("turnout-closing", visible="turnout", status="closed", closes_at=SOON)
    hall.add("secret", visible="officials")
    hall.add("secret-closed", visible="officials", status="closed", closes_at=BEFORE)
    hall.add("published", visible="officials", status="closed", closes_at=BEFORE, published_at=BEFORE)
    hall.add("rehearsal", visible="officials", kind="simulated")
    hall.add("draft", status="draft", opens_at=None)
    for election_id in SHOWN:
        hall.count(election_id, 3, 4, at=BEFORE)
    return hall


# What the public sees: "result", "turnout", "nothing", or that there is no such election.
SHOWN = {
    "live": "result",
    "turnout": "turnout",
    "turnout-over": "result",
    "turnout-closing": "turnout",  # closed a few seconds ahead: ballots still count
    "secret": "nothing",
    "secret-closed": "nothing",
    "published": "result",
    "rehearsal": "result",
    "draft": "unknown",
}


@pytest.fixture
def site(servers: Servers, database_url: str, hall: Hall) -> Iterator[Site]:  # noqa: ARG001 (it fills the database)
    with served(servers.kafka, database_url) as site:
        yield site


def statuses(site: Site, election_id: str, who: Credential | None) -> dict[str, int]:
    found = {}
    for path in PATHS:
        with site.get(f"/elections/{election_id}/{path}", who, stream=True) as response:
            found[path] = response.status_code
            if response.status_code == 200 and path == "results/stream":
                found[path] = {b"event: result": 200, b"event: turnout": 206, b"event: hidden": 403}[
                    next(line for line in response.iter_lines() if line.startswith(b"event"))
                ]
    return found


def expected(sees: str) -> dict[str, int]:
    match sees:
        case "result":
            return dict.fromkeys(PATHS, 200)
        case "turnout":
            return dict.fromkeys(RESULT_PATHS, 403) | {"turnout": 200, "results/stream": 206}
        case "nothing":
            return dict.fromkeys(PATHS, 403)
        case _:
            return dict.fromkeys(PATHS, 404)


def test_policy(site: Site, connection: Connection) -> None:
    official, observer = add_person(connection, "o", Role.OFFICIAL), add_person(connection, "b", Role.OBSERVER)
    elsewhere = add_person(connection, "e", Role.ADMIN, ["live"])
    assert {one: statuses(site, one, None) for one in SHOWN} == {one: expected(sees) for one, sees in SHOWN.items()}
    assert {one: statuses(site, one, observer) for one in SHOWN} == {one: expected(sees) for one, sees in SHOWN.items()}
    assert {one: statuses(site, one, elsewhere) for one in SHOWN} == {one: expected(sees) for one, sees in SHOWN.items()}
    assert {one: statuses(site, one, official) for one in SHOWN} == {one: expected("result") for one in SHOWN}


def test_the_list_has_what_one_may_know_of(site: Site, connection: Connection) -> None:
    official = add_person(connection, "o", Role.OFFICIAL, ["draft"])
    public = {one["election_id"]: one["sight"] for one in site.get("/elections").json()}
    assert public == {one: sees for one, sees in SHOWN.items() if sees != "unknown"}
    assert {one["election_id"] for one in site.get("/elections", official).json()} == set(SHOWN)
    assert site.get("/elections/draft").json() == site.get("/elections/nowhere").json() | {"instance": "/elections/draft"}


def test_an_election_that_is_over_is_closed_for_who_looks(site: Site) -> None:
    assert site.get("/elections/turnout-over").json()["status"] == "closed"


def test_numbers(site: Site) -> None:
    found = site.get("/elections/live/results").json()
    assert [(one["candidate_id"], one["total_votes"]) for one in found["candidates"]] == [("live-1", 4), ("live-0", 3)]
    assert (found["total_votes"], found["registered"], found["simulated"]) == (7, 10, False)
    turnout = site.get("/elections/live/turnout").json()
    assert turnout["by_state"] == [{"group": "State 1", "votes": 7, "registered": None}]
    assert "candidates" not in turnout
    history = site.get("/elections/live/history").json()
    assert [one["total_votes"] for one in history["candidates"]] == [[3], [4]]
    assert site.get("/elections/live/history?state=Nowhere").json()["field"] == "state"


def test_a_recount_says_how_far_it_is_and_shows_the_numbers_from_before(site: Site, connection: Connection) -> None:
    def told(path: str) -> tuple[bool, int | None, int]:
        found = site.get(f"/elections/live/{path}").json()
        return found["recounting"], found["recounted_percent"], found["total_votes"]

    assert told("results") == told("turnout") == (False, None, 7)
    recount = Cells(connection).begin("tests", "recount: its checkpoint is lost").number
    assert told("results") == (True, 0, 7)
    connection.execute("INSERT INTO tally_positions VALUES (%s, 0, 3)", (recount,))  # of what was counted election by election
    assert told("results") == told("turnout") == (True, 100 * 3 // len(SHOWN), 7)


def test_at_a_moment(site: Site, hall: Hall) -> None:
    hall.count("live", 5, 0, at=BEFORE + timedelta(minutes=2))

    def total(moment: datetime) -> int:
        response = site.get("/elections/live/results", params={"at": moment.isoformat()})
        assert response.status_code == 200, response.text
        return int(response.json()["total_votes"])

    minute = timedelta(minutes=1)
    assert [total(BEFORE + number * minute) for number in (-1, 0, 1, 2, 3)] == [0, 0, 7, 7, 12]
    assert site.get("/elections/live/results?at=yesterday").json()["field"] == "at"
    assert site.get("/elections/live/results?at=2026-05-07T10:00:00").status_code == 422  # of which zone?


def test_files(site: Site) -> None:
    response = site.get("/elections/live/export.csv")
    assert response.headers["Content-Disposition"].startswith('attachment; filename="live-result')
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert {(row["view"], row["candidate_id"]): int(row["total_votes"]) for row in rows if row["view"] in ("", "state")} == {
        ("", "live-1"): 4,
        ("", "live-0"): 3,
        ("state", "live-0"): 3,
        ("state", "live-1"): 4,
    }
    document = site.get("/elections/live/export.json").json()
    assert sum(one["votes"] for one in document["groups"] if one["view"] == "gender") == 7
    assert {row["kind"] for row in csv.DictReader(io.StringIO(site.get("/elections/rehearsal/export.csv").text))} == {"simulation"}


def test_what_has_not_changed_is_not_sent_again_and_never_to_who_may_not_see_it(site: Site, hall: Hall, connection: Connection) -> None:
    official = add_person(connection, "o", Role.OFFICIAL)
    first = site.get("/elections/live/results")
    tag = {"If-None-Match": first.headers["ETag"]}
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert site.get("/elections/live/results", headers=tag).status_code == 304
    hall.count("live", 1, 0, at=BEFORE)
    assert site.get("/elections/live/results", headers=tag).status_code == 200
    hidden = site.get("/elections/secret/results", official)
    assert site.get("/elections/secret/results", headers={"If-None-Match": hidden.headers["ETag"]}).status_code == 403


def test_observers_see_what_was_rejected_and_not_whose_it_was(site: Site, connection: Connection) -> None:
    observer = add_person(connection, "b", Role.OBSERVER)
    connection.execute(
        "INSERT INTO rejections (ballot_partition, ballot_offset, election_id, voter_id, reason, detail, appended_at) "
        "SELECT 0, n, 'live', 'v' || n, 'not_open', '', now() - n * interval '1 minute' FROM generate_series(1, 5) n"
    )
    found = site.get("/elections/live/rejections?limit=2", observer)
    assert found.json()["counts"] == {"not_open": 5}
    assert [one["offset"] for one in found.json()["newest"]] == [1, 2]
    assert "v1" not in found.text
    assert site.get("/elections/live/alerts", observer).json() == []


def test_alerts_tell_observers_no_more_than_they_may_see(site: Site, connection: Connection) -> None:
    observer, official = add_person(connection, "b", Role.OBSERVER), add_person(connection, "o", Role.OFFICIAL)
    about_ada = Alert(Rule.SHARE, "Kent, Ada", "Kent", "ada", "raised", "notice", 4_177, 1, 7, 7, 0.1, "Kent: 4,177 votes for ada")
    about_kent = Alert(Rule.BURST, "Kent", "Kent", "", "raised", "notice", 88, 1, 7, 7, 0.1, "Kent: 88 votes")
    Alerts(connection).store([KnownAlert(one, alert, (1, 0)) for one in SHOWN for alert in (about_ada, about_kent)])

    def told(election_id: str, who: Credential) -> list[str]:
        return [one["subject"] for one in site.get(f"/elections/{election_id}/alerts", who).json()]

    both = ["Kent", "Kent, Ada"]
    known = {election_id: sees for election_id, sees in SHOWN.items() if sees != "unknown"}
    assert {one: told(one, observer) for one in known} == {one: both if sees == "result" else ["Kent"] for one, sees in known.items()}
    assert {one: told(one, official) for one in SHOWN} == dict.fromkeys(SHOWN, both)


@pytest.fixture
def audited() -> Report:
    """An audit that has found something in every election, and something that is of no single one."""
    report = Report(ballots=999, heads=[{"partition": 0, "next_offset": 999, "digest": "ab"}])
    for election_id in SHOWN:
        report.count(election_id, "accepted", 7)
        report.count(election_id, "tallied", 7)
        report.differ(f"cell {election_id} · ada · Kent: votes_topic has 4177 votes", election_id)
    report.differ("chain of ballots_topic[0]: a link was changed")
    return report


def test_an_audit_tells_of_one_election_no_more_than_may_be_seen_of_it(
    servers: Servers, database_url: str, hall: Hall, audited: Report
) -> None:
    observer, official = add_person(hall.connection, "b", Role.OBSERVER), add_person(hall.connection, "o", Role.OFFICIAL)
    of_one = add_person(hall.connection, "l", Role.OFFICIAL, ["live"])
    chain = "chain of ballots_topic[0]"
    with served(servers.kafka, database_url, acts=replace(IDLE, audit=lambda: audited)) as site:

        def told(election_id: str, who: Credential) -> dict[str, Any]:
            answer = site.get(f"/elections/{election_id}/audit", who)
            assert answer.status_code == 200, answer.text
            assert "4177" not in answer.text
            return dict(answer.json())

        for election_id, sees in SHOWN.items():
            everything = told(election_id, official)
            assert everything["differences"] == [chain, f"cell {election_id} · ada · Kent"]
            assert (everything["ok"], everything["chain_ok"], everything["differences_total"]) == (False, False, 2)
            assert everything["all_elections"]["ballots"] == 999
            if sees == "unknown":
                continue
            found = told(election_id, observer)
            assert (found["accepted"], found["tallied"]) == ((None, None) if sees == "nothing" else (7, 7))
            assert found["differences"] == (everything["differences"] if sees == "result" else [chain])
            assert found["all_elections"] is None, "beside a secret one a sum would tell"
        assert told("live", of_one)["all_elections"] is None
        assert told("live", of_one)["accepted"] == 7
        assert "999" not in site.get("/elections/live/audit", of_one).text


def test_sums_over_all_elections_are_for_who_may_see_each(
    servers: Servers, database_url: str, connection: Connection, audited: Report
) -> None:
    hall = Hall(connection)
    hall.add("live")
    hall.add("turnout", visible="turnout", closes_at=SOON)
    hall.add("draft", status="draft", opens_at=None)
    observer = add_person(connection, "b", Role.OBSERVER)
    with served(servers.kafka, database_url, acts=replace(IDLE, audit=lambda: audited)) as site:
        assert site.get("/elections/turnout/audit", observer).json()["all_elections"]["heads"] == audited.heads


@pytest.mark.parametrize("election_id", ["%00", "a%00b", "x" * 300, "A", "a_b", "-a", "%ff%fe", "..%2f..", "%F0%9F%97%B3"])
def test_ids_that_are_none(site: Site, election_id: str) -> None:
    for path in ("", "/candidates", "/results"):
        response = site.get(f"/elections/{election_id}{path}")
        assert response.status_code == 404, response.text
        assert response.headers["Content-Type"] == "application/problem+json"
