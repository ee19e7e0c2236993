"""The head of a vote: quick to find where *record* wrote it, and never taken for something else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electorate import candidate, voter
from livetally.core.elections import Detail
from livetally.core.head import CUTS, HEAD_BYTES, counted_by
from livetally.core.tally import cell_of
from livetally.core.wire import listed_voter_message, vote_message, vote_parts, voter_message

SOMEBODY = voter(1)
TIME = "2026-05-07 08:00:00.123"


@pytest.mark.parametrize("detail", ["full", "group"])
@pytest.mark.parametrize("announcement", [voter_message(SOMEBODY), listed_voter_message(SOMEBODY, "e")], ids=["general", "of a list"])
def test_what_a_vote_is_counted_by_stands_in_front(announcement: bytes, detail: Detail) -> None:
    message = vote_message(announcement, vote_parts(candidate("c0"), detail), TIME)
    assert cell_of(counted_by(message)) == cell_of(json.loads(message))
    assert counted_by(message)["voting_time"] == TIME
    assert "candidate_name" not in counted_by(message), "the rest is not read"


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(['"', '","gender":"', "\\", "}", "x" * HEAD_BYTES])


@given(voter_id=texts, born=texts, gender=texts, city=texts, state=texts, candidate_id=texts)
def test_whatever_the_texts_a_vote_is_counted_as_its_whole_message_says(
    voter_id: str, born: str, gender: str, city: str, state: str, candidate_id: str
) -> None:
    somebody = SOMEBODY._replace(voter_id=voter_id, date_of_birth=born, gender=gender, address_city=city, address_state=state)
    message = vote_message(voter_message(somebody), vote_parts(candidate(candidate_id)), TIME)
    assert cell_of(counted_by(message)) == cell_of(json.loads(message))


TOLD = {"election_id": "e", "candidate_id": "c", "voting_time": "t", "voter_id": "v", "date_of_birth": "d", "gender": "g"}
PLACE = {"city": "c", "state": "s"}


@pytest.mark.parametrize(
    "vote",
    [
        TOLD | {"address": PLACE},
        TOLD | {"address": PLACE | {"street": 1}},
        {"address": PLACE} | TOLD,
        TOLD | {"address": {"street": {"number": 1}} | PLACE},
        TOLD | {"gender": None} | {"address": PLACE},
        TOLD | {"address": None},
        TOLD | {"gender": {"gender": "x"}} | {"address": PLACE},
        {"candidate_id": "c"},
    ],
)
def test_whatever_comes_first_a_vote_is_counted_by_the_same(vote: dict[str, object]) -> None:
    for separators in (None, (",", ":")):
        assert cell_of(counted_by(json.dumps(vote, separators=separators).encode())) == cell_of(vote)


@pytest.mark.parametrize("message", [b"", b"}", b"[]", b"[1}", b"null", b'"}"', b"\xff", b"{", b'"' * CUTS])
def test_what_cannot_be_read_has_no_fields(message: bytes) -> None:
    assert counted_by(message) == {}
