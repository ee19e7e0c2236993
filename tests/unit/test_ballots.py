"""Any bytes in: one verdict, no exception."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetally.core.ballots import BALLOT_BYTES_MAX, Ballot, Reason, Rejected, parse

GOOD = {"election_id": "e1", "voter_id": "v1", "candidate_id": "c1", "cast_at": "2026-05-07 08:00:00.000"}

BAD = {
    "tombstone": None,
    "empty": b"",
    "not UTF-8": b'{"election_id": "\xff"}',
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    "not JSON": b"vote for c1",
    "NaN": b'{"election_id": "e1", "voter_id": "v1", "candidate_id": "c1", "cast_at": NaN}',
    "an array": b'["e1", "v1", "c1"]',
    "deeply nested": b"[" * 2000 + b"]" * 2000,
    "nested in a good ballot": json.dumps(GOOD)[:-1].encode() + b', "x": ' + b"[" * 1500 + b"]" * 1500 + b"}",
    "a number as voter": json.dumps(GOOD | {"voter_id": 7}).encode(),
    "a list as candidate": json.dumps(GOOD | {"candidate_id": ["c1"]}).encode(),
    "null election": json.dumps(GOOD | {"election_id": None}).encode(),
    "no voter": json.dumps({key: value for key, value in GOOD.items() if key != "voter_id"}).encode(),
    "empty voter": json.dumps(GOOD | {"voter_id": ""}).encode(),
    "U+0000": json.dumps(GOOD | {"voter_id": "v1\x00"}).encode(),
    "a lone surrogate": b'{"election_id": "e1", "voter_id": "\\ud800", "candidate_id": "c1"}',
    "a long field": json.dumps(GOOD | {"candidate_id": "c" * 256}).encode(),
    "too many bytes": json.dumps(GOOD | {"note": "x" * BALLOT_BYTES_MAX}).encode(),
}


def test_a_good_ballot_is_read() -> None:
    assert parse(b"v1", json.dumps(GOOD).encode()) == Ballot("e1", "v1", "c1")
    assert parse(None, json.dumps(GOOD).encode()) == Ballot("e1", "v1", "c1")


@pytest.mark.parametrize("value", BAD.values(), ids=BAD.keys())
def test_a_bad_ballot_is_malformed_and_says_why(value: bytes | None) -> None:
    verdict = parse(b"v1", value)
    assert isinstance(verdict, Rejected)
    assert verdict.reason is Reason.MALFORMED
    assert verdict.detail


def test_a_key_that_contradicts_the_value_is_malformed() -> None:
    assert parse(b"somebody else", json.dumps(GOOD).encode()) == Rejected(Reason.MALFORMED, "the key is not the voter_id")


@given(st.one_of(st.none(), st.binary(max_size=64)), st.one_of(st.none(), st.binary(max_size=600)))
def test_any_bytes_get_one_verdict(key: bytes | None, value: bytes | None) -> None:
    assert isinstance(parse(key, value), Ballot | Rejected)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(GOOD, json_values)))
def test_any_json_object_gets_one_verdict(fields: dict[str, object]) -> None:
    verdict = parse(None, json.dumps(fields).encode())
    if isinstance(verdict, Ballot):
        assert (verdict.election_id, verdict.voter_id, verdict.candidate_id) == (
            fields["election_id"],
            fields["voter_id"],
            fields["candidate_id"],
        )
