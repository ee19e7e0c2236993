"""A poll's whole day, as its organiser and its voters live it: from two CSV files to the certified result, with a rehearsal of 20,000 beside it.

200 members vote over HTTP; some try twice; the API and the recorder are killed in the middle and started again; one comes when it is over.
Whatever anybody was told must be true at the end.
"""

import csv
import re
import signal
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from commandline import Begun, Livetally, wait_until

MEMBERS, SIMULATED = 200, 20_000
REGISTERED = MEMBERS + 1  # one comes too late
PACE_PER_S = 60  # so everybody who is simulated would need minutes: longer than the members do, on a slow machine too
VOTERS_AT_ONCE = 6
KILLED_AFTER = (60, 120)  # votes: the API, then the recorder
TRIES_MAX = 120
REHEARSING = "SELECT EXISTS (SELECT FROM votes WHERE election_id = 'rehearsal') AS is_begun"
MEANWHILE = """
    SELECT count(*) AS votes FROM votes WHERE election_id = 'rehearsal' AND voting_time BETWEEN
        (SELECT min(voting_time) FROM votes WHERE election_id = 'agm') AND (SELECT max(voting_time) FROM votes WHERE election_id = 'agm')
"""
AGAIN_S = 0.5


@pytest.fixture
def office(other_livetally: Livetally, tmp_path: Path) -> Livetally:
    """Everything that has to be there before the polls open."""
    (tmp_path / "candidates.csv").write_text("name,party\nAnn Arbor,Gardeners\nBob Tie,\nNobody of these,\n", "utf-8")
    (tmp_path / "members.csv").write_text(
        "id,name,city\n" + "".join(f"m{number},Member {number},Bath\n" for number in range(REGISTERED)), "utf-8"
    )
    office = Livetally(other_livetally.data_dir, API_REQUESTS_PER_S="1000")  # all of them vote from one address
    office("up")
    office("election", "create", "agm", "--name", "Chair of the club", "--roll", "list", "--visible", "turnout", "--detail", "group")
    office("election", "import-candidates", "agm", str(tmp_path / "candidates.csv"))
    office("election", "import-roll", "agm", str(tmp_path / "members.csv"), "--check")
    office("election", "import-roll", "agm", str(tmp_path / "members.csv"))
    office("election", "codes", "agm", "--output", str(tmp_path / "letters.csv"))
    office("election", "create", "rehearsal", "--kind", "simulated", "--name", "Rehearsal")
    office("register", "--election", "rehearsal", "--voters", str(SIMULATED))
    office("election", "open", "agm")
    return office


class Hall:
    """Where members vote. Somebody who gets no answer asks again, as the page says."""

    def __init__(self, url: str, candidates: list[str]) -> None:
        self._url = url
        self._candidates = candidates
        self._counting = threading.Lock()
        self.receipts: dict[str, str] = {}  # by voter
        self.choices: Counter[str] = Counter()
        self.repeated = 0

    def vote(self, letter: dict[str, str]) -> None:
        number = int(letter["voter_id"][1:])
        choice = self._candidates[number % 3 % 2]
        first = self.cast(letter["code"], choice)
        if number % 10 == 0:  # a second try, of somebody who has changed their mind
            again = self.cast(letter["code"], self._candidates[2])
            assert (again["receipt"], again["repeated"]) == (first["receipt"], True)
            self.repeated += 1
        with self._counting:
            self.receipts[letter["voter_id"]] = first["receipt"]
            self.choices[choice] += 1

    def cast(self, code: str, candidate_id: str) -> dict[str, Any]:
        for _ in range(TRIES_MAX):
            try:
                answer = self.post(code, candidate_id)
            except requests.ConnectionError:
                threading.Event().wait(AGAIN_S)
                continue
            if answer.status_code == 503:
                threading.Event().wait(float(answer.headers["Retry-After"]))
                continue
            assert answer.status_code == 202, answer.text
            return dict(answer.json())
        raise AssertionError("nobody has answered")

    def post(self, code: str, candidate_id: str) -> requests.Response:
        return requests.post(f"{self._url}/elections/agm/ballots", json={"code": code, "candidate_id": candidate_id}, timeout=30)

    def get(self, path: str) -> Any:
        answer = requests.get(self._url + path, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()


def test_a_day_in_the_life(office: Livetally, tmp_path: Path) -> None:
    with (tmp_path / "letters.csv").open(encoding="utf-8", newline="") as file:
        letters = {letter["voter_id"]: letter for letter in csv.DictReader(file)}
    assert len({letter["code"] for letter in letters.values()}) == REGISTERED
    late = letters.pop(f"m{MEMBERS}")
    stages = {name: office.begin(name) for name in ("record", "tally", "api")}
    try:
        url = served(stages["api"])
        candidates = [one["candidate_id"] for one in office.json("election", "show", "agm")["candidates"]]
        hall = Hall(url, candidates)
        stages["simulate"] = office.begin("simulate", "--election", "rehearsal", "--rate", str(PACE_PER_S))
        wait_until(lambda: office.json("sql", REHEARSING)[0]["is_begun"], f"somebody votes there\n{stages['simulate'].said()}")
        vote_through_trouble(office, stages, hall, [*letters.values()])
        rehearse_the_rest(office, stages.pop("simulate"))
        assert hall.get("/elections/agm/turnout")["registered"] == REGISTERED
        sealed = requests.get(f"{url}/elections/agm/results", timeout=30)
        assert sealed.status_code == 403, "nobody sees for whom before it is closed"
        for election_id in ("agm", "rehearsal"):
            assert office.json("election", "close", election_id)["status"] == "closed"
        come_too_late(hall, late, candidates[0])
        for election_id in ("agm", "rehearsal"):
            assert office.json("election", "certify", election_id, "--within", "300")["status"] == "certified"
        look_at_the_end(office, hall)
        assert hall.post(late["code"], candidates[0]).status_code == 409, "nor when it is certified"
        assert office.json("voter", "show", late["voter_id"])["elections"][0]["voted_at"] is None
    finally:
        ended = {name: one.end() for name, one in stages.items()}
    assert ended == dict.fromkeys(stages, 0), {name: one.said() for name, one in stages.items()}
    office("down")


def served(api: Begun) -> str:
    api.wait_for("the API is served")
    found = re.search(r"api=\"?(http://[\w.:]+)", api.said())
    assert found, api.said()
    url = found[1]

    def answers() -> bool:
        try:
            return requests.get(f"{url}/elections", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    wait_until(answers, f"{url} answers\n{api.said()}")
    return url


def vote_through_trouble(office: Livetally, stages: dict[str, Begun], hall: Hall, letters: list[dict[str, str]]) -> None:
    with ThreadPoolExecutor(VOTERS_AT_ONCE) as voters:
        voting = [voters.submit(hall.vote, letter) for letter in letters]
        for name, after in zip(("api", "record"), KILLED_AFTER, strict=True):
            wait_until(partial(have_voted, hall, after, voting), f"{after} have voted")
            assert stages["simulate"].process.poll() is None, f"the rehearsal is over already:\n{stages['simulate'].said()}"
            stages[name].end(signal.SIGKILL)
            stages[name] = office.begin(name)
        for one in voting:
            one.result()
    assert len(hall.receipts) == MEMBERS
    assert hall.repeated == MEMBERS / 10


def rehearse_the_rest(office: Livetally, simulate: Begun) -> None:
    """It went on all the time; now the rest may vote as fast as it goes."""
    assert simulate.process.poll() is None, f"the rehearsal was over before the members had voted:\n{simulate.said()}"
    assert simulate.end() == 0, simulate.said()
    office("simulate", "--election", "rehearsal")


def come_too_late(hall: Hall, letter: dict[str, str], candidate_id: str) -> None:
    closes_at = datetime.fromisoformat(hall.get("/elections/agm")["closes_at"])
    wait_until(lambda: datetime.now(UTC) >= closes_at, "its end has come")
    refused = hall.post(letter["code"], candidate_id)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:livetally:problem:closed"), refused.text


def have_voted(hall: Hall, members: int, voting: list["Future[None]"]) -> bool:
    """Or something has gone wrong already."""
    return len(hall.receipts) >= members or any(one.done() and one.exception() for one in voting)


def look_at_the_end(office: Livetally, hall: Hall) -> None:
    results = office.json("results", "--election", "agm")
    assert (results["total_votes"], results["registered"], results["status"]) == (MEMBERS, REGISTERED, "certified")
    assert Counter({one["candidate_id"]: one["total_votes"] for one in results["candidates"] if one["total_votes"]}) == hall.choices
    states = [hall.get(f"/ballots/{receipt}") for receipt in hall.receipts.values()]
    assert Counter(state["state"] for state in states) == {"accepted": MEMBERS}
    assert len({(state["ballot"]["partition"], state["ballot"]["offset"]) for state in states}) == MEMBERS
    exported = hall.get("/elections/agm/export.json")
    assert {one["candidate_id"]: one["total_votes"] for one in exported["candidates"]} == {
        one["candidate_id"]: one["total_votes"] for one in results["candidates"]
    }
    assert office.json("results", "--election", "rehearsal")["total_votes"] > 0.4 * SIMULATED
    assert office.json("sql", MEANWHILE)[0]["votes"] > 0, "both elections voted at the same time"
    audit = office.json("audit")
    assert audit["ok"], audit["differences"]
    assert audit["elections"]["agm"] == {"accepted": MEMBERS, "tallied": MEMBERS}
    assert "NOT FINAL" not in office("election", "sheet", "agm").stdout
