"""Casting, for everybody who speaks HTTP: requests are put together, claimed in one statement, sent together, and answered when Kafka has them.

    cast ──▶ waiting ──claim (PostgreSQL: who may)──▶ on their way ──Kafka──▶ acknowledged ──place (PostgreSQL)──▶ answered

Whoever dies on the way leaves a receipt without a place. The same voter's next request finds it, and settles it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, Protocol

from livetally.adapters.ballot_sender import Sent, Tell
from livetally.adapters.receipts import Asked, Claim, Holder, Receipts
from livetally.core.codes import written
from livetally.core.errors import ServiceError
from livetally.core.following import Found
from livetally.core.wire import ballot_message
from livetally.web.ballots.answers import Answer, Before, NotNow, Refusal, Refused, Taken
from livetally.web.ballots.lists import AGE_S_OF_A_REFUSAL, Listed, Lists

GATHER_S = 0.01  # what arrives meanwhile is asked and sent together: a statement, and a request to Kafka, cost more than a ballot
BATCH_MAX = 100  # the statement compares what it has made with what it was asked, each with each
WAITING_MAX = 5_000  # requests; more would wait for longer than anybody does
CLAIM_MARGIN_MS = 2_000  # a claim outlasts every answer that Kafka may still give
LOOK_AGAIN_S = 0.05  # while another process casts the same voter's ballot

AWAY = "Kafka is away"
SILENT = "Kafka has not acknowledged the ballot in time"
NO_DATABASE = "PostgreSQL is away"
BUSY = "too many ballots at once"
ELSEWHERE = "another request with this code is still on its way"

log = logging.getLogger(__name__)


class Sending(Protocol):
    """What brings ballots to Kafka: `adapters.ballot_sender.Sender`, or nothing at all where only the rest is measured."""

    is_away: bool

    def send(self, receipt: str, key: bytes, value: bytes) -> bool: ...
    def close(self) -> None: ...


class Request(NamedTuple):
    code_hash: bytes
    election_id: str
    candidate_id: str
    idempotency_key: str | None = None


class Waiting(NamedTuple):
    request: Request
    answer: "asyncio.Future[Answer]"
    until_s: float  # of the loop's clock: somebody else's claim is waited for so long


class OnItsWay(NamedTuple):
    """A ballot that has been sent, and all who asked for it."""

    voter: tuple[str, str]  # election and voter
    before: Before
    answers: "list[tuple[asyncio.Future[Answer], bool | None]]"  # the one who cast it first


class Ballots:
    """One for each process; lives in one event loop, from `start` to `stop`."""

    def __init__(
        self,
        receipts: Receipts,
        make_sender: Callable[[Tell], Sending],
        wait_ms: int,
        now: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.lists = Lists(receipts)
        self._receipts = receipts
        self._make_sender = make_sender
        self._wait_ms = wait_ms
        self._now = now
        self._random_bytes = random_bytes
        self._waiting: list[Waiting] = []
        self._sent: dict[str, OnItsWay] = {}  # by receipt
        self._of_voter: dict[tuple[str, str], str] = {}  # receipts of ballots on their way
        self._answered: list[Sent] = []
        self._something_waits, self._something_answered = asyncio.Event(), asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._sender = self._make_sender(self._hand_over)
        self._tasks = [
            loop.create_task(self._whenever(self._something_waits, self._claim_waiting)),
            loop.create_task(self._whenever(self._something_answered, self._place_answered)),
        ]

    async def stop(self) -> None:
        """What is on its way is still answered."""
        await asyncio.to_thread(self._sender.close)
        if unanswered := [answer for way in self._sent.values() for answer, _ in way.answers]:
            await asyncio.wait(unanswered, timeout=self._wait_ms / 1000)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._receipts.close()

    async def cast(self, request: Request) -> Answer:
        """The answer, within a bounded time. Cancelling whoever waits for it does not stop the ballot."""
        if len(self._waiting) >= WAITING_MAX:
            return NotNow(BUSY, may_be_cast=False)
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._wait(Waiting(request, answer, self._loop.time() + self._wait_ms / 1000))
        return await answer

    async def holder(self, code_hash: bytes) -> Holder | None:
        """Whom a code is for. Raises ServiceError."""
        return await self._receipts.holder(code_hash)

    async def follow(self, receipt: str) -> Found | None:
        """Raises ServiceError."""
        return await self._receipts.follow(receipt)

    # ── from waiting to on their way

    def _wait(self, waiting: Waiting) -> None:
        self._waiting.append(waiting)
        self._something_waits.set()

    async def _claim_waiting(self) -> None:
        await asyncio.sleep(GATHER_S)
        batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
        if self._waiting:
            self._something_waits.set()
        await self._claim_or_say_why(batch)

    async def _claim_or_say_why(self, batch: Sequence[Waiting]) -> None:
        """A fault that one of them brings along is no fault of the others: each is tried alone, then."""
        try:
            await self._claim(batch)
        except ServiceError as error:
            log.warning("ballots cannot be taken", extra={"ballots": len(batch), "why": error})
            for one in batch:
                _tell(one.answer, NotNow(NO_DATABASE, may_be_cast=False))
        except Exception as fault:
            log.exception("a fault in the program kept ballots from being taken", extra={"ballots": len(batch)})
            for one in batch:
                if one.answer.done():
                    continue
                if len(batch) > 1:
                    await self._claim_or_say_why([one])
                else:
                    one.answer.set_exception(fault)

    async def _claim(self, batch: Sequence[Waiting]) -> None:
        judged: list[tuple[Waiting, Refusal | None]] = []
        for one, refusal in zip(batch, await self._judge(batch), strict=True):
            if refusal is Refusal.UNKNOWN_ELECTION:
                _tell(one.answer, Refused(refusal))  # PostgreSQL is given no id that nobody knows: it may be any text
            else:
                judged.append((one, refusal))
        if not judged:
            return
        claims = await self._receipts.claim(
            [
                Asked(
                    one.request.code_hash,
                    one.request.election_id,
                    written(self._random_bytes(16)),
                    one.request.idempotency_key,
                    refusal is None and not self._sender.is_away,
                )
                for one, refusal in judged
            ],
            self._wait_ms + CLAIM_MARGIN_MS,
        )
        listed = await self.lists.listed(float("inf"))
        for (one, refusal), claim in zip(judged, claims, strict=True):
            self._proceed(one, refusal, claim, listed)

    async def _judge(self, batch: Sequence[Waiting]) -> list[Refusal | None]:
        listed, now = await self.lists.listed(), self._now()
        refusals = [listed.judge(one.request.election_id, one.request.candidate_id, now) for one in batch]
        if any(refusals):
            listed = await self.lists.listed(AGE_S_OF_A_REFUSAL)
            refusals = [listed.judge(one.request.election_id, one.request.candidate_id, now) for one in batch]
        return refusals

    def _proceed(self, one: Waiting, refusal: Refusal | None, claim: Claim, listed: Listed) -> None:
        """Answer it, send it, or let it wait for another one's answer."""
        request, answer = one.request, one.answer
        if (barred := _barred(request.election_id, claim, listed)) is not None:
            _tell(answer, barred)
            return
        voter = request.election_id, claim.voter_id or ""
        same = (
            None if claim.idempotency_key is None or request.idempotency_key is None else claim.idempotency_key == request.idempotency_key
        )
        if (receipt := self._of_voter.get(voter)) is not None:
            self._sent[receipt].answers.append((answer, same))
        elif claim.receipt is not None and (claim.is_made or claim.is_taken_over):
            self._send(one, voter, claim.receipt, Before.NOTHING if claim.is_made else Before.UNKNOWN)
        elif claim.receipt is not None and claim.has_place:
            _tell(answer, Taken(claim.receipt, Before.CAST, same))
        elif refusal is not None:
            _tell(answer, Refused(refusal, claim.receipt))
        elif self._sender.is_away:
            _tell(answer, NotNow(AWAY, may_be_cast=claim.receipt is not None))
        elif self._loop.time() < one.until_s:
            self._loop.call_later(LOOK_AGAIN_S, self._wait, one)  # somebody else has claimed it
        else:
            _tell(answer, NotNow(ELSEWHERE, may_be_cast=True))

    def _send(self, one: Waiting, voter: tuple[str, str], receipt: str, before: Before) -> None:
        election_id, voter_id = voter
        message = ballot_message(election_id, voter_id, one.request.candidate_id, self._now())
        self._sent[receipt] = OnItsWay(voter, before, [(one.answer, None)])
        self._of_voter[voter] = receipt
        try:
            is_sent = self._sender.send(receipt, voter_id.encode(), message)
        except Exception:  # whatever it was: this voter is told to ask again, and the others of the batch go on
            log.exception("a fault in the program kept a ballot from being sent")
            is_sent = False
        if not is_sent:
            self._take_answers([Sent(receipt, None)])

    # ── from on their way to answered

    def _hand_over(self, sent: Sequence[Sent]) -> None:
        """From the sender's thread."""
        with suppress(RuntimeError):  # the loop is gone, and with it everybody who waited
            self._loop.call_soon_threadsafe(self._take_answers, sent)

    def _take_answers(self, sent: Sequence[Sent]) -> None:
        self._answered += sent
        self._something_answered.set()

    async def _place_answered(self) -> None:
        answered, self._answered = self._answered, []
        placed = [(one.receipt, *one.place) for one in answered if one.place is not None]
        failed = [one.receipt for one in answered if one.place is None]
        has_room = True
        try:
            if placed:
                await self._receipts.place(placed)
            if failed:
                await self._receipts.release(failed)
        except ServiceError as error:
            log.warning("receipts cannot be completed; asking again settles it", extra={"ballots": len(answered), "why": error})
            has_room = False
        except Exception:  # whoever waits is answered whatever it was, and may ask again
            log.exception("a fault in the program kept receipts from being completed", extra={"ballots": len(answered)})
            has_room = False
        for receipt, *_ in placed:
            self._tell_all(receipt, None if has_room else NotNow(NO_DATABASE, may_be_cast=True))
        for receipt in failed:
            self._tell_all(receipt, NotNow(SILENT, may_be_cast=True))

    def _tell_all(self, receipt: str, instead: NotNow | None) -> None:
        way = self._sent.pop(receipt, None)
        if way is None:
            return
        self._of_voter.pop(way.voter, None)
        for number, (answer, same) in enumerate(way.answers):
            _tell(answer, instead or Taken(receipt, way.before if number == 0 else Before.CAST, same))

    async def _whenever(self, event: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
        """For ever. A fault in the program ends neither this nor the requests that come later."""
        while True:
            await event.wait()
            event.clear()
            try:
                await work()
            except Exception:
                log.exception("a fault in the program kept ballots from being answered")


def _tell(answer: "asyncio.Future[Answer]", what: Answer) -> None:
    if not answer.done():  # whoever asked may have gone
        answer.set_result(what)


def _barred(election_id: str, claim: Claim, listed: Listed) -> Refused | None:
    """What speaks against it because of the code. Who has no code learns nothing about an election that has not been opened."""
    hours = listed.hours.get(election_id)
    if claim.voter_id is None or claim.election_id is None:
        is_hidden = hours is None or hours.status == "draft"
        return Refused(Refusal.UNKNOWN_ELECTION if is_hidden else Refusal.UNKNOWN_CODE)
    if claim.is_voided:
        return Refused(Refusal.VOIDED_CODE)
    return None if claim.election_id == election_id else Refused(Refusal.WRONG_ELECTION)
