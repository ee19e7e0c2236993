"""One reader for all who watch results: it follows the topic that the tally announces its totals on, and reads once what many are sent.

The topic says *when* something has changed. *What* the result is then, PostgreSQL says, where the tally has stored it before announcing it:
so a stream and `/results` can never say different things, and a recount changes nothing for whoever watches.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from livetally.adapters.board import Board, Result, one_moment
from livetally.adapters.postgres import Connection
from livetally.adapters.reading import Tail
from livetally.adapters.roll import Roll
from livetally.core.access import Role
from livetally.core.elections import Election, Status
from livetally.core.errors import LivetallyError, ServiceError
from livetally.core.sight import Sight, sight
from livetally.core.wire import PER_CANDIDATE
from livetally.web.ground import Ground
from livetally.web.problems import Problem

LISTENERS_MAX = 1_000
LISTENERS_OF_ADDRESS_MAX = 500  # a hall behind one router, and as many are left for everybody else
TICK_S = 0.25  # at most so often something is sent; a person does not read faster
LOOK_AGAIN_S = 1.0  # an election is closed or published without any vote
TAIL_WAIT_S = 0.2
AGAIN_S = 1.0  # while Kafka is away
STOPS_WITHIN_S = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """An election as it is now; `number` counts its changes since somebody has begun to watch it here."""

    election: Election
    status: Status  # and what the public sees: both change with time, too
    public_sight: Sight
    result: Result
    number: int
    frames: dict[Sight, str] = field(default_factory=dict, compare=False)  # written once, sent to all

    def differs(self, before: "State") -> bool:
        """Whether it has to be told. That other elections' votes have been counted up to a later time has not."""
        mine, theirs = (replace(one, number=0, result=replace(one.result, reached=None)) for one in (self, before))
        return mine != theirs


@dataclass(slots=True, eq=False)
class Listener:
    """Somebody who watches one election. Only the newest state waits for them, however slow they are."""

    election_id: str
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Live:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._listeners: dict[str, set[Listener]] = {}
        self._addresses: Counter[str] = Counter()  # from where they listen
        self._states: dict[str, State] = {}
        self._news = asyncio.Event()
        self._looking = asyncio.Lock()  # what was read earlier is never told later
        self._stop = threading.Event()

    @property
    def listeners(self) -> int:
        return sum(len(some) for some in self._listeners.values())

    @asynccontextmanager
    async def listen(self, election_id: str, address: str) -> AsyncIterator[Listener]:
        """Raises Problem where too many listen already, or too many from there."""
        if self._addresses[address] >= LISTENERS_OF_ADDRESS_MAX:
            detail = f"{LISTENERS_OF_ADDRESS_MAX:,} listen already from where you are. Ask for `/results` from time to time."
            raise Problem(429, "too-many-listen", detail, retry_after_s=30)
        if self.listeners >= LISTENERS_MAX:
            raise Problem(503, "busy", f"{LISTENERS_MAX:,} listen already. Ask for `/results` from time to time.", retry_after_s=30)
        listener = Listener(election_id)
        self._listeners.setdefault(election_id, set()).add(listener)
        self._addresses[address] += 1
        try:
            if election_id not in self._states:
                await self._look(election_id)
            yield listener
        finally:
            others = self._listeners[election_id]
            others.discard(listener)
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
            if not others:
                del self._listeners[election_id]
                self._states.pop(election_id, None)

    def state(self, listener: Listener) -> State | None:
        """The newest; None if it could not be read yet."""
        return self._states.get(listener.election_id)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        follower = threading.Thread(target=self._follow, args=(loop,), name="results", daemon=True)
        follower.start()
        telling, ending = asyncio.create_task(self._tell()), asyncio.create_task(self._wake_at_the_end())
        try:
            yield
        finally:
            self._stop.set()
            telling.cancel()
            ending.cancel()
            await asyncio.gather(telling, ending, return_exceptions=True)
            await asyncio.to_thread(follower.join, STOPS_WITHIN_S)

    async def _wake_at_the_end(self) -> None:
        await self._ground.ending.wait()
        for listener in [one for some in self._listeners.values() for one in some]:
            listener.changed.set()

    async def _tell(self) -> None:
        """Look at every election that somebody watches: when the tally has announced something, and once a second."""
        while True:
            for election_id in list(self._listeners):
                await self._look(election_id)
            await asyncio.sleep(TICK_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S - TICK_S):
                    await self._news.wait()
            self._news.clear()

    async def _look(self, election_id: str) -> None:
        """A service that is away changes nothing: listeners keep what they have, and hear more when it is back."""
        async with self._looking:
            try:
                election, result = await self._ground.pool.ask(lambda connection: _read(connection, election_id))
            except LivetallyError as error:
                log.warning("results cannot be read for those who watch", extra={"why": error})
                return
            except Exception:  # whoever watches must not lose the rest of it by a fault in one reading
                log.exception("results cannot be read for those who watch")
                return
            now, before = self._ground.now(), self._states.get(election_id)
            public = sight(election, Role.VIEWER, now)
            state = State(election, election.status_at(now), public, result, before.number + 1 if before else 1)
            if election_id in self._listeners and (before is None or state.differs(before)):
                self._states[election_id] = state
                for listener in self._listeners[election_id]:
                    listener.changed.set()

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread: Kafka's client waits there for messages."""
        while not self._stop.is_set():
            try:
                self._follow_while_it_answers(lambda: loop.call_soon_threadsafe(self._news.set))
            except (ServiceError, RuntimeError) as error:  # RuntimeError: the loop has ended meanwhile
                log.warning("Kafka does not say when results change; they are looked at once a second", extra={"why": error})
            self._stop.wait(AGAIN_S)

    def _follow_while_it_answers(self, tell: Callable[[], object]) -> None:
        tail = Tail(self._ground.kafka_bootstrap_servers, [PER_CANDIDATE], from_end=True)
        try:
            while not self._stop.is_set():
                if tail.read(TAIL_WAIT_S):
                    tell()
                if tail.fault is not None:
                    self._stop.wait(AGAIN_S)
        finally:
            tail.close()


def _read(connection: Connection, election_id: str) -> tuple[Election, Result]:
    with one_moment(connection):
        return Roll(connection).election(election_id), Board(connection).result(election_id)
