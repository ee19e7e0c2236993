"""Several elections in one data directory: two that are simulated at once, and an organiser's beside a rehearsal."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commandline import Begun, Livetally, wait_until

VOTERS = 400
MEMBERS = 12


@pytest.fixture(scope="module")
def both(livetally: Livetally) -> Iterator[Livetally]:
    """Two elections that have been held at once, with the services up again behind them."""
    done = livetally("run", "--elections", "2", "--voters", str(VOTERS), "--rate", "max", "--exit-when-done", "--no-dashboard", "--no-api")
    assert "agree" in done.stderr
    assert "Simulated election 1 (closed, SIMULATION)" in done.stderr
    assert "Simulated election 2 (closed, SIMULATION)" in done.stderr
    assert livetally.processes() == [], "`run` left something running"
    livetally("up")
    yield livetally
    livetally("down")


def test_each_election_has_a_result_and_a_past_of_its_own(both: Livetally) -> None:
    elections = both.json("election", "list")
    assert [(one["election_id"], one["status"], one["seed"]) for one in elections] == [
        ("simulation-2", "closed", 43),
        ("simulation-1", "closed", 42),
    ]
    votes = both.json("sql", "SELECT election_id, candidate_id, count(*) AS votes FROM votes GROUP BY 1, 2")
    by_election: dict[str, dict[str, int]] = {}
    for one in votes:
        by_election.setdefault(one["election_id"], {})[one["candidate_id"]] = one["votes"]
    assert by_election.keys() == {"simulation-1", "simulation-2"}
    assert not by_election["simulation-1"].keys() & by_election["simulation-2"].keys()
    for election_id, expected in by_election.items():
        results = both.json("results", "--election", election_id)
        assert {one["candidate_id"]: one["total_votes"] for one in results["candidates"]} == expected
        assert results["registered"] == VOTERS
        assert 0.4 * VOTERS < results["total_votes"] < 0.95 * VOTERS
        past = both.json("history", "--election", election_id)
        assert {one["candidate_id"]: one["total_votes"][-1] for one in past["candidates"]} == expected
    voted = both.json("sql", "SELECT election_id, voter_id FROM votes")
    who = {election_id: {one["voter_id"] for one in voted if one["election_id"] == election_id} for election_id in by_election}
    assert who["simulation-1"] != who["simulation-2"], "people do not vote alike in both"
    audit = both.json("audit")
    assert audit["ok"]
    assert audit["accepted"] == len(voted)
    for election_id, expected in by_election.items():
        assert audit["elections"][election_id] == {"accepted": sum(expected.values()), "tallied": sum(expected.values())}


def test_an_organiser_beside_a_rehearsal(both: Livetally, tmp_path: Path) -> None:
    """From two files to the sheet; simulated people vote meanwhile, and never in the real one."""
    (tmp_path / "candidates.csv").write_text("name;party\nYes;\nNo;\nÄnderung;Grüne\n", encoding="utf-8")
    (tmp_path / "wrong.csv").write_text("name,platform\n,x\nNo," + "p" * 301 + "\n", encoding="utf-8")
    (tmp_path / "members.csv").write_text(
        "id,name\n" + "".join(f"m{number},Member {number}\n" for number in range(MEMBERS)), encoding="utf-8"
    )
    ends = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    assert "cannot be an id" in both("election", "create", "The Board", expect=2).stderr
    made = both.json(
        "election",
        "create",
        "board",
        "--name",
        "Our board",
        "--roll",
        "list",
        "--visible",
        "officials",
        "--detail",
        "group",
        "--closes-at",
        ends,
    )
    assert (made["status"], made["kind"], made["roll"], made["visible"], made["opens_at"]) == ("draft", "real", "list", "officials", None)
    refused = both("election", "import-candidates", "board", str(tmp_path / "wrong.csv"), expect=2).stderr
    assert "line 2: the name is missing" in refused
    assert "line 3: the platform has 301 characters" in refused
    assert "has 0 of at least 2 candidates" in both("election", "open", "board", expect=2).stderr
    listed = both.json("election", "import-candidates", str(tmp_path / "candidates.csv"))["candidates"]
    assert [(one["candidate_name"], one["party_affiliation"]) for one in listed] == [("Yes", ""), ("No", ""), ("Änderung", "Grüne")]
    both("election", "import-roll", "board", str(tmp_path / "members.csv"))
    assert both.json("election", "open", "board")["status"] == "open"
    assert (
        "is open; its candidates stand" in both("election", "import-candidates", "board", str(tmp_path / "candidates.csv"), expect=2).stderr
    )

    assert "is a real election" in both("simulate", expect=2).stderr
    assert "is a real election" in both("simulate", "--election", "board", expect=2).stderr
    assert "is a real election" in both("register", "--election", "board", "--voters", "10", expect=2).stderr
    assert "The real election 'board' is open" in both("register", "--voters", "10", expect=2).stderr
    both("election", "create", "rehearsal", "--kind", "simulated")
    assert "is open" in both("register", "--election", "rehearsal", "--voters", str(VOTERS)).stderr
    both("simulate", "--election", "rehearsal")
    cast_for_members(both, [one["candidate_id"] for one in listed])

    record, tally = both.begin("record"), both.begin("tally")
    try:
        both("election", "close", "rehearsal")
        assert both.json("election", "close", "board")["status"] == "closed"
        assert "is certified: its result is final" in both("election", "certify", "board", "--within", "300").stderr
        assert both.json("election", "certify", "rehearsal", "--within", "60")["status"] == "certified"
    finally:
        ended = [one.end() for one in (record, tally)]
    assert ended == [0, 0]
    look_back(both, tmp_path)


def cast_for_members(livetally: Livetally, candidate_ids: list[str]) -> None:
    """Each member once, straight onto the topic; one of them twice, and a simulated person who is not on the list."""
    from confluent_kafka import Producer

    kafka = next(one["address"] for one in livetally.json("status")["services"] if one["service"] == "kafka")
    producer = Producer({"bootstrap.servers": kafka})
    stranger = livetally.json("sql", "SELECT voter_id FROM voters WHERE is_general LIMIT 1")[0]["voter_id"]
    for number, voter_id in enumerate([*(f"m{number}" for number in range(MEMBERS)), "m0", stranger]):
        fields = {"election_id": "board", "voter_id": voter_id, "candidate_id": candidate_ids[number % 2], "cast_at": "now"}
        producer.produce("ballots_topic", json.dumps(fields), voter_id)
    assert producer.flush(30) == 0


def look_back(livetally: Livetally, tmp_path: Path) -> None:
    results = livetally.json("results", "--election", "board")
    assert (results["total_votes"], results["registered"], results["status"]) == (MEMBERS, MEMBERS, "certified")
    assert Counter({one["candidate_name"]: one["total_votes"] for one in results["candidates"]}) == Counter(
        {"Yes": 6, "No": 6, "Änderung": 0}
    )
    assert livetally.json("results", "--election", "rehearsal")["total_votes"] > 0.4 * VOTERS
    of_members = livetally.json("sql", "SELECT count(*) AS n FROM votes WHERE voter_id LIKE 'm%' AND election_id <> 'board'")
    assert of_members == [{"n": 0}], "nobody votes for people who came with a list"
    assert livetally.json("audit")["ok"]

    shown: dict[str, Any] = livetally.json("voter", "show", "m0")
    (one,) = shown["elections"]
    assert (one["election_id"], one["code_issued_at"], [ballot["reason"] for ballot in one["not_counted"]]) == (
        "board",
        None,
        ["already_voted"],
    )
    assert one["voted_at"] is not None

    livetally("election", "sheet", "board", "--output", str(tmp_path / "sheet.html"))
    sheet = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert "NOT FINAL" not in sheet
    assert re.search(r"Turnout</th><td>100\.0%", sheet)
    assert "by nobody who was on the roll then" in sheet
    assert "SIMULATION" in livetally("election", "sheet", "rehearsal").stdout

    assert livetally.json("election", "publish", "board")["published_at"] is not None
    acts = livetally.json("election", "show", "board")["acts"]
    assert [one["what"] for one in acts if one["what"] != "election import-roll"] == [
        f"election {what}" for what in ("publish", "certify", "close", "open", "import-candidates", "create")
    ]
    assert {one["came_from"] for one in acts} == {"command line"}


def test_two_interrupted_elections_both_go_on(other_livetally: Livetally) -> None:
    livetally = other_livetally
    run = livetally.begin("run", "--elections", "2", "--voters", "3000", "--rate", "200", "--no-dashboard", "--no-api")
    wait_until(lambda: _recorded(run) > 0, f"some ballots are recorded\n{run.said()}")
    assert run.end() == 130
    done = livetally("run", "--rate", "max", "--exit-when-done", "--no-dashboard", "--no-api")
    assert "Simulated election 1, Simulated election 2 were interrupted; they go on where they were." in done.stderr
    assert "agree" in done.stderr
    elections = livetally.json("election", "list")
    assert [one["status"] for one in elections] == ["closed", "closed"]
    assert all(livetally.json("results", "--election", one["election_id"])["total_votes"] > 1200 for one in elections)


def _recorded(run: Begun) -> int:
    found = re.findall(r"recorded ([\d,]+)", run.said())
    return int(found[-1].replace(",", "")) if found else 0
