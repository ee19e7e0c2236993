"""What lies on the topics: the reference's fields, under the reference's names."""

import json
from datetime import UTC, datetime

import pytest

from livetally.core import wire
from livetally.core.elections import Candidate, Voter
from livetally.core.tally import cell_of

VOTER = Voter("v1", "Ann “A” Lee", "1990-01-02", "female", "GB", "r1", "1 Rd", "Leeds", "West Yorkshire", "United Kingdom", "LS1", "a@example.com", "1", "2", "", 3)  # fmt: skip
CANDIDATE = Candidate("c1", "Bo\nNe", "Party", "bio", "platform", "data:,", "e1")

# As the reference's scripts write and read them.
VOTER_FIELDS = {"voter_id", "voter_name", "date_of_birth", "gender", "nationality", "registration_number", "address", "email", "phone_number", "cell_number", "picture", "registered_age"}  # fmt: skip
CANDIDATE_FIELDS = {"candidate_id", "candidate_name", "party_affiliation", "biography", "campaign_platform", "photo_url"}


def test_a_voter_has_the_fields_of_the_reference() -> None:
    message = json.loads(wire.voter_message(VOTER))
    assert message.keys() == VOTER_FIELDS
    assert message["address"].keys() == {"street", "city", "state", "country", "postcode"}


def test_a_vote_is_voter_and_candidate_flat_in_one_object() -> None:
    vote = json.loads(wire.vote_message(wire.voter_message(VOTER), wire.vote_parts(CANDIDATE), "2026-05-07 08:00:00.123"))
    assert vote.keys() == VOTER_FIELDS | CANDIDATE_FIELDS | {"voting_time", "vote", "election_id"}
    assert vote["voter_name"] == VOTER.voter_name
    assert vote["candidate_name"] == CANDIDATE.candidate_name
    assert (vote["vote"], vote["voting_time"], vote["election_id"]) == (1, "2026-05-07 08:00:00.123", "e1")


# What an outsider may find of a voter where the election's detail is "group", and nothing else.
GROUP_FIELDS = {"voter_id", "date_of_birth", "gender", "nationality", "address", "registered_age"}


@pytest.mark.parametrize("announcement", [wire.voter_message(VOTER), wire.listed_voter_message(VOTER, "e1")], ids=["general", "of a list"])
def test_a_vote_of_a_group_names_nobody(announcement: bytes) -> None:
    message = wire.vote_message(announcement, wire.vote_parts(CANDIDATE, "group"), "2026-05-07 08:00:00.123")
    vote = json.loads(message)
    assert vote.keys() == GROUP_FIELDS | CANDIDATE_FIELDS | {"voting_time", "vote", "election_id"}
    assert vote["address"] == {"city": "Leeds", "state": "West Yorkshire", "country": "United Kingdom", "postcode": "LS1"}
    assert [vote[name] for name in ("voter_id", "date_of_birth", "gender", "nationality", "registered_age")] == [
        "v1",
        "1990-01-02",
        "female",
        "GB",
        3,
    ]
    for secret in (VOTER.voter_name, VOTER.registration_number, VOTER.address_street, VOTER.email):
        assert json.dumps(secret).strip('"').encode() not in message
        assert secret.encode() not in message
    full = json.loads(wire.vote_message(announcement, wire.vote_parts(CANDIDATE), "2026-05-07 08:00:00.123"))
    assert cell_of(vote) == cell_of(full), "it is counted in the same groups"


def test_somebody_of_a_list_is_announced_with_the_roll() -> None:
    listed = json.loads(wire.listed_voter_message(VOTER, "e1"))
    assert listed == json.loads(wire.voter_message(VOTER)) | {"roll": "e1"}


def test_times_are_utc_with_milliseconds() -> None:
    assert wire.utc_text(datetime(2026, 5, 7, 8, 0, 0, 123999, tzinfo=UTC)) == "2026-05-07 08:00:00.123"
    assert wire.ms_text(1_778_140_800_007) == "2026-05-07 08:00:00.007"


def test_an_outcome_says_which_ballot_it_is_of() -> None:
    assert wire.ballot_of([("other", b"1"), *wire.outcome_headers(3, 2**40)]) == (3, 2**40)
    assert wire.ballot_of([("ballot_partition", b"3")]) is None
    assert wire.ballot_of(None) is None


def test_no_ballot_is_too_large_to_be_rejected() -> None:
    by_name = {topic.name: topic for topic in wire.topics(4)}
    headers = wire.rejection_headers("already_voted_other", "x" * 1000, 1023, 2**62, "2026-05-07 08:00:00.123")
    room = by_name[wire.REJECTED].message_bytes_max - by_name[wire.BALLOTS].message_bytes_max
    assert sum(len(name) + len(value or b"") + 20 for name, value in headers) < room


def test_outcomes_have_as_many_partitions_as_ballots() -> None:
    by_name = {topic.name: topic for topic in wire.topics(7)}
    assert by_name[wire.BALLOTS].partitions == by_name[wire.VOTES].partitions == by_name[wire.REJECTED].partitions == 7
