"""One reader per server process: it follows the topics and PostgreSQL in the background; pages read its memory only.

Each of the two services has a thread of its own, so that one that hangs does not hold back the
other. A service that fails keeps its last numbers on the page, is named there, and is opened
again until it answers; since a board does not mind repetition, the topics are then simply read
from the beginning.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from livetally.adapters.reading import Record
from livetally.core.errors import ServiceError
from livetally.show.board import Board
from livetally.show.result import Facts, Service, Snapshot, Trouble

READ_WAIT_S = 0.2  # how long a stop waits for a read at most; messages do not wait for it
FACTS_INTERVAL_S = 2.0  # elections and registrations change by hand, not by the second
RETRY_S = 1.0
CLOSE_TIMEOUT_S = 3.0  # a request to a service that is away may hang for longer; its thread does not keep the process alive

log = logging.getLogger(__name__)


class Messages(Protocol):
    """What `adapters.kafka.Tail` offers."""

    fault: str | None

    @property
    def caught_up(self) -> bool: ...

    def read(self, wait_s: float) -> Sequence[Record]: ...

    def close(self) -> None: ...


class Source(Protocol):
    """Where the facts come from. `read` raises ServiceError when it cannot say them."""

    def read(self) -> Facts: ...

    def close(self) -> None: ...


class Reader:
    """`open_messages` and `open_source` connect; they and what they return raise ServiceError when their service is away."""

    def __init__(self, open_messages: Callable[[], Messages], open_source: Callable[[], Source], clock: Callable[[], datetime]) -> None:
        self._open_messages = open_messages
        self._open_source = open_source
        self._clock = clock
        self._board = Board()  # belongs to the thread that reads messages, as does the next
        self._published = -1  # the board's revision that the snapshot shows
        self._snapshot = Snapshot()
        self._change = threading.Lock()
        self._stop = threading.Event()
        # Daemons: a request that hangs must not keep a server alive that was told to end.
        self._threads = [
            threading.Thread(target=self._keep, args=("Kafka", self._follow_messages), name="livetally-messages", daemon=True),
            threading.Thread(target=self._keep, args=("PostgreSQL", self._follow_source), name="livetally-facts", daemon=True),
        ]

    @property
    def snapshot(self) -> Snapshot:
        """What is known now. Costs nothing: another thread has prepared it."""
        return self._snapshot

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop reading. Afterwards the snapshot stays as it is."""
        self._stop.set()
        for thread in self._threads:
            thread.join(CLOSE_TIMEOUT_S)

    def _keep(self, service: Service, follow: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                follow()
            except ServiceError as error:
                self._missing(service, str(error))
            except Exception as error:  # a page that stands still in silence would be worse than one that says why
                log.exception("reading from %s failed in a way that nobody expected", service)
                self._missing(service, f"{type(error).__name__}: {error}")
            self._stop.wait(RETRY_S)

    def _follow_messages(self) -> None:
        with closing(self._open_messages()) as messages:
            while not self._stop.is_set():
                for record in messages.read(READ_WAIT_S):
                    self._board.fold(record.topic, record.value, (record.timestamp_ms, record.offset))
                if messages.fault is not None:
                    raise ServiceError(messages.fault)
                if messages.caught_up:  # before that, numbers of the past would pass over the page
                    self._publish()

    def _follow_source(self) -> None:
        with closing(self._open_source()) as source:
            while not self._stop.is_set():
                facts = source.read()
                with self._change:
                    self._snapshot = replace(self._snapshot, facts=facts, troubles=self._others("PostgreSQL"))
                self._stop.wait(FACTS_INTERVAL_S)

    def _publish(self) -> None:
        if self._published == self._board.revision and not self._is_missing("Kafka"):
            return
        self._published = self._board.revision
        results, unreadable = self._board.results(), self._board.unreadable
        with self._change:
            self._snapshot = replace(self._snapshot, results=results, unreadable=unreadable, troubles=self._others("Kafka"))

    def _missing(self, service: Service, detail: str) -> None:
        with self._change:
            since = next((one.since for one in self._snapshot.troubles if one.service == service), self._clock())
            trouble = Trouble(service, since, detail)
            self._snapshot = replace(self._snapshot, troubles=(*self._others(service), trouble))

    def _is_missing(self, service: Service) -> bool:
        return any(one.service == service for one in self._snapshot.troubles)

    def _others(self, service: Service) -> tuple[Trouble, ...]:
        return tuple(one for one in self._snapshot.troubles if one.service != service)
