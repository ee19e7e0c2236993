"""`livetally election codes`: a file for letters, that nobody else may read, and that is never written twice."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from booths import REAL, hold_real_election
from livetally.adapters.codes import codes_key
from livetally.adapters.postgres import Connection, connect
from livetally.cli import main
from livetally.commands.codes import is_only_here
from livetally.core.codes import keyed_hash, read
from pipeline import Pipeline


def called(pipeline: Pipeline, *arguments: str, public_url: str = "https://vote.example/") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "livetally", "election", "codes", *arguments],
        env=pipeline.environment() | {"LIVETALLY_API_PUBLIC_URL": public_url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_letters(pipeline: Pipeline, tmp_path: Path) -> None:
    hold_real_election(pipeline.connection, 5)
    pipeline.sql("UPDATE voters SET voter_name = '=HYPERLINK(1)' WHERE voter_id = 'v3'")
    file = tmp_path / "letters.csv"
    done = called(pipeline, REAL, "--output", str(file))
    assert done.returncode == 0, done.stderr
    assert (done.stdout, "5 voting codes" in done.stderr, "Careful" in done.stderr) == ("", True, False)
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open(encoding="utf-8", newline="") as letters:
        rows = list(csv.DictReader(letters))
    assert [*rows[0]] == ["voter_id", "voter_name", "street", "postcode", "city", "state", "country", "code", "url"]
    assert {row["url"] for row in rows} == {f"https://vote.example/vote/{REAL}"}
    assert rows[3]["voter_name"] == "'=HYPERLINK(1)"
    key = codes_key(pipeline.connection, pipeline.data_dir)
    kept = dict(pipeline.sql("SELECT voter_id, code_hash FROM voting_codes"))
    assert kept == {row["voter_id"]: keyed_hash(key, read(row["code"]) or b"") for row in rows}

    again = called(pipeline, REAL, "--output", str(file))
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    nobody = called(pipeline, REAL, public_url="")
    assert "Careful" not in nobody.stderr  # there is no letter that could mislead
    assert (nobody.returncode, nobody.stdout.splitlines()[1:], "None was issued" in nobody.stderr) == (0, [], True)

    replaced = called(pipeline, REAL, "--reissue", "v2", public_url="")
    assert replaced.returncode == 0, replaced.stderr
    assert f"/vote/{REAL}, which only this machine reaches" in replaced.stderr
    assert "LIVETALLY_API_PUBLIC_URL" in replaced.stderr
    (row,) = csv.DictReader(replaced.stdout.splitlines())
    assert row["voter_id"] == "v2"
    stored = pipeline.sql("SELECT code_hash FROM voting_codes WHERE voter_id = 'v2' AND voided_at IS NULL")
    assert stored == [(keyed_hash(key, read(row["code"]) or b""),)]
    assert [what for (what,) in pipeline.sql("SELECT what FROM acts ORDER BY number")][-1] == "code reissued"


def codes_in(file: Path) -> dict[str, str]:
    with file.open(encoding="utf-8", newline="") as letters:
        return {row["voter_id"]: row["code"] for row in csv.DictReader(letters)}


def valid(pipeline: Pipeline, codes: dict[str, str]) -> bool:
    """Whether these are the codes that voters can vote with, of everybody."""
    key = codes_key(pipeline.connection, pipeline.data_dir)
    kept = dict(pipeline.sql("SELECT voter_id, code_hash FROM voting_codes WHERE voided_at IS NULL"))
    return kept == {voter_id: keyed_hash(key, read(code) or b"") for voter_id, code in codes.items()}


def test_codes_that_were_issued_are_not_lost_by_an_interruption(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl+C as soon as they are stored."""
    hold_real_election(pipeline.connection, 5)
    for name, value in pipeline.environment().items():
        monkeypatch.setenv(name, value)

    def interrupted(*arguments: Any, **named: Any) -> Connection:
        connection = connect(*arguments, **named)
        whole = connection.transaction

        @contextmanager
        def transaction() -> Iterator[None]:
            with whole():
                yield
            raise KeyboardInterrupt

        monkeypatch.setattr(connection, "transaction", transaction)
        return connection

    monkeypatch.setattr("livetally.commands.codes.connect", interrupted)
    file = tmp_path / "letters.csv"
    assert main(["election", "codes", REAL, "--output", str(file)]) == 130
    assert f"Keep {file}" in capsys.readouterr().err
    assert len(codes_in(file)) == 5
    assert valid(pipeline, codes_in(file))


def test_where_the_answer_to_commit_is_lost_two_files_hold_the_right_codes_together(pipeline: Pipeline, tmp_path: Path) -> None:
    """PostgreSQL goes away while it commits; nobody knows what has become of it, and what is said to do is right either way."""
    hold_real_election(pipeline.connection, 5)
    pipeline.sql(
        "CREATE FUNCTION go_away() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "
        "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); RETURN NULL; END $$"
    )
    pipeline.sql(
        "CREATE CONSTRAINT TRIGGER while_it_commits AFTER INSERT ON voting_codes DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION go_away()"
    )
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    done = called(pipeline, REAL, "--output", str(first))
    assert (done.returncode, f"Keep {first}" in done.stderr) == (1, True), done.stderr
    assert len(codes_in(first)) == 5
    pipeline.sql("DROP TRIGGER while_it_commits ON voting_codes")
    assert called(pipeline, REAL, "--output", str(second)).returncode == 0
    assert valid(pipeline, codes_in(first) | codes_in(second))


def test_what_cannot_be_issued(pipeline: Pipeline, tmp_path: Path) -> None:
    hold_real_election(pipeline.connection, 5)
    hold_real_election(pipeline.connection, 0, "made-up", kind="simulated")
    for arguments, said in {
        (REAL, "--output", str(tmp_path / "no" / "letters.csv")): "cannot be written",
        ("made-up",): "simulated",
        ("none",): "no election 'none'",
        (REAL, "--reissue", "nobody"): "no voter 'nobody'",
    }.items():
        done = called(pipeline, *arguments)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    left = tmp_path / "left.csv"
    assert called(pipeline, "made-up", "--output", str(left)).returncode == 2
    assert not left.exists()
    assert pipeline.sql("TABLE voting_codes") == []


@pytest.mark.parametrize(
    ("url", "only_here"),
    [
        ("http://127.0.0.1:8502/vote/may", True),
        ("http://localhost/vote/may", True),
        ("http://[::1]:8502/vote/may", True),
        ("http://0.0.0.0:8502/vote/may", True),
        ("https://vote.example/vote/may", False),
        ("http://192.168.1.5:8502/vote/may", False),
    ],
)
def test_whether_voters_can_go_there(url: str, only_here: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    assert is_only_here(url) is only_here
