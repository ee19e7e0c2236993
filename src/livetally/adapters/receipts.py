"""Receipts of ballots that come over HTTP: who may cast, where a ballot lies, and what became of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from livetally.adapters.queries import queries
from livetally.adapters.rights import Rights
from livetally.adapters.session import Session
from livetally.core.elections import Candidate
from livetally.core.following import Found, Link, Place

ANSWER_S_MAX = 5.0  # a statement takes a few milliseconds; a server that was stopped must not hold a booth up for longer


class Asked(NamedTuple):
    """A request to cast. `receipt` is what it gets if it is the first of its voter."""

    code_hash: bytes
    election_id: str
    receipt: str
    idempotency_key: str | None
    may_cast: bool  # whatever speaks against it without knowing the voter does not


class Claim(NamedTuple):
    """What the receipts say to that."""

    voter_id: str | None  # None: there is no such code
    election_id: str | None  # the one that the code is for
    is_voided: bool
    receipt: str | None  # of this voter in that election; None if somebody has just been quicker: ask again
    idempotency_key: str | None  # with which it was made, if that was earlier
    is_made: bool  # now, by this request: cast it
    has_place: bool  # it was cast, and Kafka has acknowledged it
    is_taken_over: bool  # an earlier request has not ended well: cast it again


class Holder(NamedTuple):
    """Whom a code is for, and what they have been given."""

    election_id: str
    voter_id: str
    is_voided: bool
    receipt: str | None
    issued_at: datetime | None
    has_place: bool


class Hours(NamedTuple):
    """What is asked of an election before a ballot goes on its way."""

    election_id: str
    name: str
    kind: str
    status: str
    detail: str
    opens_at: datetime | None
    closes_at: datetime | None
    opens_planned: datetime | None
    closes_planned: datetime | None


class Receipts:
    """Three connections: nobody who reads waits for those who cast. Every method raises ServiceError while PostgreSQL is away."""

    def __init__(self, url: str) -> None:
        self._sql = queries("receipts")
        self._claiming = Session(url, "api casting", Rights.API, ANSWER_S_MAX)
        self._placing = Session(url, "api placing", Rights.API, ANSWER_S_MAX)
        self._reading = Session(url, "api reading", Rights.API, ANSWER_S_MAX)

    async def claim(self, asked: Sequence[Asked], claim_ms: int) -> list[Claim]:
        """In one statement. Whoever may cast has so long to do it; until then nobody else may."""
        columns = dict(
            zip(("code_hashes", "election_ids", "receipts", "keys", "may_cast"), map(list, zip(*asked, strict=True)), strict=True)
        )
        rows = await self._claiming.ask(self._sql["claim"], {**columns, "claim_ms": claim_ms})
        return [Claim(*row[1:]) for row in rows]

    async def place(self, places: Sequence[tuple[str, int, int]]) -> None:
        """Receipt, partition, offset of what Kafka has acknowledged."""
        await self._placing.ask(self._sql["place"], [list(column) for column in zip(*places, strict=True)])

    async def release(self, receipts: Collection[str]) -> None:
        """These have not been cast, as far as is known."""
        await self._placing.ask(self._sql["release"], ([*receipts],))

    async def holder(self, code_hash: bytes) -> Holder | None:
        rows = await self._reading.ask(self._sql["holder"], (code_hash,))
        return Holder(*rows[0]) if rows else None

    async def follow(self, receipt: str) -> Found | None:
        rows = await self._reading.ask(self._sql["follow"], (receipt,))
        if not rows:
            return None
        election_id, issued_at, cast_again, *rest = rows[0]
        place, vote_place = _place(*rest[0:2]), _place(*rest[2:4])
        return Found(election_id, issued_at, cast_again, place, vote_place, rest[4], _link(*rest[5:7]), _link(*rest[7:9]))

    async def elections(self) -> list[Hours]:
        return [Hours(*row) for row in await self._reading.ask(self._sql["elections"])]

    async def candidates(self) -> list[Candidate]:
        return [Candidate(*row) for row in await self._reading.ask(self._sql["candidates"])]

    async def close(self) -> None:
        for session in (self._claiming, self._placing, self._reading):
            await session.close()


def _place(partition: int | None, offset: int | None) -> Place | None:
    return None if partition is None or offset is None else Place(partition, offset)


def _link(number: int | None, head: bytes | None) -> Link | None:
    return None if number is None or head is None else Link(number, head.hex())
