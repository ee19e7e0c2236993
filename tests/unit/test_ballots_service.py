"""Casting without Kafka and PostgreSQL: whatever goes wrong with one request, or behind them all, everybody is answered."""

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from electorate import candidate
from livetally.adapters.ballot_sender import Sent, Tell
from livetally.adapters.receipts import Asked, Claim, Hours, Receipts
from livetally.core.elections import Candidate
from livetally.core.errors import LedgerError, ServiceError
from livetally.web.ballots.answers import Answer, Before, NotNow, Refusal, Refused, Taken
from livetally.web.ballots.service import Ballots, Request

NOW = datetime(2026, 5, 7, 12, tzinfo=UTC)
WAIT_MS, ANSWERED_WITHIN_S = 1_000, 30.0
OPEN = Hours("e", "E", "real", "open", "full", NOW - timedelta(hours=1), None, None, None)


class Book(Receipts):
    """In place of PostgreSQL. Every code is good, and is the name of its voter."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.unaskable = b""  # a code with which the whole statement fails
        self.fault: Exception | None = None  # of writing places down
        self._receipts: dict[bytes, str] = {}
        self._placed: set[str] = set()

    async def claim(self, asked: Sequence[Asked], claim_ms: int) -> list[Claim]:  # noqa: ARG002 (nobody takes a claim over too early here)
        self.asked += asked
        if self.unaskable in [one.code_hash for one in asked]:
            raise ValueError("PostgreSQL takes no text with this")
        return [self._claim(one) for one in asked]

    async def place(self, places: Sequence[tuple[str, int, int]]) -> None:
        if self.fault is not None:
            raise self.fault
        self._placed |= {receipt for receipt, *_ in places}

    async def release(self, receipts: Collection[str]) -> None:
        pass

    async def elections(self) -> list[Hours]:
        return [OPEN]

    async def candidates(self) -> list[Candidate]:
        return [candidate("c", "e")]

    async def close(self) -> None:
        pass

    def _claim(self, one: Asked) -> Claim:
        is_made = one.code_hash not in self._receipts
        receipt = self._receipts.setdefault(one.code_hash, one.receipt)
        has_place = receipt in self._placed
        return Claim(one.code_hash.decode(), "e", False, receipt, None, is_made, has_place, not is_made and not has_place)


class Kafka:
    """In place of `Sender`: whatever is sent has arrived at once."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.is_away = False
        self.unsendable = b""  # a voter with whom it fails

    def send(self, receipt: str, key: bytes, _value: bytes) -> bool:
        if key == self.unsendable:
            raise RuntimeError("nobody foresaw this")
        self._tell([Sent(receipt, (0, 7))])
        return True

    def close(self) -> None:
        pass


@asynccontextmanager
async def casting(book: Book) -> AsyncIterator[tuple[Ballots, Kafka]]:
    made: list[Kafka] = []

    def make_sender(tell: Tell) -> Kafka:
        made.append(Kafka(tell))
        return made[-1]

    ballots = Ballots(book, make_sender, WAIT_MS, lambda: NOW, os.urandom)
    ballots.start()
    try:
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            yield ballots, made[0]
    finally:
        await ballots.stop()


async def answers(ballots: Ballots, *requests: Request) -> list[Answer | BaseException]:
    return await asyncio.gather(*(ballots.cast(one) for one in requests), return_exceptions=True)


def wishes(*voters: bytes) -> list[Request]:
    return [Request(voter, "e", "c") for voter in voters]


def is_taken(answer: Answer | BaseException, before: Before = Before.NOTHING) -> bool:
    return isinstance(answer, Taken) and answer.before is before


def test_postgresql_is_given_no_election_that_nobody_knows() -> None:
    book = Book()

    async def work() -> list[Answer | BaseException]:
        async with casting(book) as (ballots, _):
            one, other = wishes(b"v1", b"v3")
            return await answers(ballots, one, Request(b"v2", "\0", "c"), other)

    one, bad, other = asyncio.run(work())
    assert is_taken(one)
    assert bad == Refused(Refusal.UNKNOWN_ELECTION)
    assert is_taken(other)
    assert {asked.election_id for asked in book.asked} == {"e"}


def test_a_request_with_which_the_statement_fails_fails_alone() -> None:
    book = Book()
    book.unaskable = b"v2"

    async def work() -> list[Answer | BaseException]:
        async with casting(book) as (ballots, _):
            return await answers(ballots, *wishes(b"v1", b"v2", b"v3"))

    one, bad, other = asyncio.run(work())
    assert is_taken(one)
    assert isinstance(bad, ValueError)
    assert is_taken(other)


def test_a_ballot_that_cannot_be_sent_keeps_nobody_waiting_and_can_be_cast_later() -> None:
    async def work() -> tuple[list[Answer | BaseException], list[Answer | BaseException]]:
        async with casting(Book()) as (ballots, kafka):
            kafka.unsendable = b"v2"
            first = await answers(ballots, *wishes(b"v1", b"v2", b"v3"))
            kafka.unsendable = b""
            return first, await answers(ballots, *wishes(b"v2"))

    (one, bad, other), (again,) = asyncio.run(work())
    assert is_taken(one)
    assert isinstance(bad, NotNow)
    assert bad.may_be_cast
    assert is_taken(other)
    assert is_taken(again, Before.UNKNOWN)


@pytest.mark.parametrize("fault", [ServiceError("away"), LedgerError("not allowed"), LookupError("its place is another ballot's")])
def test_whatever_keeps_places_from_being_written_down_voters_are_told_to_ask_again(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    book = Book()
    book.fault = fault

    async def work() -> tuple[list[Answer | BaseException], list[Answer | BaseException]]:
        async with casting(book) as (ballots, _):
            first = await answers(ballots, *wishes(b"v1", b"v1", b"v2"))
            book.fault = None
            return first, await answers(ballots, *wishes(b"v1", b"v2"))

    first, again = asyncio.run(work())
    assert all(isinstance(answer, NotNow) and answer.may_be_cast for answer in first)
    assert all(is_taken(answer, Before.UNKNOWN) for answer in again)
    assert "receipts" in caplog.text
