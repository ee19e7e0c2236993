"""Any bytes in: one verdict, no exception; what is well written is read as it was written; a refusal repeats nothing of it."""

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bad_ballots import bad_ballots
from livetally.core.ballots import BALLOT_BYTES_MAX, FIELD_CHARS_MAX, Ballot, Reason, Rejected, parse

GOOD = {"election_id": "e1", "voter_id": "v1", "candidate_id": "c1", "cast_at": "2026-05-07 08:00:00.000"}
GOOD_BYTES = json.dumps(GOOD).encode()
READ = Ballot("e1", "v1", "c1")

anybody = st.one_of(st.none(), st.binary(max_size=64))
fields = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=FIELD_CHARS_MAX)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
bad_values = st.sampled_from([bad.value for bad in bad_ballots("e1", "c1", lambda number: f"v{number}") if bad.value is not None])


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A ballot, good or bad, in which some bytes are left out, doubled, or others."""
    value = bytearray(draw(st.just(GOOD_BYTES) | bad_values))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(value)))
        until = draw(st.integers(at, min(len(value), at + 8)))
        value[at:until] = draw(
            st.binary(max_size=8) | st.sampled_from([b'"', b"\\", b"{", b"\\u0000", b"\x00", b"\xff", bytes(value[at:until]) * 2])
        )
    return bytes(value)


def test_a_good_ballot_is_read() -> None:
    assert parse(b"v1", GOOD_BYTES) == READ
    assert parse(None, GOOD_BYTES) == READ


def test_a_key_that_contradicts_the_value_is_malformed() -> None:
    assert parse(b"somebody else", GOOD_BYTES) == Rejected(Reason.MALFORMED, "the key is not the voter_id")


@pytest.mark.parametrize(("size", "is_read"), [(BALLOT_BYTES_MAX, True), (BALLOT_BYTES_MAX + 1, False)])
def test_the_limit_is_the_last_size_that_is_read(size: int, is_read: bool) -> None:  # noqa: FBT001 (it is the expectation)
    assert (parse(b"v1", GOOD_BYTES.ljust(size)) == READ) is is_read


@given(anybody, st.one_of(st.none(), st.binary(max_size=600), mutated()))
def test_any_bytes_get_one_verdict(key: bytes | None, value: bytes | None) -> None:
    verdict = parse(key, value)
    assert isinstance(verdict, Ballot | Rejected)
    assert verdict == parse(key, value)
    if isinstance(verdict, Rejected):
        assert verdict.reason is Reason.MALFORMED
        assert re.fullmatch(r"[ -~]{1,80}", verdict.detail), "short, and fit for a header, a row and a terminal"
    else:
        for name in (verdict.election_id, verdict.voter_id, verdict.candidate_id):
            assert 1 <= len(name) <= FIELD_CHARS_MAX
            assert "\x00" not in name
            assert name.encode().decode() == name, "no lone surrogate: every text can be stored"
        assert key in (None, verdict.voter_id.encode())


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(GOOD, json_values)))
def test_any_json_object_gets_one_verdict(written: dict[str, object]) -> None:
    verdict = parse(None, json.dumps(written).encode())
    if isinstance(verdict, Ballot):
        assert (verdict.election_id, verdict.voter_id, verdict.candidate_id) == (
            written["election_id"],
            written["voter_id"],
            written["candidate_id"],
        )


@given(
    fields,
    fields,
    fields,
    st.booleans(),
    st.booleans(),
    st.dictionaries(st.text(max_size=9).filter(lambda name: name not in GOOD), json_values),
)
@example("\u202e", "\uffff", "\\N\t\n", False, True, {})
@example("e" * 255, "v" * 255, "c" * 255, True, True, {})
def test_what_is_well_written_is_read_as_it_was_written(
    election_id: str,
    voter_id: str,
    candidate_id: str,
    escaped: bool,  # noqa: FBT001 (either way of writing)
    keyed: bool,  # noqa: FBT001 (with a key, or without one)
    others: dict[str, object],
) -> None:
    written = others | {"election_id": election_id, "voter_id": voter_id, "candidate_id": candidate_id}
    value = json.dumps(written, ensure_ascii=escaped).encode()
    verdict = parse(voter_id.encode() if keyed else None, value)
    if len(value) <= BALLOT_BYTES_MAX:
        assert verdict == Ballot(election_id, voter_id, candidate_id)
    else:
        assert isinstance(verdict, Rejected)


@given(st.sampled_from([*GOOD, "another"]), st.sampled_from(['"{}"', "{}", '["{}"]', '{{"{}": 1}}', '"{}\\u0000"', '"{}', '"\\ud800{}"']))
def test_a_refusal_repeats_nothing_of_the_ballot(name: str, form: str) -> None:
    secret = "Zq7-of-the-voter"  # a text that no message of ours contains
    value = (json.dumps(GOOD)[:-1] + f', "{name}": ' + form.format(secret * (1 if name == "another" else 20)) + "}").encode()
    for key in (None, secret.encode()):
        verdict = parse(key, value)
        if isinstance(verdict, Rejected):
            assert "Zq7" not in verdict.detail
