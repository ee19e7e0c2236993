"""The audit knows a vote that tells more of its voter than its election allows, or less."""

import json
from typing import Any

import pytest

from electorate import candidate, voter
from livetally.audit.detail import fault_of_detail
from livetally.core.wire import VoteParts, listed_voter_message, vote_message, vote_parts, voter_message

GROUP = vote_parts(candidate("c0"), "group")


def vote(parts: VoteParts = GROUP) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(vote_message(voter_message(voter(1)), parts, "2026-05-07 08:00:00.123"))
    return found


def test_what_record_writes_is_right() -> None:
    assert fault_of_detail(vote()) is None
    of_a_list = vote_message(listed_voter_message(voter(1), "e"), GROUP, "2026-05-07 08:00:00.123")
    assert fault_of_detail(json.loads(of_a_list)) is None


def test_a_vote_with_all_of_it_tells_too_much() -> None:
    fault = fault_of_detail(vote(vote_parts(candidate("c0"))))
    assert fault == (
        "tells address.street, cell_number, email, phone_number, picture, registration_number, voter_name, which no vote in this election may"
    )


@pytest.mark.parametrize(
    "name", ["voter_name", "email", "phone_number", "cell_number", "registration_number", "picture", "roll", "anything"]
)
def test_one_field_is_too_much(name: str) -> None:
    assert fault_of_detail(vote() | {name: "what nobody is to see"}) == f"tells {name}, which no vote in this election may"


def test_so_is_the_street_and_whatever_else_is_in_an_address() -> None:
    told = vote()
    for name in ("street", "floor"):
        assert (
            fault_of_detail(told | {"address": told["address"] | {name: "x"}})
            == f"tells address.{name}, which no vote in this election may"
        )


@pytest.mark.parametrize("name", ["gender", "date_of_birth", "candidate_name", "registered_age", "vote"])
def test_one_field_is_missing(name: str) -> None:
    told = vote()
    del told[name]
    assert fault_of_detail(told) == f"does not tell {name}"


@pytest.mark.parametrize("address", [None, "Deal, Kent", ["Kent"], {}])
def test_an_address_that_is_none(address: object) -> None:
    assert fault_of_detail(vote() | {"address": address}) == (
        "does not tell address.city, address.country, address.postcode, address.state"
    )
