"""The audit finds what was tampered with and names it, and finds nothing where nothing is wrong.

One pipeline serves the whole module: what is planted in tables is taken out again, what is planted on topics stays, so
each test looks only at the differences that are new.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from livetally.audit.report import Report
from livetally.audit.walk import audit
from livetally.core.errors import AuditError
from livetally.core.wire import BY_GENDER, BY_LOCATION, PER_CANDIDATE, REJECTED, VOTES
from pipeline import (
    ELECTION,
    Pipeline,
    Seen,
    Servers,
    Spark,
    Worker,
    await_tallied,
    clean_pipeline,
    recording,
    tallying,
)

PEOPLE = 40
TABLES = ("votes", "rejections", "cells", "group_totals", "history", "electorate")


@dataclass
class Audited:
    """A pipeline that agrees with itself, with a tally that goes on, and what the audits said on the way there."""

    pipeline: Pipeline
    tally: Worker
    clean: Report
    lagging: dict[str, Report]
    live: list[Report]
    known: set[str] = field(default_factory=set)  # what earlier tests have planted on topics

    def audit(self) -> Report:
        return audit(self.pipeline.kafka, self.pipeline.database_url)

    def put_back(self) -> None:
        with self.pipeline.connection.transaction():
            for table in TABLES:
                self.pipeline.tamper(f"TRUNCATE {table}")
                self.pipeline.sql(f"INSERT INTO {table} TABLE saved_{table}")


@pytest.fixture(scope="module")
def audited(servers: Servers, spark: Spark, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    with clean_pipeline(servers, tmp_path_factory.mktemp("audited")) as pipeline:
        pipeline.hold_election(PEOPLE)
        lagging: dict[str, Report] = {}
        live: list[Report] = []

        def look() -> Report:
            return audit(pipeline.kafka, pipeline.database_url)

        pipeline.cast_votes(range(10))
        pipeline.record_all()
        with tallying(pipeline, spark) as tally:
            await_tallied(pipeline, tally)
        pipeline.cast_votes(range(10, 15))
        lagging["record"] = look()
        pipeline.record_all()
        lagging["tally"] = look()
        for change in ("batch + 1", "batch - 1"):  # as if the tally had been killed between storing and announcing
            pipeline.sql(f"UPDATE cells SET batch = {change}")
            pipeline.sql(f"UPDATE tally_generations SET batch = {change}")
            lagging.setdefault("announcing", look())
        with tallying(pipeline, spark) as tally:
            with recording(pipeline, ballots_max=3):
                for first in range(15, PEOPLE, 5):
                    pipeline.cast_votes(range(first, first + 5))
                    live.append(look())
                pipeline.cast_votes(range(6), candidate_id="c0")
                pipeline.cast(b"no ballot", partition=0)
                pipeline.await_decided()
            await_tallied(pipeline, tally)
            for table in TABLES:
                pipeline.sql(f"CREATE TABLE saved_{table} AS TABLE {table}")
            yield Audited(pipeline, tally, look(), lagging, live)


def test_a_pipeline_where_all_is_well(audited: Audited) -> None:
    report = audited.clean
    assert report.differences == []
    assert report.ok
    assert (report.ballots, report.accepted, report.ledger, report.published, report.tallied) == (PEOPLE + 7, *[PEOPLE] * 4)
    assert report.rejected == {"already_voted_other": 4, "already_voted_same": 2, "malformed": 1}
    assert report.behind == 0
    assert report.elections == {ELECTION: {"accepted": PEOPLE, "tallied": PEOPLE}}
    assert report.differing == {}
    assert json.loads(json.dumps(report.as_json()))["ok"] is True


def test_what_is_on_its_way_is_lag_and_no_difference(audited: Audited) -> None:
    for stage, report in audited.lagging.items():
        assert report.differences == [], stage
        assert (report.ok, report.ballots, report.accepted, report.tallied, report.behind) == (True, 10, 10, 10, 5), stage
        assert report.unannounced == (stage == "announcing")


def test_while_ballots_are_coming_no_difference_is_seen(audited: Audited) -> None:
    assert len(audited.live) == 5
    for report in audited.live:
        assert report.differences == []
        assert report.ballots + report.behind >= 10


def test_before_anything_is_tallied_there_is_nothing_to_compare(audited: Audited, servers: Servers) -> None:
    with pytest.raises(AuditError, match="Nothing has been tallied yet"):
        audit(servers.kafka, servers.url_of("pattern"))
    assert audited.clean.ok


@pytest.mark.parametrize(
    ("planted", "named"),
    [
        (
            "UPDATE votes SET candidate_id = 'c2' WHERE voter_id = 'v0'",
            ["ledger says v0 for c2 in e", "the ballot says v0 for c0 in e", "votes_topic says v0 for c0 in e"],
        ),
        ("UPDATE votes SET voting_time = voting_time + interval '1 ms' WHERE voter_id = 'v1'", ["ledger says v1 for c1 in e at"]),
        (
            "UPDATE votes SET voter_id = CASE voter_id WHEN 'v3' THEN 'v99' ELSE voter_id END",
            ["ballots_topic[0] offset 1: the ledger says v99 for c0"],
        ),
        ("DELETE FROM votes WHERE voter_id = 'v2'", ["ballots_topic[2] offset 0: the ledger has no verdict on this ballot"]),
        (
            "INSERT INTO votes SELECT 'v77', candidate_id, voting_time, 1, 'e', 0, 1000 FROM votes WHERE voter_id = 'v0'",
            ["ballots_topic[0] offset 1000: a row in `votes`, but no ballot has been decided there"],
        ),
        (
            "INSERT INTO votes SELECT 'v77', candidate_id, voting_time, 1, 'e', 9, 0 FROM votes WHERE voter_id = 'v0'",
            ["ballots_topic[9] offset 0: a row in `votes`"],
        ),
        (
            "INSERT INTO votes SELECT 'v77', candidate_id, voting_time, 1, 'e', 0, -5 FROM votes WHERE voter_id = 'v0'",
            ["ballots_topic[0] offset -5: there is no such ballot"],
        ),
        (
            "INSERT INTO votes SELECT 'v77', 'c0', appended_at, 1, 'e', ballot_partition, ballot_offset FROM rejections WHERE reason = 'malformed'",
            ["the ledger says v77 for c0 in e", "votes_topic says nothing", "a vote in the ledger, yet in rejected_ballots (malformed)"],
        ),
        ("DELETE FROM rejections WHERE reason = 'malformed'", ["the ledger has no verdict on this ballot"]),
        (
            "UPDATE rejections SET reason = 'unknown_voter' WHERE reason = 'malformed'",
            ["rejected in the ledger (unknown_voter), rejected_ballots says rejected: malformed"],
        ),
        (
            "INSERT INTO rejections SELECT ballot_partition, 5000, election_id, voter_id, reason, detail, appended_at FROM rejections LIMIT 1",
            ["offset 5000: a row in `rejections`, but no ballot has been decided there"],
        ),
        (
            "UPDATE cells SET votes = votes + 1 WHERE ctid = (SELECT min(ctid) FROM cells)",
            ["cell e ·", "announced are", "the cells add up to"],
        ),
        ("DELETE FROM cells WHERE ctid = (SELECT min(ctid) FROM cells)", ["the tally has 0"]),
        ("INSERT INTO cells SELECT generation, 'e', 'c9', 'a', 'b', 'c', 'd', 1, batch FROM cells LIMIT 1", ["votes_topic has 0 votes"]),
        (
            "UPDATE group_totals SET votes = votes - 1 WHERE view = 'region' AND candidate_id = '' AND group_1 = 'City 0' AND group_2 = 'State 0'",
            ["group_totals: region · City 0 · State 0 of e: there are"],
        ),
        ("DELETE FROM group_totals WHERE view = 'age' AND candidate_id = 'c1'", ["c1 of e: there are 0 votes, the cells add up to"]),
        ("UPDATE history SET late = late + 1 WHERE state = 'State 1'", ["history: by minute · State 1 · c"]),
        ("DELETE FROM history WHERE state = ''", ["history: by minute · c0 of e: there are 0 votes"]),
        ("UPDATE electorate SET voters = 1 WHERE state = 'State 2'", ["state State 2 of e:", "and only"]),
    ],
)
def test_what_is_planted_in_the_tables_is_named(audited: Audited, planted: str, named: list[str]) -> None:
    audited.pipeline.tamper(planted)
    try:
        report = audited.audit()
    finally:
        audited.put_back()
    assert not report.ok
    new = [difference for difference in report.differences if difference not in audited.known]
    for words in named:
        assert any(words in difference for difference in new), new


def new_differences(audited: Audited, topic: str, *messages: tuple[bytes | None, bytes | None, int, dict[str, bytes]]) -> list[str]:
    audited.pipeline.send(topic, messages)
    if topic == VOTES:
        await_tallied(audited.pipeline, audited.tally)
    report = audited.audit()
    assert not report.ok
    new = [difference for difference in report.differences if difference not in audited.known]
    audited.known.update(new)
    return new


def first_of(audited: Audited, topic: str) -> Seen:
    return next(message for message in audited.pipeline.read(topic) if message.headers)


def test_a_vote_that_is_published_twice(audited: Audited) -> None:
    vote = first_of(audited, VOTES)
    new = new_differences(audited, VOTES, (vote.key, vote.value, vote.partition, vote.headers))
    assert any(f"the vote of ballot {vote.ballot[1]} again, or out of order" in one for one in new), new
    assert any(one.startswith("cell e ·") for one in new), "it has been counted twice"


def test_a_vote_of_no_ballot(audited: Audited) -> None:
    vote = first_of(audited, VOTES)
    headers = {"ballot_partition": b"1", "ballot_offset": b"900"}
    new = new_differences(audited, VOTES, (b"v0", vote.value, 1, headers))
    assert any(one.startswith("ballots_topic[1] offset 900: there is no such ballot, but an outcome of it") for one in new), new


@pytest.mark.parametrize("headers", [{}, {"ballot_partition": b"x", "ballot_offset": b"y"}], ids=["none", "no numbers"])
def test_a_vote_that_record_did_not_write(audited: Audited, headers: dict[str, bytes]) -> None:
    new = new_differences(audited, VOTES, (b"v0", first_of(audited, VOTES).value, 2, headers))
    assert any("votes_topic[2]" in one and "a message that *record* did not write" in one for one in new), new


def test_a_rejection_that_is_published_twice_and_one_that_record_did_not_write(audited: Audited) -> None:
    rejection = first_of(audited, REJECTED)
    again = (rejection.key, rejection.value, rejection.partition, rejection.headers)
    new = new_differences(audited, REJECTED, again, (None, b"?", rejection.partition, {}))
    assert any(f"the rejection of ballot {rejection.ballot[1]} again, or out of order" in one for one in new), new
    assert any("rejected_ballots" in one and "a message that *record* did not write" in one for one in new), new


def newest(audited: Audited, topic: str, group: str) -> tuple[bytes | None, dict[str, Any]]:
    messages = [message for message in audited.pipeline.read(topic) if message.value and message.value.startswith(b"{")]
    message = max((one for one in messages if "version" in one.fields and group in one.fields), key=lambda one: one.fields["version"])
    return message.key, message.fields


@pytest.mark.parametrize("beyond", [0, 1000], ids=["the same version", "a higher version"])
@pytest.mark.parametrize(
    ("topic", "group", "total"),
    [(PER_CANDIDATE, "candidate_id", "total_votes"), (BY_LOCATION, "state", "count"), (BY_GENDER, "gender", "total_votes")],
)
def test_a_wrong_total_on_an_aggregated_topic(audited: Audited, topic: str, group: str, total: str, beyond: int) -> None:
    key, fields = newest(audited, topic, group)
    generation, batch = fields["version"]
    wrong = fields | {total: fields[total] + 5 + beyond, "version": [generation, batch + beyond]}
    new = new_differences(audited, topic, (key, json.dumps(wrong).encode(), 0, {}))
    expected = "it did not write that" if beyond else f"announced are {wrong[total]}, the cells add up to"
    assert any(fields[group] in one and expected in one for one in new), new


def test_what_an_older_count_has_left_on_an_aggregated_topic(audited: Audited) -> None:
    """Whoever folds key by key would count it."""
    _, fields = newest(audited, BY_LOCATION, "state")
    left = fields | {"state": "Atlantis", "count": 3, "version": [fields["version"][0] - 1, 99]}
    new = new_differences(audited, BY_LOCATION, (b'["e","Atlantis"]', json.dumps(left).encode(), 0, {}))
    assert any("state Atlantis of e: announced are 3, the cells add up to 0" in one for one in new), new


@pytest.mark.parametrize("value", [None, b"not JSON", b"[]", b'{"election_id": "e"}'])
def test_what_is_no_total_on_an_aggregated_topic(audited: Audited, value: bytes | None) -> None:
    new = new_differences(audited, PER_CANDIDATE, (b"key", value, 0, {}))
    assert any("aggregated_votes_per_candidate[0]" in one and "a message that *tally* did not write" in one for one in new), new
