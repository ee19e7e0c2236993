"""The ballot page without a browser: what it says when something is not as it should be, and what never comes into an address."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
import requests

from booths import REAL, TESTER, TIMEOUT_S, cast, hold_real_election, issue_codes
from livetally.adapters.codes import Codes, codes_key
from livetally.adapters.receipts import Receipts
from livetally.core.codes import grouped, written
from livetally.core.errors import ServiceError
from livetally.core.wire import BALLOTS
from livetally.web.booth.words import AWAY, NOT_LOOKED_UP, NOTHING_NOW, UNSETTLED
from pipeline import Pipeline
from website import Site, served

TOGETHER = 8
NO_IDS = ("%00", "a%00b", "A", "a_b", "-a", "a" * 64, "%F0%9F%97%B3")


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


class Visitor:
    """What the booth needs of a browser: it keeps cookies, and sends the form token of the page before."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._browser = requests.Session()
        self._form_token = ""

    def get(self, path: str) -> requests.Response:
        return self._seen(self._browser.get(self._url + path, timeout=TIMEOUT_S))

    def post(self, path: str, **fields: str) -> requests.Response:
        return self._seen(self._browser.post(self._url + path, data={"form_token": self._form_token} | fields, timeout=TIMEOUT_S))

    def enter(self, code: str, election_id: str = REAL) -> requests.Response:
        self.get(f"/vote/{election_id}")
        return self.post("/vote/code", code=code, election_id=election_id)

    def cast(self, election_id: str = REAL) -> requests.Response:
        return self.post(f"/vote/{election_id}/cast", candidate_id=f"ada-{REAL}")

    def _seen(self, page: requests.Response) -> requests.Response:
        if found := re.search(r'name="form_token" value="(\w+)"', page.text):
            self._form_token = found[1]
        return page


def heading(page: requests.Response) -> str:
    (found,) = re.findall(r"<h1>(.*?)</h1>", page.text)
    return str(found)


def told(page: requests.Response) -> str:
    (found,) = re.findall(r'data-testid="vote"><strong>(.*?)</strong>', page.text)
    return str(found)


def test_an_address_that_names_no_election_spoils_nobodys_ballot(polls: Polls) -> None:
    visitor = Visitor(polls.site.url)
    visitor.enter(polls.codes["v9"])
    with ThreadPoolExecutor(TOGETHER) as people:
        casting = [people.submit(cast, polls.site.url, polls.codes[f"v{number}"]) for number in range(TOGETHER)]
        spoilt = visitor.cast("%00")
    assert (spoilt.status_code, heading(spoilt)) == (404, "There is no such election")
    assert [one.result().status_code for one in casting] == [202] * TOGETHER
    assert heading(visitor.cast()) == "Your ballot is cast"


def test_what_cannot_be_an_election_is_unknown_at_every_address(polls: Polls) -> None:
    visitor = Visitor(polls.site.url)
    visitor.enter(polls.codes["v1"])
    for election_id, page in product(NO_IDS, ("", "/ballot", "/receipt")):
        assert heading(visitor.get(f"/vote/{election_id}{page}")) == "There is no such election", (election_id, page)
    for election_id, page in product(NO_IDS, ("/ballot", "/review", "/cast")):
        answer = visitor.post(f"/vote/{election_id}{page}", candidate_id=f"ada-{REAL}")
        assert (answer.status_code, heading(answer)) == (404, "There is no such election"), (election_id, page)
    for election_id in NO_IDS:
        answer = cast(polls.site.url, polls.codes["v1"], election_id=election_id)
        assert (answer.status_code, answer.json()["field"]) == (404, "election_id")
    assert polls.ballots() == 0


def test_a_void_code_that_was_used(polls: Polls) -> None:
    old = polls.codes["v4"]
    assert cast(polls.site.url, old).status_code == 202
    connection = polls.pipeline.connection
    with connection.transaction():
        Codes(connection, codes_key(connection, polls.pipeline.data_dir)).reissue(REAL, "v4", TESTER)
    page = Visitor(polls.site.url).enter(old)
    assert (heading(page), told(page)) == ("This code is void", NOTHING_NOW)
    assert "a ballot that had been cast before stands" in cast(polls.site.url, old).json()["detail"]


def test_a_code_that_was_used_in_its_own_election(polls: Polls) -> None:
    hold_real_election(polls.pipeline.connection, 0, "other")
    assert cast(polls.site.url, polls.codes["v4"]).status_code == 202
    page = Visitor(polls.site.url).enter(polls.codes["v4"], "other")
    assert page.status_code == 403
    assert f"This code is for another election. {NOTHING_NOW}" in page.text
    assert "still good" not in page.text


def test_postgresql_goes_away_between_the_ballot_and_its_receipt(polls: Polls, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody whose ballot has been taken is told that nothing was cast."""

    async def away(*_: Any) -> None:
        raise ServiceError("PostgreSQL does not answer.")

    visitor = Visitor(polls.site.url)
    visitor.enter(polls.codes["v1"])
    with monkeypatch.context() as gone:
        gone.setattr(Receipts, "holder", away)
        gone.setattr(Receipts, "follow", away)
        pages = [visitor.cast(), visitor.get(f"/receipts/{written(b'?' * 16)}"), visitor.post("/receipts", receipt=polls.codes["v2"])]
        assert polls.ballots() == 1
        for page in pages:
            assert (page.status_code, heading(page), told(page)) == (503, NOT_LOOKED_UP.title, NOT_LOOKED_UP.vote)
            assert "Nothing was cast" not in page.text
        page = Visitor(polls.site.url).enter(polls.codes["v1"])
        assert (page.status_code, heading(page), told(page)) == (503, AWAY.title, NOTHING_NOW)
    assert heading(visitor.get(f"/vote/{REAL}/receipt")) == "Your ballot is cast"


def test_what_is_typed_to_look_up_a_receipt_comes_into_no_address_unless_it_is_one(polls: Polls) -> None:
    code, visitor = polls.codes["v1"], Visitor(polls.site.url)
    receipt = cast(polls.site.url, code).json()["receipt"]
    for typed, status in {code: 404, "nonsense": 422, "": 422}.items():
        page = visitor.post("/receipts", receipt=typed)
        assert (page.status_code, page.url, page.history) == (status, f"{polls.site.url}/receipts", [])
        assert not typed or typed not in page.text
    page = visitor.get(f"/receipts?receipt={code}")  # as the form of an earlier version asked
    assert (heading(page), page.history) == ("Look up a receipt", [])
    page = visitor.post("/receipts", receipt=grouped(receipt).lower())
    assert (page.status_code, page.url, heading(page)) == (200, f"{polls.site.url}/receipts/{receipt}", "What became of a ballot")


def test_an_earlier_try_is_not_forgotten_over_a_candidate_that_there_is_not(polls: Polls) -> None:
    polls.pipeline.sql("INSERT INTO receipts (receipt, election_id, voter_id) VALUES (%s, %s, 'v1')", (written(b"\x01" * 16), REAL))
    visitor = Visitor(polls.site.url)
    visitor.enter(polls.codes["v1"])
    page = visitor.post(f"/vote/{REAL}/review", candidate_id="nobody")
    assert (page.status_code, told(page)) == (422, UNSETTLED.vote)
