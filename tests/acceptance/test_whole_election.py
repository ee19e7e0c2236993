"""A whole election through the command line; everything that speaks of it must say the same."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from commandline import Livetally, wait_until
from livetally.core.tally import VIEWS
from livetally.core.wire import BALLOTS, VOTERS, VOTES

VOTERS_ASKED = 2000
MS = timedelta(milliseconds=1)


@pytest.fixture(scope="module")
def election(livetally: Livetally) -> Iterator[Livetally]:
    """An election that has been held, with the services up again behind it."""
    done = livetally("run", "--voters", str(VOTERS_ASKED), "--rate", "max", "--exit-when-done")
    assert "agree" in done.stderr
    assert livetally.processes() == [], "`run` left something running"
    assert (livetally.data_dir / "checkpoints").is_dir()
    assert [entry.name for entry in livetally.data_dir.parent.iterdir()] == [livetally.data_dir.name], (
        "all that is kept lies in the data directory"
    )
    livetally("up")
    yield livetally
    livetally("down")


def read_topic(bootstrap_servers: str, topic: str) -> list[tuple[Any, Any]]:
    """Key and value of every committed message, read by a consumer that knows nothing of livetally."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "outsider",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    partitions = [TopicPartition(topic, partition, 0) for partition in consumer.list_topics(topic, 10).topics[topic].partitions]
    consumer.assign(partitions)
    found: list[tuple[Any, Any]] = []
    ended = 0
    while ended < len(partitions):
        message = consumer.poll(10)
        assert message is not None, f"{topic} stopped answering"
        if message.error():
            ended += 1
        else:
            found.append((message.key(), json.loads(message.value() or b"null")))
    consumer.close()
    return found


def test_results_audit_and_topics_agree(election: Livetally) -> None:
    results, audit = election.json("results"), election.json("audit")
    kafka = next(one["address"] for one in election.json("status")["services"] if one["service"] == "kafka")
    votes = [value for _, value in read_topic(kafka, VOTES)]

    assert results["registered"] == VOTERS_ASKED == len(read_topic(kafka, VOTERS))
    assert 0.5 * VOTERS_ASKED < results["total_votes"] < 0.9 * VOTERS_ASKED
    assert audit["ok"]
    assert audit["differences"] == []
    assert audit["ballots"] == audit["accepted"] + sum(audit["rejected"].values()) == len(read_topic(kafka, BALLOTS))
    assert audit["accepted"] == audit["ledger"] == audit["published"] == audit["tallied"] == results["total_votes"] == len(votes)
    assert len({vote["voter_id"] for vote in votes}) == len(votes)
    counted = Counter(vote["candidate_id"] for vote in votes)
    assert {one["candidate_id"]: one["total_votes"] for one in results["candidates"]} == counted
    assert [one["total_votes"] for one in results["candidates"]] == sorted(counted.values(), reverse=True)

    for view in VIEWS:
        newest: dict[bytes, dict[str, Any]] = {}
        for key, value in read_topic(kafka, view.topic):
            if value["version"] >= newest.get(key, value)["version"]:
                newest[key] = value
        assert sum(value[view.total] for value in newest.values()) == len(votes), view.topic


def test_a_consumer_written_for_the_reference_works_unchanged(election: Livetally) -> None:
    """As its page does it: all messages of two topics, the largest number per group."""
    kafka = next(one["address"] for one in election.json("status")["services"] if one["service"] == "kafka")
    per_candidate: dict[str, int] = {}
    for _, value in read_topic(kafka, "aggregated_votes_per_candidate"):
        assert {"candidate_id", "candidate_name", "party_affiliation", "photo_url", "total_votes"} <= value.keys()
        per_candidate[value["candidate_id"]] = max(per_candidate.get(value["candidate_id"], 0), value["total_votes"])
    per_state: dict[str, int] = {}
    for _, value in read_topic(kafka, "aggregated_turnout_by_location"):
        per_state[value["state"]] = max(per_state.get(value["state"], 0), value["count"])
    total = election.json("results")["total_votes"]
    assert sum(per_candidate.values()) == sum(per_state.values()) == total


@pytest.mark.browser
def test_the_page_shows_the_same_numbers(election: Livetally) -> None:
    from playwright.sync_api import expect, sync_playwright

    results = election.json("results")
    page_process = election.begin("dashboard")
    page_process.wait_for("http://")
    url = re.search(r"http://\S+", page_process.said())
    assert url is not None
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=_chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
            page = browser.new_page()
            wait_until(lambda: _answers(url.group()), "the page answers")
            page.goto(url.group())
            total = page.get_by_test_id("total-votes")
            expect(total).to_have_attribute("data-value", str(results["total_votes"]), timeout=60_000)
            expect(page.get_by_test_id("total-voters")).to_have_attribute("data-value", str(VOTERS_ASKED))
            expect(page.get_by_test_id("leader-name")).to_have_text(results["candidates"][0]["candidate_name"])
            expect(page.get_by_test_id("simulation").first).to_be_visible()
            shown = {
                candidate.locator(".lt-candidate-name").inner_text(): int(candidate.get_attribute("data-votes") or -1)
                for candidate in page.get_by_test_id("candidate").all()
            }
            assert shown == {one["candidate_name"]: one["total_votes"] for one in results["candidates"]}
            browser.close()
    finally:
        assert page_process.end() == 0


def test_the_result_at_a_moment_is_what_the_ledger_had_then(election: Livetally) -> None:
    """Candidate by candidate, a millisecond before a vote, with it, and a millisecond after it; here and elsewhere on the globe."""
    votes = [
        (datetime.fromisoformat(row["voting_time"]), row["candidate_id"])
        for row in election.json("sql", "SELECT voting_time::text, candidate_id FROM votes ORDER BY voting_time")
    ]
    drawn, _ = Random(1).choice(votes)
    in_india = drawn.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=5, minutes=30)))
    moments = {
        (votes[0][0] - MS).isoformat(): votes[0][0] - MS,
        (drawn - MS).isoformat(" "): drawn - MS,
        in_india.isoformat(): drawn,
        (drawn + MS).isoformat(): drawn + MS,
    }
    for text, moment in moments.items():
        expected = Counter(candidate_id for voting_time, candidate_id in votes if voting_time <= moment)
        said = election.json("results", "--at", text)
        assert {one["candidate_id"]: one["total_votes"] for one in said["candidates"] if one["total_votes"]} == expected, text
        assert said["total_votes"] == expected.total(), text
    assert election.json("results", "--at", votes[-1][0].isoformat()) | {"at": None} == election.json("results")
    assert "not a time" in election("results", "--at", "tomorrow", expect=2).stderr


def test_looking_inside_needs_no_other_client(election: Livetally) -> None:
    topics = {one["topic"]: one for one in election.json("topics")}
    assert topics[BALLOTS]["partitions"] == topics[VOTES]["partitions"]
    lines = [json.loads(line) for line in election("peek", VOTES, "-n", "3").stdout.splitlines()]
    assert len(lines) == 3
    assert all(line["value"]["vote"] == 1 and line["headers"]["ballot_offset"].isdigit() for line in lines)
    assert election("peek", BALLOTS, "-n", "0").stdout == ""
    assert "There is no topic 'nothing'" in election("peek", "nothing", expect=2).stderr


def test_sql_reads_only(election: Livetally) -> None:
    assert election.json("sql", "SELECT count(*) AS n FROM votes")[0]["n"] > 0
    for attack in ("DELETE FROM votes", "SELECT 1; DELETE FROM votes", "COMMIT; DELETE FROM votes", "SET TRANSACTION READ WRITE"):
        before = election.json("sql", "SELECT count(*) AS n FROM votes")
        if (
            attack != "SET TRANSACTION READ WRITE"
        ):  # allowed by PostgreSQL at the start of a transaction, and of no use in a single statement
            assert "does not answer that" in election("sql", attack, expect=2).stderr
        else:
            election("sql", attack)
        assert election.json("sql", "SELECT count(*) AS n FROM votes") == before


@pytest.mark.parametrize("what", ["ledger", "votes-topic", "tally"])
def test_rebuilding_gives_the_same_audit_and_result(election: Livetally, what: str) -> None:
    before = election.json("audit"), election.json("results")
    election("rebuild", what)
    assert (election.json("audit"), election.json("results")) == before


def test_a_second_run_holds_a_new_election_and_says_so(election: Livetally) -> None:
    """Last in this file: it stops the services for a moment, and brings them back."""
    election("down")
    done = election("run", "--voters", "500", "--rate", "max", "--exit-when-done", "--no-dashboard")
    election("up")
    assert "Simulated election 1 is over; a new one begins" in done.stderr
    assert "2,000 people are registered already" in done.stderr
    elections = election.json("sql", "SELECT election_id, status FROM elections ORDER BY created_at")
    assert [one["status"] for one in elections] == ["closed", "closed"]
    assert election.json("results")["election_id"] == elections[1]["election_id"]
    assert election.json("results", "--election", elections[0]["election_id"])["total_votes"] > 0


def _chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path is not None, "Chromium is not installed (Debian: apt-get install chromium)"
    return path


def _answers(url: str) -> bool:
    from livetally.show.dashboard import answers

    return answers(url)
