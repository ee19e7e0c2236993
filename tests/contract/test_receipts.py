"""What the receipts say to requests: one voter, one receipt, one who casts, whatever comes at once."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from electorate import add_election, add_voters
from livetally.adapters.postgres import Connection
from livetally.adapters.receipts import Asked, Claim, Receipts
from livetally.core.codes import written

T = TypeVar("T")
CLAIM_MS = 60_000


@pytest.fixture
def codes(connection: Connection) -> list[bytes]:
    """Hashes of codes of v0, v1, … in the election e."""
    add_election(connection)
    add_voters(connection, range(20))
    hashes = [bytes([number]) * 32 for number in range(20)]
    for number, hashed in enumerate(hashes):
        connection.execute("INSERT INTO voting_codes (code_hash, election_id, voter_id) VALUES (%s, 'e', %s)", (hashed, f"v{number}"))
    return hashes


def using(url: str, work: Callable[[Receipts], Awaitable[T]]) -> T:
    async def run() -> T:
        receipts = Receipts(url)
        try:
            return await work(receipts)
        finally:
            await receipts.close()

    return asyncio.run(run())


def asked(code_hash: bytes, key: str | None = None, election_id: str = "e", *, may_cast: bool = True) -> Asked:
    return Asked(code_hash, election_id, written(os.urandom(16)), key, may_cast)


def claimed(url: str, *requests: Asked, claim_ms: int = CLAIM_MS) -> list[Claim]:
    return using(url, lambda receipts: receipts.claim(requests, claim_ms))


def test_the_first_request_casts_and_later_ones_are_told_of_it(database_url: str, codes: list[bytes]) -> None:
    request = asked(codes[3], "mine")
    (first,) = claimed(database_url, request)
    assert first == Claim("v3", "e", False, request.receipt, None, True, False, False)
    (second,) = claimed(database_url, asked(codes[3], "other"))
    assert second == Claim("v3", "e", False, request.receipt, "mine", False, False, False)
    using(database_url, lambda receipts: receipts.place([(request.receipt, 1, 7)]))
    (third,) = claimed(database_url, asked(codes[3]))
    assert third == Claim("v3", "e", False, request.receipt, "mine", False, True, False)


def test_of_two_in_one_batch_one_casts(database_url: str, codes: list[bytes]) -> None:
    claims = claimed(database_url, asked(codes[0]), asked(codes[1]), asked(codes[0]), asked(codes[0]))
    assert [claim.is_made for claim in claims] == [True, True, False, False]
    assert [claim.voter_id for claim in claims] == ["v0", "v1", "v0", "v0"]


def test_of_many_at_once_over_several_connections_one_casts(database_url: str, codes: list[bytes], connection: Connection) -> None:
    async def all_at_once() -> list[list[Claim]]:
        many = [Receipts(database_url) for _ in range(6)]
        try:
            return await asyncio.gather(*(one.claim([asked(code) for code in codes], CLAIM_MS) for one in many))
        finally:
            for one in many:
                await one.close()

    claims = [claim for batch in asyncio.run(all_at_once()) for claim in batch]
    assert sorted(claim.voter_id or "" for claim in claims if claim.is_made) == sorted(f"v{number}" for number in range(20))
    assert connection.execute("SELECT count(*) FROM receipts").fetchone() == (20,)


def test_a_claim_that_has_run_out_is_taken_over_by_one(database_url: str, codes: list[bytes]) -> None:
    request = asked(codes[2])
    claimed(database_url, request, claim_ms=0)
    claims = claimed(database_url, asked(codes[2]), asked(codes[2]))
    assert {claim.receipt for claim in claims} == {request.receipt}
    assert [claim.is_taken_over for claim in claims] == [True, True]  # within one batch its reader knows who was first
    (other,) = claimed(database_url, asked(codes[2]))
    assert not other.is_taken_over


def test_a_claim_that_was_given_back_is_taken_over_at_once(database_url: str, codes: list[bytes]) -> None:
    request = asked(codes[2])
    claimed(database_url, request)
    using(database_url, lambda receipts: receipts.release([request.receipt]))
    assert claimed(database_url, asked(codes[2]))[0].is_taken_over


def test_what_is_placed_stays_where_it_is(database_url: str, codes: list[bytes], connection: Connection) -> None:
    request = asked(codes[2])
    claimed(database_url, request)
    for offset in (7, 8):
        using(database_url, lambda receipts, offset=offset: receipts.place([(request.receipt, 0, offset)]))  # type: ignore[misc]
    using(database_url, lambda receipts: receipts.release([request.receipt]))
    assert connection.execute("SELECT ballot_offset FROM receipts").fetchall() == [(7,)]


def test_codes_that_may_not_cast_leave_nothing_behind(database_url: str, codes: list[bytes], connection: Connection) -> None:
    connection.execute("UPDATE voting_codes SET voided_at = now() WHERE voter_id = 'v1'")
    unknown, voided, elsewhere, barred = claimed(
        database_url, asked(b"?" * 32), asked(codes[1]), asked(codes[2], election_id="other"), asked(codes[3], may_cast=False)
    )
    assert (unknown.voter_id, unknown.receipt) == (None, None)
    assert (voided.is_voided, voided.receipt) == (True, None)
    assert (elsewhere.election_id, elsewhere.receipt) == ("e", None)
    assert (barred.voter_id, barred.receipt) == ("v3", None)
    assert connection.execute("SELECT count(*) FROM receipts").fetchone() == (0,)


def test_a_voter_with_a_new_code_has_the_old_receipt(database_url: str, codes: list[bytes], connection: Connection) -> None:
    request = asked(codes[1])
    claimed(database_url, request)
    connection.execute("UPDATE voting_codes SET voided_at = now() WHERE voter_id = 'v1'")
    connection.execute("INSERT INTO voting_codes (code_hash, election_id, voter_id) VALUES ('new', 'e', 'v1')")
    (claim,) = claimed(database_url, asked(b"new"))
    assert (claim.receipt, claim.is_made) == (request.receipt, False)
    holder = using(database_url, lambda receipts: receipts.holder(b"new"))
    assert holder is not None
    assert (holder.voter_id, holder.receipt, holder.has_place, holder.is_voided) == ("v1", request.receipt, False, False)
