"""`livetally election codes`: a file for letters, that nobody else may read, and that is never written twice."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from booths import REAL, hold_real_election
from livetally.adapters.codes import codes_key
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
    valid = pipeline.sql("SELECT code_hash FROM voting_codes WHERE voter_id = 'v2' AND voided_at IS NULL")
    assert valid == [(keyed_hash(key, read(row["code"]) or b""),)]
    assert [what for (what,) in pipeline.sql("SELECT what FROM acts ORDER BY number")][-1] == "code reissued"


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
