"""Ballots over HTTP on real Kafka, PostgreSQL and *record*: one voter, one vote, one receipt, whatever is sent and how often."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from bad_ballots import COUNTS, bad_ballots
from booths import LISTED, REAL, TESTER, TIMEOUT_S, await_state, cast, hold_real_election, issue_codes, state_of
from electorate import overrule
from livetally.adapters.codes import Codes, codes_key
from livetally.core.access import Role
from livetally.core.codes import grouped, written
from livetally.core.wire import BALLOTS
from pipeline import Pipeline, recording
from website import Site, add_person, served

TOGETHER = 16
NOBODYS = grouped(written(b"\x07" * 16))


@dataclass
class Polls:
    site: Site
    codes: dict[str, str]
    pipeline: Pipeline

    def ballots(self) -> int:
        return self.pipeline.end(BALLOTS)


@pytest.fixture
def polls(pipeline: Pipeline) -> Iterator[Polls]:
    hold_real_election(pipeline.connection)
    codes = issue_codes(pipeline.connection, pipeline.data_dir)
    with served(pipeline.kafka, pipeline.database_url, data_dir=pipeline.data_dir) as site:
        yield Polls(site, codes, pipeline)


def problem_of(answer: requests.Response) -> tuple[int, str, str | None]:
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert document["status"] == answer.status_code
    return answer.status_code, document["type"].rpartition(":")[2], document.get("field")


def test_a_ballot_is_acknowledged_followed_and_counted(polls: Polls) -> None:
    url = polls.site.url
    answer = cast(url, polls.codes["v3"], "ben")
    assert answer.status_code == 202, answer.text
    document = answer.json()
    receipt = document["receipt"]
    assert document == {"receipt": receipt, "repeated": False, "links": {"self": f"/ballots/{receipt}", "page": f"/receipts/{receipt}"}}
    assert answer.headers["location"] == f"/ballots/{receipt}"
    assert answer.headers["cache-control"] == "no-store"
    pending = state_of(url, receipt)
    assert (pending["state"], pending["election_id"]) == ("pending", REAL)
    polls.pipeline.record_all()
    accepted = state_of(url, receipt)
    ((head, number),) = polls.pipeline.sql(
        "SELECT encode(head, 'hex'), number FROM chain WHERE ballot_partition = %s", (accepted["ballot"]["partition"],)
    )
    assert (accepted["state"], accepted["ballot"], accepted["chain"]) == ("accepted", pending["ballot"], {"number": number, "head": head})
    assert "ben" not in json.dumps(accepted)
    assert polls.pipeline.sql("SELECT voter_id, candidate_id FROM votes") == [("v3", f"ben-{REAL}")]


def test_asking_again_gets_the_same_answer_and_no_second_ballot(polls: Polls) -> None:
    url = polls.site.url
    first = cast(url, polls.codes["v1"], "ada", **{"Idempotency-Key": "k-1"}).json()
    again = cast(url, polls.codes["v1"].lower().replace("-", " "), "ada", **{"Idempotency-Key": "k-1"})
    assert (again.status_code, again.json()) == (202, first | {"repeated": True, "same_request": True})
    other = cast(url, polls.codes["v1"], "cleo", **{"Idempotency-Key": "k-2"})
    assert (other.status_code, other.json()) == (202, first | {"repeated": True, "same_request": False})
    assert polls.ballots() == 1
    polls.pipeline.record_all()
    assert polls.pipeline.sql("SELECT candidate_id FROM votes") == [(f"ada-{REAL}",)]


def test_the_same_at_once_from_many_and_at_two_applications_is_one_ballot(polls: Polls) -> None:
    pipeline = polls.pipeline
    with (
        served(pipeline.kafka, pipeline.database_url, data_dir=pipeline.data_dir) as second,
        ThreadPoolExecutor(TOGETHER) as people,
    ):
        tries = [(polls.site, second)[number % 2].url for number in range(TOGETHER)]
        for voter in ("v1", "v2", "v3"):
            answers = list(people.map(lambda url, voter=voter: cast(url, polls.codes[voter], LISTED[len(url) % 3]), tries))
            assert {answer.status_code for answer in answers} == {202}
            assert len({answer.json()["receipt"] for answer in answers}) == 1
            assert [answer.json()["repeated"] for answer in answers].count(False) == 1
    assert polls.ballots() == 3


def test_what_cannot_be_cast_says_why_and_leaves_nothing_behind(polls: Polls) -> None:
    url, connection = polls.site.url, polls.pipeline.connection
    now = datetime.now(UTC)
    hold_real_election(connection, 0, "later", opens_at=now + timedelta(hours=1))
    hold_real_election(connection, 0, "over", closes_at=now - timedelta(minutes=1))
    hold_real_election(connection, 0, "draft", status="draft", opens_at=None)
    later, over, draft = (issue_codes(connection, polls.pipeline.data_dir, one) for one in ("later", "over", "draft"))
    with connection.transaction():
        Codes(connection, codes_key(connection, polls.pipeline.data_dir)).reissue(REAL, "v9", TESTER)
    refused: dict[tuple[str, str, str], tuple[int, str, str]] = {
        (NOBODYS, "ada", REAL): (403, "unknown-code", "code"),
        (NOBODYS, "ada", "draft"): (404, "unknown-election", "election_id"),
        (NOBODYS, "ada", "none"): (404, "unknown-election", "election_id"),
        (polls.codes["v0"], "ada", "none"): (404, "unknown-election", "election_id"),
        (polls.codes["v9"], "ada", REAL): (403, "voided-code", "code"),
        (polls.codes["v0"], "ada", "later"): (403, "wrong-election", "election_id"),
        (later["v0"], "ada", "later"): (409, "not-open", "election_id"),
        (draft["v0"], "ada", "draft"): (409, "not-open", "election_id"),
        (over["v0"], "ada", "over"): (409, "closed", "election_id"),
        (polls.codes["v0"], "nobody", REAL): (422, "unknown-candidate", "candidate_id"),
        (polls.codes["v0"][:-1], "ada", REAL): (422, "malformed-code", "code"),
    }
    assert {asked: problem_of(cast(url, asked[0], asked[1], asked[2])) for asked in refused} == refused
    assert polls.pipeline.sql("TABLE receipts") == []
    assert polls.ballots() == 0


def test_a_repeated_request_is_answered_also_when_the_election_is_over(polls: Polls) -> None:
    first = cast(polls.site.url, polls.codes["v1"]).json()
    polls.pipeline.tamper("UPDATE elections SET closes_at = now() WHERE election_id = %s", (REAL,))
    answer = cast(polls.site.url, polls.codes["v1"])
    assert (answer.status_code, answer.json()["receipt"]) == (202, first["receipt"])


def test_a_ballot_that_came_too_late_is_rejected_with_the_reason(polls: Polls) -> None:
    """The API was not wrong, *record* is right: the election was closed while the ballot was on its way."""
    receipt = cast(polls.site.url, polls.codes["v1"]).json()["receipt"]
    overrule(polls.pipeline.connection, "UPDATE elections SET closes_at = now() - interval '1 minute' WHERE election_id = %s", (REAL,))
    polls.pipeline.record_all()
    found = state_of(polls.site.url, receipt)
    assert (found["state"], found["reason"]) == ("rejected", "not_open")


def test_a_try_whose_fate_is_unknown_is_settled_by_asking_again(polls: Polls) -> None:
    """The API died after Kafka had the ballot and before the receipt knew: the first one counts, and the receipt says so."""
    pipeline = polls.pipeline
    receipt = written(b"\x01" * 16)
    pipeline.sql("INSERT INTO receipts (receipt, election_id, voter_id) VALUES (%s, %s, 'v1')", (receipt, REAL))
    pipeline.cast(json.dumps({"election_id": REAL, "voter_id": "v1", "candidate_id": f"cleo-{REAL}"}).encode(), key=b"v1", partition=0)
    answer = cast(polls.site.url, polls.codes["v1"], "ada")
    assert (answer.status_code, answer.json()["receipt"], answer.json()["repeated"]) == (202, receipt, True)
    with recording(pipeline):
        await_state(polls.site.url, [receipt], "accepted")
    assert state_of(polls.site.url, receipt)["ballot"] == {"partition": 0, "offset": 0}
    assert pipeline.sql("SELECT voter_id, candidate_id FROM votes") == [("v1", f"cleo-{REAL}")]


def test_receipts_that_are_none(polls: Polls) -> None:
    assert problem_of(requests.get(f"{polls.site.url}/ballots/nonsense", timeout=10)) == (422, "malformed-receipt", "receipt")
    assert problem_of(requests.get(f"{polls.site.url}/ballots/{written(b'?' * 16)}", timeout=10)) == (404, "unknown-receipt", "receipt")


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"", {}, (400, "malformed", "body")),
        (b"[]", {}, (400, "malformed", "body")),
        (b"{}", {}, (422, "malformed", "candidate_id")),
        (b'{"candidate_id": "a"}', {}, (422, "malformed", "code")),
        (b'{"candidate_id": "a", "code": 7}', {}, (422, "malformed", "code")),
        (b'{"candidate_id": "a", "code": "x"}', {"Content-Type": "text/plain"}, (415, "media-type", "content-type")),
        (b'{"candidate_id": "a", "code": "x"}', {"Idempotency-Key": "with a space"}, (400, "malformed", "idempotency-key")),
        (b'{"candidate_id": "a", "code": "' + b" " * 5000 + b'"}', {}, (413, "too-large", "body")),
    ],
)
def test_malformed_requests(polls: Polls, body: bytes, headers: dict[str, str], expected: tuple[int, str, str]) -> None:
    answer = requests.post(
        f"{polls.site.url}/elections/{REAL}/ballots", data=body, headers={"Content-Type": "application/json"} | headers, timeout=10
    )
    assert problem_of(answer) == expected


def test_the_corpus_of_bad_ballots_as_bodies(polls: Polls) -> None:
    """Whatever bytes come: an answer below 500, and a ballot only where the corpus says that one is fine. The code stands in for the voter."""
    url = f"{polls.site.url}/elections/{REAL}/ballots"
    faults: list[tuple[str, int, str]] = []
    with requests.Session() as session:
        for bad in bad_ballots(REAL, f"ada-{REAL}", lambda number: f"corpus{number}"):
            if bad.value is None or bad.name.startswith(("a key", "no key", "election_id", "voter_id")):
                continue  # the topic has keys, and two fields that are not in this body
            voter = (bad.key or b"").decode(errors="replace")
            body = bad.value.replace(b'"voter_id"', b'"code"').replace(voter.encode(), NOBODYS.encode()) if voter else bad.value
            answer = session.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=TIMEOUT_S)
            expected = (
                {403, 413, 422} if bad.verdict == COUNTS else {400, 413, 422, 403}
            )  # a code is longer than a voter, and is not written in escapes
            if answer.status_code not in expected:
                faults.append((bad.name, answer.status_code, answer.text))
            assert NOBODYS not in answer.text
    assert faults == []
    assert polls.ballots() == 0


def test_odd_candidates_are_unknown_ones(polls: Polls) -> None:
    for number, odd in enumerate(["ada'; DROP TABLE votes; --", "<script>", "\u202e", "ada-may\n", "\U0001f5f3" * 255, "\\N"]):
        answer = requests.post(
            f"{polls.site.url}/elections/{REAL}/ballots", json={"candidate_id": odd, "code": polls.codes[f"v{number}"]}, timeout=TIMEOUT_S
        )
        assert problem_of(answer) == (422, "unknown-candidate", "candidate_id")


def test_an_official_reissues_a_code_and_nobody_else(polls: Polls) -> None:
    connection, site = polls.pipeline.connection, polls.site
    official = add_person(connection, "olga", Role.OFFICIAL)
    hold_real_election(connection, 0, "other")
    elsewhere = add_person(connection, "otto", Role.OFFICIAL, ["other"])
    observer = add_person(connection, "oskar", Role.OBSERVER)
    path = f"/elections/{REAL}/codes/v4/reissue"
    assert [site.post(path, who).status_code for who in (None, observer, elsewhere)] == [401, 403, 403]
    answer = site.post(path, official)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    new = answer.json()["code"]
    assert problem_of(cast(site.url, polls.codes["v4"])) == (403, "voided-code", "code")
    assert cast(site.url, new).status_code == 202
    acts: list[Any] = polls.pipeline.sql("SELECT who, what, subject, election_id, came_from FROM acts WHERE subject = 'v4'")
    assert acts == [("olga", "code reissued", "v4", REAL, "127.0.0.1")]
    assert site.post(f"/elections/{REAL}/codes/nobody/reissue", official).status_code == 409
    assert site.post("/elections/%00/codes/v4/reissue", official).status_code == 404
    assert site.post(f"/elections/{REAL}/codes/%00/reissue", official).status_code == 422
    assert new not in str(polls.pipeline.sql("TABLE acts"))


def test_a_code_is_taken_so_often_and_no_more_from_however_many_addresses(pipeline: Pipeline) -> None:
    hold_real_election(pipeline.connection)
    codes = issue_codes(pipeline.connection, pipeline.data_dir)
    proxied: dict[str, Any] = {"api_requests_per_s": 0.5, "api_proxy_address": "127.0.0.1", "data_dir": pipeline.data_dir}
    with served(pipeline.kafka, pipeline.database_url, **proxied) as site:

        def asked(number: int, voter: str) -> requests.Response:
            return cast(site.url, codes[voter], **{"X-Forwarded-For": f"10.0.0.{number}"})

        answers = [asked(number, "v1") for number in range(6)]
        assert [answer.status_code for answer in answers] == [202] * 5 + [429]
        assert problem_of(answers[-1]) == (429, "too-often", None)
        assert asked(7, "v2").status_code == 202
        with requests.Session() as phone:
            page = phone.get(f"{site.url}/vote/{REAL}", headers={"X-Forwarded-For": "10.0.1.1"}, timeout=60)
            (form,) = set(re.findall(r'name="form_token" value="(\w+)"', page.text))
            typed = {"code": codes["v1"], "form_token": form}
            page = phone.post(f"{site.url}/vote/code", data=typed, headers={"X-Forwarded-For": "10.0.1.2"}, timeout=60)
            assert page.status_code == 429
