"""Codes: one for everybody on the roll, whatever kind of roll it is; kept as hashes; with a key that is noticed when it is lost."""

import os
from pathlib import Path

import pytest

from booths import REAL, TESTER, hold_real_election, issue_codes
from electorate import add_voters
from livetally.adapters.codes import KEY_FILE, Codes, codes_key
from livetally.adapters.postgres import Connection
from livetally.core.codes import keyed_hash, read
from livetally.core.errors import DataDirError, ElectionError


def reissue(connection: Connection, data_dir: Path, voter_id: str, election_id: str = REAL) -> str:
    with connection.transaction():
        return Codes(connection, codes_key(connection, data_dir)).reissue(election_id, voter_id, TESTER).code


def test_everybody_on_the_general_register_gets_one_and_only_one(connection: Connection, tmp_path: Path) -> None:
    hold_real_election(connection, 12)
    connection.execute("UPDATE voters SET is_general = false WHERE voter_id = 'v11'")
    codes = issue_codes(connection, tmp_path)
    assert sorted(codes) == sorted(f"v{number}" for number in range(11))
    assert len(set(codes.values())) == 11
    assert issue_codes(connection, tmp_path) == {}
    add_voters(connection, [20, 21])
    assert sorted(issue_codes(connection, tmp_path)) == ["v20", "v21"]


def test_some_states(connection: Connection, tmp_path: Path) -> None:
    hold_real_election(connection, 12, roll="states", roll_states=("State 1",))
    assert sorted(issue_codes(connection, tmp_path)) == sorted(f"v{number}" for number in range(12) if number % 3 == 1)


def test_a_list(connection: Connection, tmp_path: Path) -> None:
    hold_real_election(connection, 12, roll="list")
    for voter_id in ("v2", "v5"):
        connection.execute("INSERT INTO roll_entries (voter_id, election_id, listed_at) VALUES (%s, %s, now())", (voter_id, REAL))
    assert sorted(issue_codes(connection, tmp_path)) == ["v2", "v5"]
    with pytest.raises(ElectionError, match="no voter 'v3' on the roll"):
        reissue(connection, tmp_path, "v3")


def test_only_hashes_are_kept(connection: Connection, tmp_path: Path) -> None:
    hold_real_election(connection, 3)
    codes = issue_codes(connection, tmp_path)
    key = codes_key(connection, tmp_path)
    kept: dict[str, bytes] = dict(connection.execute("SELECT voter_id, code_hash FROM voting_codes").fetchall())
    assert kept == {voter_id: keyed_hash(key, read(code) or b"") for voter_id, code in codes.items()}
    assert connection.execute("SELECT who, what, election_id, detail, came_from FROM acts").fetchall() == [
        ("tests", "codes issued", REAL, {"codes": 3}, "here")
    ]


def test_a_new_code_voids_the_old_one_and_leaves_a_trace(connection: Connection, tmp_path: Path) -> None:
    hold_real_election(connection, 3)
    old = issue_codes(connection, tmp_path)["v1"]
    new = reissue(connection, tmp_path, "v1")
    key = codes_key(connection, tmp_path)
    rows: dict[bytes, bool] = dict(
        connection.execute("SELECT code_hash, voided_at IS NULL FROM voting_codes WHERE voter_id = 'v1'").fetchall()
    )
    assert rows == {keyed_hash(key, read(old) or b""): False, keyed_hash(key, read(new) or b""): True}
    acts = connection.execute("SELECT what, subject, election_id FROM acts ORDER BY number").fetchall()
    assert acts[1:] == [("code reissued", "v1", REAL)]


@pytest.mark.parametrize(("changed", "said"), [({"kind": "simulated"}, "simulated"), ({"status": "closed"}, "closed")])
def test_elections_that_take_no_codes(connection: Connection, tmp_path: Path, changed: dict[str, str], said: str) -> None:
    hold_real_election(connection, 3, **changed)
    with pytest.raises(ElectionError, match=said):
        issue_codes(connection, tmp_path)
    with pytest.raises(ElectionError, match="no election 'none'"):
        issue_codes(connection, tmp_path, "none")
    assert connection.execute("SELECT count(*) FROM voting_codes").fetchone() == (0,)


def test_what_was_not_handed_out_was_not_issued(connection: Connection, tmp_path: Path) -> None:
    hold_real_election(connection, 3)
    codes = Codes(connection, codes_key(connection, tmp_path))

    def hand_out() -> None:
        with connection.transaction():
            for _ in codes.issue(REAL, TESTER):
                raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        hand_out()
    assert connection.execute("SELECT count(*) FROM voting_codes").fetchone() == (0,)
    assert len(issue_codes(connection, tmp_path)) == 3


def test_the_key_is_made_once_and_private(connection: Connection, tmp_path: Path) -> None:
    key = codes_key(connection, tmp_path)
    assert codes_key(connection, tmp_path) == key
    path = tmp_path / KEY_FILE
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208 (names are what is asked for)


def test_a_key_that_is_lost_damaged_or_another_is_noticed(connection: Connection, tmp_path: Path) -> None:
    codes_key(connection, tmp_path)
    path = tmp_path / KEY_FILE
    kept = path.read_text("ascii")
    path.unlink()
    with pytest.raises(DataDirError, match="not there"):
        codes_key(connection, tmp_path)
    path.write_text("abcd", "ascii")
    with pytest.raises(DataDirError, match="damaged"):
        codes_key(connection, tmp_path)
    path.write_text("00" * 32, "ascii")
    with pytest.raises(DataDirError, match="is not the key"):
        codes_key(connection, tmp_path)
    path.write_text(kept, "ascii")
    assert codes_key(connection, tmp_path).hex() == kept.strip()
