"""`livetally rejected`: lists what does not count, and casts it again; called as a person would, on real services."""

import asyncio
import base64
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from bad_ballots import COUNTS, bad_ballots
from electorate import overrule
from livetally.adapters.postgres import connect
from livetally.adapters.receipts import Receipts
from livetally.adapters.rejected import Rejections
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.cli import build_parser
from livetally.commands.rejected import rejected
from livetally.core.ballots import Reason
from livetally.core.errors import LedgerError, UsageError
from livetally.core.following import Accepted, Followed, Found, Refused, follow
from livetally.core.wire import BALLOTS, REJECTED, VOTES, ms_text
from livetally.record.cast_again import CASTABLE, HOPELESS
from pipeline import CANDIDATES, ELECTION, LONG_AGO, PARTITIONS, Pipeline, Seen, add_election, add_voters, ballot, candidate, wait_for

Call = Callable[..., int]


@pytest.fixture
def call(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Call:
    """`livetally rejected …`, in this process."""
    for name, value in pipeline.environment().items():
        if name.startswith("LIVETALLY_"):
            monkeypatch.setenv(name, value)
    return lambda *words: rejected(build_parser().parse_args(["rejected", *map(str, words)]))


@pytest.fixture
def said(call: Call, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """The same, and what it has said as JSON."""

    def document(*words: object) -> Any:
        capsys.readouterr()
        assert call(*words, "--json") == 0
        return json.loads(capsys.readouterr().out)

    return document


def followed(pipeline: Pipeline, receipt: str) -> Followed:
    """What the API says of a receipt."""

    async def ask() -> Found | None:
        receipts = Receipts(pipeline.database_url)
        try:
            return await receipts.follow(receipt)
        finally:
            await receipts.close()

    found = asyncio.run(ask())
    assert found is not None
    return follow(found)


def list_candidate(pipeline: Pipeline, candidate_id: str) -> None:
    roll = Roll(pipeline.connection)
    with roll.changing():
        roll.add_candidates([candidate(candidate_id)])


def copies(pipeline: Pipeline) -> list[tuple[bytes, Seen]]:
    """Ballots that say that they are copies, and of which."""
    return [(one.headers["cast_again_from"], one) for one in pipeline.read(BALLOTS) if "cast_again_from" in one.headers]


class TestListing:
    def test_every_rejected_ballot_with_its_place_its_reason_and_its_bytes(self, pipeline: Pipeline, said: Callable[..., Any]) -> None:
        corpus = bad_ballots(ELECTION, CANDIDATES[0], lambda number: f"v{number}")
        pipeline.hold_election(len(corpus))
        pipeline.send(BALLOTS, [(one.key, one.value, number % PARTITIONS, {}) for number, one in enumerate(corpus)])
        pipeline.record_all()
        document = said()
        expected = {(one.partition, one.offset): one for one in pipeline.read(BALLOTS)}
        bad = [one for one in corpus if one.verdict != COUNTS]
        assert document["total"] == len(document["rejections"]) == len(bad)
        assert document["counts"] == {reason: sum(one.verdict == reason for one in bad) for reason in {one.verdict for one in bad}}
        listed = [(one["partition"], one["offset"]) for one in document["rejections"]]
        assert listed == sorted(listed)
        rows = {row[:2]: row[2:] for row in pipeline.sql("SELECT ballot_partition, ballot_offset, reason, detail FROM rejections")}
        for one in document["rejections"]:
            place = (one["partition"], one["offset"])
            ballot = expected[place]
            assert (one["reason"], one["detail"]) == rows[place]
            assert one["appended_at"] == ms_text(ballot.timestamp_ms)
            assert (decoded(one["key"], one["key_encoding"]), decoded(one["value"], one["value_encoding"])) == (ballot.key, ballot.value)
            if one["reason"] == "malformed":
                assert one["election_id"] is one["voter_id"] is one["candidate_id"] is None
            else:
                assert {name: one[name] for name in ("election_id", "voter_id", "candidate_id")}.items() <= ballot.fields.items()

    def test_the_newest_of_one_reason(
        self, pipeline: Pipeline, call: Call, said: Callable[..., Any], capsys: pytest.CaptureFixture[str]
    ) -> None:
        pipeline.hold_election(40)
        for number in range(40):  # one by one: each has a time of its own, nearly
            pipeline.send(BALLOTS, [(None, ballot(f"v{number}", f"none{number}"), number % PARTITIONS, {})])
        pipeline.send(BALLOTS, [(None, b"\xff", 0, {})])
        pipeline.record_all()
        cast = sorted((one for one in pipeline.read(BALLOTS) if one.value != b"\xff"), key=lambda one: (one.timestamp_ms, one.partition))
        by_time = [str(one.fields["candidate_id"]) for one in cast]
        assert said("-n", 0) == {"total": 41, "counts": {"unknown_candidate": 40, "malformed": 1}, "rejections": []}
        document = said("--reason", "unknown_candidate", "-n", 5)
        assert (document["total"], document["counts"]) == (40, {"unknown_candidate": 40})
        assert {one["candidate_id"] for one in document["rejections"]} == set(by_time[-5:])
        capsys.readouterr()
        assert call("--reason", "unknown_candidate") == 0
        captured = capsys.readouterr()
        assert re.findall(r"  voter v\d+, candidate (none\d+), election e\n", captured.out) == by_time[-20:], "the newest last"
        assert "the newest 20 of 40" in captured.err

    def test_strangers_bytes_do_nothing_to_a_terminal(
        self, pipeline: Pipeline, call: Call, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        pipeline.hold_election(1)
        evil = "\x1b[2J\x07\r\u202e\u200b\u0301\x85\n"
        pipeline.cast(ballot(evil), evil.encode() * 100, b"\x1b\xff\x00" * 300_000, None, b"", key=None, partition=0)
        pipeline.cast(b"!", key=evil.encode(), partition=0)
        pipeline.record_all()
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", "80")
        capsys.readouterr()
        assert call() == 0
        out = re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out)  # our own: the head of the table is bold
        assert all(one.isprintable() for one in out.replace("\n", ""))
        assert all(ord(one) < 128 or one == "…" for one in out)
        assert max(len(line) for line in out.splitlines()) == 80
        assert "(no value)" in out
        assert "(900,000 bytes)" in out
        assert "not JSON in UTF-8  key \\x1b[2J\\x07\\r" in out
        capsys.readouterr()
        assert call("--json") == 0
        out = capsys.readouterr().out
        assert out.isascii()
        assert all(one.isprintable() for one in out.replace("\n", ""))
        assert len(json.loads(out)["rejections"]) == 6

    def test_nothing_to_list(self, call: Call, said: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
        assert said() == {"total": 0, "counts": {}, "rejections": []}
        assert call() == call("--reason", "malformed") == 0
        assert capsys.readouterr().err.splitlines()[-2:] == ["No ballot has been rejected.", "No ballot has been rejected as malformed."]

    def test_a_ballot_that_the_topic_has_lost_is_listed_as_missing(self, pipeline: Pipeline, said: Callable[..., Any]) -> None:
        pipeline.hold_election(1)
        pipeline.cast(b"one", b"two", partition=0)
        pipeline.record_all()
        pipeline.sql("INSERT INTO rejections VALUES (0, 7, NULL, 'v9', 'unknown_voter', '', now())")
        assert [(one["offset"], one["value"], one["value_encoding"]) for one in said()["rejections"]] == [
            (0, "one", "utf-8"),
            (1, "two", "utf-8"),
            (7, None, "missing"),
        ]

    def test_a_ledger_of_other_ballots_is_refused(self, pipeline: Pipeline, call: Call) -> None:
        pipeline.sql("INSERT INTO ledger_source (cluster_id, ballots_topic_id) VALUES ('another', 'one')")
        with pytest.raises(LedgerError, match="filled from other ballots"):
            call()
        with pytest.raises(LedgerError, match="filled from other ballots"):
            call("--cast-again", "not_open")


def decoded(text: str | None, encoding: str) -> bytes | None:
    if text is None:
        assert encoding == "none"
        return None
    return base64.b64decode(text) if encoding == "base64" else text.encode()


class TestWords:
    @pytest.mark.parametrize("option", ["--reason", "--cast-again"])
    def test_an_unknown_reason_is_answered_with_the_list(self, call: Call, option: str) -> None:
        with pytest.raises(UsageError) as error:
            call(option, "too_late")
        assert error.value.exit_code == 2
        assert all(reason in str(error.value) for reason in Reason)

    @pytest.mark.parametrize("reason", HOPELESS)
    def test_what_can_never_count_is_not_cast_again(self, pipeline: Pipeline, call: Call, reason: Reason) -> None:
        with pytest.raises(UsageError) as error:
            call("--cast-again", reason)
        assert error.value.exit_code == 2
        assert all(castable in str(error.value) for castable in CASTABLE)
        assert pipeline.end(BALLOTS) == 0

    @pytest.mark.parametrize(
        "words", [["--dry-run"], ["--cast-again", "not_open", "-n", "3"], ["--cast-again", "not_open", "--reason", "not_open"]]
    )
    def test_options_that_do_not_go_together(self, call: Call, words: list[str]) -> None:
        with pytest.raises(UsageError):
            call(*words)

    def test_every_reason_is_either_castable_or_hopeless(self) -> None:
        assert {*CASTABLE, *HOPELESS} == set(Reason)


class TestCastingAgain:
    def test_a_candidate_is_listed_late(self, pipeline: Pipeline, said: Callable[..., Any]) -> None:
        """Those who chose the new one get their vote, once; nonsense and those who voted meanwhile are left as they are."""
        pipeline.hold_election(9)
        pipeline.send(
            BALLOTS, [(f"v{number}".encode(), ballot(f"v{number}", "late"), number % PARTITIONS, {"x": b"y"}) for number in range(5)]
        )
        pipeline.send(BALLOTS, [(None, ballot("v5", "late"), 1, {}), (b"v6", ballot("v6", "nonsense"), 0, {}), (b"v7", b"\xff", 2, {})])
        pipeline.record_all()
        pipeline.cast_votes([4])
        pipeline.record_all()
        assert said("--cast-again", "unknown_candidate")["would_be_rejected"] == {"unknown_candidate": 6}
        list_candidate(pipeline, "late")
        originals = pipeline.read(BALLOTS)
        nothing = {"voted": 0, "cast_before": 0, "missing": 0}
        expected = {
            "reason": "unknown_candidate",
            "dry_run": True,
            "complete": True,
            "cast_again": 5,
            "skipped": nothing | {"voted": 1},
            "would_be_rejected": {"unknown_candidate": 1},
        }
        assert said("--cast-again", "unknown_candidate", "--dry-run") == expected
        assert pipeline.read(BALLOTS) == originals
        assert said("--cast-again", "unknown_candidate") == expected | {"dry_run": False}
        made = copies(pipeline)
        places = {f"{one.partition}/{one.offset}".encode(): one for one in originals}
        assert len(made) == 5
        for origin, copy in made:
            original = places[origin]
            assert (copy.key, copy.value, copy.partition) == (original.key, original.value, original.partition)
            assert copy.headers == {"cast_again_from": origin}
        # called again before anybody has decided, and after
        waiting = expected | {"dry_run": False, "cast_again": 0, "skipped": nothing | {"voted": 1, "cast_before": 5}}
        assert said("--cast-again", "unknown_candidate") == waiting
        pipeline.record_all()
        assert said("--cast-again", "unknown_candidate") == waiting | {"skipped": nothing | {"voted": 6}}
        assert copies(pipeline) == made
        assert {(vote[1], vote[2]) for vote in pipeline.votes()} == {
            *((f"v{number}", "late") for number in (0, 1, 2, 3, 5)),
            ("v4", "c1"),
        }
        assert len(pipeline.read(VOTES)) == 6

    def test_each_cause_that_can_be_mended(self, pipeline: Pipeline, said: Callable[..., Any]) -> None:
        now = datetime.now(UTC)
        add_voters(pipeline.connection, range(4))
        add_election(pipeline.connection, opens_at=now + LONG_AGO)
        pipeline.send(BALLOTS, [(None, ballot("v0"), 0, {}), (None, ballot("v1", "c7", "later"), 1, {})])
        pipeline.record_all()
        assert said("--cast-again", "not_open")["would_be_rejected"] == {"not_open": 1}
        assert said("--cast-again", "unknown_election")["would_be_rejected"] == {"unknown_election": 1}
        add_election(pipeline.connection, "later", ["c7"])
        with Roll(pipeline.connection).changing():
            overrule(pipeline.connection, "UPDATE elections SET opens_at = %s WHERE election_id = 'e'", (now - LONG_AGO,))
        pipeline.send(BALLOTS, [(None, ballot("v7"), 2, {})])
        pipeline.record_all()
        assert said("--cast-again", "unknown_voter")["would_be_rejected"] == {"unknown_voter": 1}
        add_voters(pipeline.connection, [7])
        for reason in ("not_open", "unknown_election", "unknown_voter"):
            assert said("--cast-again", reason)["cast_again"] == 1, reason
        pipeline.record_all()
        assert [vote[:3] for vote in pipeline.votes()] == [("e", "v0", "c0"), ("e", "v7", "c0"), ("later", "v1", "c7")]

    def test_it_is_written_down_and_a_receipt_tells_of_the_copy(self, pipeline: Pipeline, said: Callable[..., Any]) -> None:
        now = datetime.now(UTC)
        add_voters(pipeline.connection, range(2))
        add_election(pipeline.connection, opens_at=now + LONG_AGO)
        pipeline.send(BALLOTS, [(b"v0", ballot("v0"), 0, {}), (b"v1", ballot("v1"), 0, {})])
        pipeline.record_all()
        pipeline.sql("INSERT INTO receipts (receipt, election_id, voter_id, ballot_partition, ballot_offset) VALUES ('r', 'e', 'v0', 0, 0)")
        first = followed(pipeline, "r")
        assert isinstance(first, Refused)
        assert (first.place, first.reason) == ((0, 0), "not_open")
        with Roll(pipeline.connection).changing():
            overrule(pipeline.connection, "UPDATE elections SET opens_at = %s WHERE election_id = 'e'", (now - LONG_AGO,))
        assert said("--cast-again", "not_open", "--dry-run")["cast_again"] == 2
        assert pipeline.sql("SELECT what FROM acts UNION SELECT receipt FROM receipts WHERE cast_again") == []
        assert said("--cast-again", "not_open")["cast_again"] == 2
        assert pipeline.sql("SELECT what, subject, came_from FROM acts") == [("rejected cast-again", "not_open", "command line")]
        assert followed(pipeline, "r") == first, "until the copy has its verdict"
        pipeline.record_all()
        counts = followed(pipeline, "r")
        assert isinstance(counts, Accepted)
        assert counts.place == (0, 2)
        assert said("--cast-again", "not_open")["cast_again"] == 0
        assert len(pipeline.sql("TABLE acts")) == 1, "nothing was cast, so nothing was done"

    def test_what_cannot_help_is_said(self, pipeline: Pipeline, call: Call, capsys: pytest.CaptureFixture[str]) -> None:
        pipeline.hold_election(3)
        pipeline.cast(ballot("v0", "late"), ballot("v1", "late"), partition=0)
        pipeline.record_all()
        list_candidate(pipeline, "late")
        with Roll(pipeline.connection).changing():
            pipeline.sql("UPDATE elections SET status = 'closed', closes_at = now()")
        assert call("--cast-again", "unknown_candidate") == 0
        said = capsys.readouterr().err
        assert "0 of 2 ballots that were rejected as unknown_candidate have been cast again" in said
        assert "2 not: they would be rejected again, as not_open" in said
        assert "cannot help" in said
        assert call("--cast-again", "unknown_voter") == 0
        assert "no ballot has been rejected as unknown_voter; nothing was cast" in capsys.readouterr().err
        assert copies(pipeline) == []

    def test_a_copy_that_was_rejected_too_stands_in_for_its_ballot(self, pipeline: Pipeline, said: Callable[..., Any]) -> None:
        """However often the cause comes back: one copy a call, never two of one ballot."""
        pipeline.hold_election(2)
        pipeline.cast(ballot("v0", "late"), ballot("v1", "late"), partition=0)
        pipeline.record_all()
        list_candidate(pipeline, "late")
        for time in range(3):
            assert said("--cast-again", "unknown_candidate")["cast_again"] == 2
            pipeline.sql("UPDATE candidates SET listed_at = now() + interval '1 hour' WHERE candidate_id = 'late'")
            pipeline.record_all()
            assert len(pipeline.read(REJECTED)) == 2 * (time + 2)
            pipeline.sql("UPDATE candidates SET listed_at = now() WHERE candidate_id = 'late'")
        assert [origin for origin, _ in copies(pipeline)] == [b"0/0", b"0/1", b"0/2", b"0/3", b"0/4", b"0/5"]
        assert said("--cast-again", "unknown_candidate")["skipped"]["cast_before"] == 6
        pipeline.record_all()
        assert [vote[3:] for vote in pipeline.votes()] == [(0, 8), (0, 9)]

    def test_several_ballots_of_one_person_count_once(self, pipeline: Pipeline, said: Callable[..., Any]) -> None:
        pipeline.hold_election(1)
        pipeline.cast(ballot("v0", "nonsense"), ballot("v0", "late"), ballot("v0", "later"), ballot("v0", "late"), partition=2)
        pipeline.record_all()
        list_candidate(pipeline, "late")
        list_candidate(pipeline, "later")
        assert said("--cast-again", "unknown_candidate")["cast_again"] == 3
        pipeline.record_all()
        assert [vote[1:] for vote in pipeline.votes()] == [("v0", "late", 2, 4)], (
            "the first of those that can count, as if it had counted then"
        )
        assert said("--cast-again", "unknown_candidate")["skipped"]["voted"] == 4

    def test_a_header_of_a_strangers_own_making_harms_nobody(self, pipeline: Pipeline, said: Callable[..., Any]) -> None:
        pipeline.hold_election(4)
        odd = [b"", b"0", b"0/", b"0/x", b"0/-1", b"0/" + b"9" * 30, b"1/0", b"\xff", b"0/0/0", "0/٣".encode()]
        pipeline.send(
            BALLOTS, [(None, ballot("v0", "late"), 0, {}), *((None, ballot("v1", "x"), 0, {"cast_again_from": one}) for one in odd)]
        )
        pipeline.record_all()
        pipeline.send(BALLOTS, [(None, ballot("v2", "x"), 0, {"cast_again_from": one}) for one in odd])
        list_candidate(pipeline, "late")
        assert said("--cast-again", "unknown_candidate")["cast_again"] == 1

    def test_one_at_a_time(self, pipeline: Pipeline, call: Call) -> None:
        with closing(connect(pipeline.database_url, "tests", Rights.CAST)) as other:
            Rejections(other).lock_casting_again()
            with pytest.raises(LedgerError, match="already"):
                call("--cast-again", "not_open")
        assert call("--cast-again", "not_open") == 0


@pytest.fixture
def many(pipeline: Pipeline) -> Pipeline:
    """30,000 ballots whose candidate was listed too late."""
    pipeline.hold_election(30_000)
    pipeline.cast_votes(range(30_000), candidate_id="late")
    pipeline.record_all()
    list_candidate(pipeline, "late")
    return pipeline


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_stopped_half_way_it_goes_on_where_it_was(many: Pipeline, said: Callable[..., Any], number: signal.Signals) -> None:
    command = [sys.executable, "-m", "livetally", "rejected", "--cast-again", "unknown_candidate"]
    with subprocess.Popen(command, env=many.environment(), stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: many.end(BALLOTS) > 32_000 or process.poll() is not None, "some are cast again")
        process.send_signal(number)
        heard = process.communicate(timeout=60)[1]
    first = many.end(BALLOTS) - 30_000
    assert 2_000 <= first < 30_000, "stopped too early or too late to say anything"
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert f"{first:,} of " in heard
        assert "The same command goes on there" in heard
    rest = said("--cast-again", "unknown_candidate")
    assert (rest["cast_again"], rest["skipped"]["cast_before"]) == (30_000 - first, first)
    origins = [origin for origin, _ in copies(many)]
    assert len(origins) == len(set(origins)) == 30_000
    many.record_all()
    assert [vote[1:3] for vote in many.votes()] == sorted((f"v{number}", "late") for number in range(30_000))
    assert len(many.read(REJECTED)) == 30_000
