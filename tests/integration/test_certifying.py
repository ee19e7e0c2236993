"""Certifying waits for what is on its way, refuses what does not agree, and makes the result final; and what is known of one voter then."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from electorate import CANDIDATES, add_voters, ballot, candidate, overrule
from livetally.adapters.acts import Actor, Acts
from livetally.adapters.electors import Electors
from livetally.adapters.kafka import Announcer
from livetally.adapters.passage import Passage
from livetally.adapters.postgres import Connection, connect
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.audit.report import Report
from livetally.audit.walk import audit
from livetally.cli import main
from livetally.core.access import Role
from livetally.core.elections import Election
from livetally.core.errors import ElectionError, LedgerError, NotYetError
from livetally.core.wire import BALLOTS
from livetally.register import organise
from livetally.register.certify import certify
from livetally.register.sheet import read_sheet
from pipeline import PARTITIONS, Pipeline, Spark, recording, tallying
from website import add_person, served

OFFICIAL = Actor("olga", "here")
PEOPLE = 30
SOON_S = 1.5  # for what is meant to be in vain

Make = Callable[..., Election]


@pytest.fixture
def official(pipeline: Pipeline) -> Iterator[Connection]:
    with closing(connect(pipeline.database_url, "election", Rights.ORGANISE)) as connection:
        yield connection


def opened(pipeline: Pipeline, connection: Connection, election_id: str = "board") -> None:
    organise.create(connection, OFFICIAL, Election(election_id, "Our board", "real", "draft", 1, None, None))
    names = [f"{election_id}-{one}" for one in CANDIDATES]
    organise.list_candidates(connection, OFFICIAL, election_id, [candidate(one, election_id) for one in names])
    organise.open_election(connection, Announcer(pipeline.kafka), OFFICIAL, election_id)


def vote(pipeline: Pipeline, numbers: range, election_id: str = "board") -> None:
    pipeline.send(
        BALLOTS,
        [
            (f"v{number}".encode(), ballot(f"v{number}", f"{election_id}-{CANDIDATES[number % 3]}", election_id), number % PARTITIONS, {})
            for number in numbers
        ],
    )


def test_the_first_ballot_that_is_not_in_time_is_found_to_the_millisecond(pipeline: Pipeline, official: Connection) -> None:
    vote(pipeline, range(PEOPLE))
    lying = pipeline.read(BALLOTS)
    with Passage(pipeline.kafka, official) as passage:
        for one in lying:
            at = datetime.fromtimestamp(one.timestamp_ms / 1000, UTC)
            for moment in (at, at - timedelta(microseconds=1), at + timedelta(microseconds=1)):
                late = {
                    partition: min(
                        (other.offset for other in lying if other.partition == partition and is_late(other.timestamp_ms, moment)),
                        default=None,
                    )
                    for partition in range(PARTITIONS)
                }
                ends = {partition: sum(other.partition == partition for other in lying) for partition in range(PARTITIONS)}
                assert passage.cuts(moment) == {partition: ends[partition] if cut is None else cut for partition, cut in late.items()}
        assert passage.undecided(passage.cuts(datetime.now(UTC) + timedelta(days=1))) == PEOPLE


def is_late(appended_ms: int, closes_at: datetime) -> bool:
    """As `core/verdicts.py` has it."""
    return appended_ms * 1000 >= (closes_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_what_is_not_over_not_decided_or_not_counted_is_not_certified(pipeline: Pipeline, official: Connection) -> None:
    add_voters(pipeline.connection, range(PEOPLE))
    with pytest.raises(ElectionError, match="There is no election 'board'"):
        make_final(pipeline, official)
    opened(pipeline, official)
    with pytest.raises(ElectionError, match=r"is open\. Close it first"):
        make_final(pipeline, official)
    vote(pipeline, range(PEOPLE))
    organise.close_election(official, OFFICIAL, "board")
    with pytest.raises(NotYetError, match=rf"{PEOPLE} ballots that were cast before its end have not been decided.*`./livetally record`"):
        make_final(pipeline, official, within_s=6.0)
    pipeline.record_all()
    with pytest.raises(NotYetError, match=r"the tally is \d+ messages behind.*`./livetally tally`"):
        make_final(pipeline, official)
    assert Roll(official).election("board").status == "closed"
    assert [act.what for act in Acts(official).newest(9) if act.what == "election certify"] == []


def make_final(pipeline: Pipeline, connection: Connection, within_s: float = SOON_S) -> Election:
    return certify(connection, pipeline.kafka, OFFICIAL, "board", Report, within_s)


@contextmanager
def working(pipeline: Pipeline, spark: Spark) -> Iterator[None]:
    with recording(pipeline), tallying(pipeline, spark):
        yield


def test_a_whole_election_beside_another_that_goes_on(
    pipeline: Pipeline,
    official: Connection,
    spark: Spark,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    add_voters(pipeline.connection, range(PEOPLE))
    opened(pipeline, official)
    opened(pipeline, official, "other")
    vote(pipeline, range(20))
    vote(pipeline, range(5))  # once more
    with working(pipeline, spark):
        overrule(pipeline.connection, "UPDATE elections SET closes_at = now() + interval '3 seconds' WHERE election_id = 'board'")
        pipeline.await_decided()
        ended = threading.Event()
        other = threading.Thread(target=vote_on, args=(pipeline, ended))
        other.start()
        try:
            closed = organise.close_election(official, OFFICIAL, "board")
            for elections in (["board"], []):  # in this one, or in what all of them stand on
                with pytest.raises(LedgerError, match=r"the audit finds differences\. a vote too many"):
                    certify(official, pipeline.kafka, OFFICIAL, "board", partial(with_a_difference, Report(), *elections))
            assert Roll(official).election("board").status == "closed"
            certified = certify(official, pipeline.kafka, OFFICIAL, "board", lambda: with_a_difference(audited(pipeline), "other"))
        finally:
            ended.set()
            other.join()
        assert (certified.status, certified.closes_at) == ("certified", closed.closes_at)
        vote(pipeline, range(20, PEOPLE))  # too late
        pipeline.await_decided()
        assert not read_sheet(official, "other").is_final
        certify_over_http(pipeline, "other")
    with pytest.raises(ElectionError, match="is certified, and only an election that is closed can be certified"):
        make_final(pipeline, official)

    act = next(act for act in Acts(official).newest(9) if act.what == "election certify" and act.election_id == "board")
    assert (act.who, act.what, act.detail["total_votes"], len(act.detail["heads"])) == ("olga", "election certify", 20, PARTITIONS)
    sheet = read_sheet(official, "board")
    assert (sheet.voted, sheet.counted, sheet.on_roll, sheet.is_final) == (20, 20, PEOPLE, True)
    assert sheet.rejections == {"not_open": 10, "already_voted_same": 5}
    assert (read_sheet(official, "other").voted, read_sheet(official, "other").is_final) == (PEOPLE, True)

    for name, value in pipeline.environment().items():
        if name.startswith("LIVETALLY_"):
            monkeypatch.setenv(name, value)
    look_at_one_voter(pipeline, official, capsys)
    look_at_its_audit(capsys)
    assert main(["election", "sheet", "board", "--output", str(tmp_path / "sheet.html")]) == 0
    assert "Our board" in (tmp_path / "sheet.html").read_text("utf-8")
    capsys.readouterr()
    assert main(["election", "show", "board", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["status"], shown["voted"], shown["on_roll"], len(shown["candidates"])) == ("certified", 20, PEOPLE, 3)
    assert [one["what"] for one in shown["acts"]] == [
        f"election {what}" for what in ("certify", "close", "open", "import-candidates", "create")
    ]


def certify_over_http(pipeline: Pipeline, election_id: str) -> None:
    """An official ends it, an observer is told that everything agrees, the official makes it final; to both it is one request each."""
    her, his = add_person(pipeline.connection, "olga", Role.OFFICIAL), add_person(pipeline.connection, "oleg", Role.OBSERVER)
    with served(pipeline.kafka, pipeline.database_url, data_dir=pipeline.data_dir) as site:
        closed = site.post(f"/elections/{election_id}/close", her)
        assert (closed.status_code, closed.json()["status"]) == (200, "closed"), closed.text
        certified = site.post(f"/elections/{election_id}/certify?within_s=60", her)
        assert (certified.status_code, certified.json()["status"]) == (200, "certified"), certified.text
        told = site.get(f"/elections/{election_id}/audit", his)
        assert (told.status_code, told.json()["ok"]) == (200, True), told.text
        assert site.post(f"/elections/{election_id}/certify", her).status_code == 409
    act = Acts(pipeline.connection).newest(1)[0]
    assert (act.who, act.what, act.election_id, act.came_from) == ("olga", "election certify", election_id, "127.0.0.1")
    assert act.detail["total_votes"] == PEOPLE


def audited(pipeline: Pipeline) -> Report:
    report = audit(pipeline.kafka, pipeline.database_url)
    assert report.ok, report.differences
    return report


def with_a_difference(report: Report, *election_ids: str) -> Report:
    report.differ("a vote too many", *election_ids)
    return report


def vote_on(pipeline: Pipeline, ended: threading.Event) -> None:
    """Ballots in the other election, as long as the first one is being certified."""
    while not ended.wait(0.05):
        vote(pipeline, range(PEOPLE), "other")


def look_at_its_audit(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["audit", "--election", "board", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["accepted"], told["tallied"], told["differences"]) == (True, 20, 20, [])
    assert main(["audit", "--election", "nowhere"]) != 0


def look_at_one_voter(pipeline: Pipeline, official: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody who voted and tried again; somebody who was late; and that nothing says for whom."""
    found = {one.election_id: one for one in Electors(official).elector("v1").elections}
    assert found["board"].on_roll_since is not None
    assert found["board"].voted_at is not None
    assert [one.reason for one in found["board"].not_counted] == ["already_voted"]
    (late,) = Electors(official).elector("v25", "board").elections
    assert (late.voted_at, [one.reason for one in late.not_counted]) == (None, ["not_open"])
    with pytest.raises(ElectionError, match="There is no voter 'v99'"):
        Electors(official).elector("v99")

    pipeline.sql(
        "INSERT INTO voting_codes (code_hash, election_id, voter_id, voided_at) VALUES ('a', 'board', 'v1', now()), ('b', 'board', 'v1', NULL)"
    )
    pipeline.sql("INSERT INTO receipts (receipt, election_id, voter_id) VALUES ('r', 'board', 'v1')")
    (one,) = Electors(official).elector("v1", "board").elections
    assert (one.code_issued_at is not None, one.codes_voided, one.receipt_issued_at is not None, one.is_acknowledged) == (
        True,
        1,
        True,
        False,
    )

    choices = [
        row[0]
        for row in pipeline.sql(
            "SELECT candidate_id FROM votes UNION SELECT candidate_name FROM candidates UNION SELECT candidate_id FROM candidates"
        )
    ]
    assert len(choices) == 12
    for number in (1, 2, 3, 25):
        said: list[Any] = []
        for options in ([], ["--json"], ["--election", "board", "--json"]):
            capsys.readouterr()
            assert main(["voter", "show", f"v{number}", *options]) == 0
            captured = capsys.readouterr()
            said.append(captured.out + captured.err)
        assert "already_voted" in said[0] or number not in (1, 2, 3)
        assert not any(choice in text or "same" in text for choice in choices for text in said)
