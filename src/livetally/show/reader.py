"""One reader per server process: it follows the topics and PostgreSQL in the background; pages read its memory only.

Each of the two services has a thread of its own, so that one that hangs does not hold back the
other; a third compares what they say. A service that fails keeps its last numbers on the page, is
named there, and is opened again until it answers. A Kafka that is only silent keeps its client, which goes
on where it was: on a busy machine it may just be slow, and reading all topics again would not make it quicker.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from livetally.adapters.reading import Record
from livetally.core.errors import ServiceError
from livetally.show.agreement import Key, Said
from livetally.show.board import Board
from livetally.show.health import health, spark_is_away
from livetally.show.journeys import Journeys
from livetally.show.judge import Checked
from livetally.show.recent import Recent
from livetally.show.result import Facts, Service, Snapshot, Trouble
from livetally.show.trust import Agreement

READ_WAIT_S = 0.2  # how long a stop waits for a read at most; messages do not wait for it
FACTS_INTERVAL_S = 2.0  # elections and registrations change by hand, not by the second
CHECK_INTERVAL_S = 2.0  # with the time of two checks well within the shortest refresh interval of a page
CATCH_UP_PAUSE_S = 0.2  # between two steps of reading the votes topic: pages need the processor too
CATCH_UP_PAUSES = 2.0  # and at least so many times as long as the step took: whoever counts a rush needs it more
PUBLISH_INTERVAL_S = 0.5  # the tally announces several times a second, and a page looks every few seconds
MINUTE_MOVES_S = 5.0  # so often "the last minute" is worked out again when nothing happens
RETRY_S = 1.0
CLOSE_TIMEOUT_S = 3.0  # a request to a service that is away may hang for longer; its thread does not keep the process alive

log = logging.getLogger(__name__)


class Messages(Protocol):
    """What `listening.Listening` offers. `away`: nothing comes, and why; a client with a `fault` is of no use any more."""

    away: str | None

    @property
    def fault(self) -> str | None: ...

    @property
    def caught_up(self) -> bool: ...

    def read(self, wait_s: float) -> Sequence[Record]: ...

    def close(self) -> None: ...


class Source(Protocol):
    """Where the facts come from. `read` raises ServiceError when it cannot say them."""

    def read(self) -> Facts: ...

    def close(self) -> None: ...


class Checks(Protocol):
    """What `judge.Judge` offers: raises ServiceError when it cannot compare, and goes on afterwards."""

    def check(self) -> Checked: ...

    def close(self) -> None: ...


Announced = Callable[[], Mapping[Key, Said] | None]


class Reader:
    """`open_messages` and `open_source` connect; they and what they return raise ServiceError when their service is away.

    `open_checks` is given what has been heard from the aggregated topics; without it nothing is compared.
    """

    def __init__(
        self,
        open_messages: Callable[[], Messages],
        open_source: Callable[[], Source],
        clock: Callable[[], datetime],
        open_checks: Callable[[Announced], Checks] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_messages = open_messages
        self._open_source = open_source
        self._open_checks = open_checks
        self._clock = clock
        self._monotonic = monotonic
        self._board = Board()  # belongs to the thread that reads messages, as do the next three; others read it while they hold `_folding`
        self._folding = threading.Lock()
        self._recent = Recent()
        self._published: tuple[int, float] | None = None  # the board's revision that the snapshot shows, and since when (monotonic)
        self._journeys = Journeys()
        self._snapshot = Snapshot()
        self._change = threading.Lock()
        self._stop = threading.Event()
        work: list[tuple[str, Callable[[], None]]] = [("messages", self._keep_messages), ("facts", self._keep_source)]
        if open_checks is not None:
            work.append(("checks", self._keep_checks))
        # Daemons: a request that hangs must not keep a server alive that was told to end.
        self._threads = [threading.Thread(target=target, name=f"livetally-{name}", daemon=True) for name, target in work]

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

    def _keep_messages(self) -> None:
        self._keep(self._follow_messages, lambda detail: self._missing("Kafka", detail))

    def _keep_source(self) -> None:
        self._keep(self._follow_source, lambda detail: self._missing("PostgreSQL", detail))

    def _keep_checks(self) -> None:
        self._keep(self._follow_checks, self._uncompared)

    def _keep(self, follow: Callable[[], None], failed: Callable[[str], None]) -> None:
        while not self._stop.is_set():
            try:
                follow()
            except ServiceError as error:
                failed(str(error))
            except Exception as error:  # a page that stands still in silence would be worse than one that says why
                log.exception("%s failed in a way that nobody expected", threading.current_thread().name)
                failed(f"{type(error).__name__}: {error}")
            self._stop.wait(RETRY_S)

    def _follow_messages(self) -> None:
        with closing(self._open_messages()) as messages:
            while not self._stop.is_set():
                records = messages.read(READ_WAIT_S)
                with self._folding:
                    for record in records:
                        self._board.fold(record.topic, record.value, (record.timestamp_ms, record.offset))
                if messages.fault is not None:
                    raise ServiceError(messages.fault)
                if messages.away is not None:
                    self._missing("Kafka", messages.away)
                elif messages.caught_up:  # before that, numbers of the past would pass over the page
                    self._publish()

    def _follow_source(self) -> None:
        with closing(self._open_source()) as source:
            while not self._stop.is_set():
                facts = source.read()
                with self._change:
                    self._snapshot = replace(self._snapshot, facts=facts, troubles=self._without("PostgreSQL"))
                    self._note_health()
                self._stop.wait(FACTS_INTERVAL_S)

    def _follow_checks(self) -> None:
        if self._open_checks is None:
            return
        with closing(self._open_checks(self._announced)) as checks:
            while not self._stop.is_set():
                began_s = self._monotonic()
                try:
                    checked = checks.check()
                except ServiceError as error:  # what has been read from the topic so far is kept
                    self._uncompared(str(error))
                    self._stop.wait(RETRY_S)
                    continue
                self._note_check(checked)
                catch_up_pause_s = max(CATCH_UP_PAUSE_S, CATCH_UP_PAUSES * (self._monotonic() - began_s))
                self._stop.wait(CHECK_INTERVAL_S if checked.is_whole_way else catch_up_pause_s)

    def _announced(self) -> Mapping[Key, Said] | None:
        if self._snapshot.results is None:
            return None
        with self._folding:
            return self._board.announced()

    def _publish(self) -> None:
        now, now_s = self._clock(), self._monotonic()
        if self._published is not None and not self._is_missing("Kafka"):
            revision, at_s = self._published
            if now_s - at_s < (MINUTE_MOVES_S if revision == self._board.revision else PUBLISH_INTERVAL_S):
                return
        is_first = self._published is None
        self._published = (self._board.revision, now_s)
        results, unreadable, alerts = self._board.results(), self._board.unreadable, self._board.alerts()
        last_minute = self._recent.note(results, now)
        with self._change:
            trust = replace(self._snapshot.trust, alerts=alerts, unreadable_votes=self._board.unreadable_votes)
            self._snapshot = replace(
                self._snapshot,
                results=results,
                unreadable=unreadable,
                last_minute=last_minute,
                trust=trust,
                troubles=self._without("Kafka"),
            )
            self._note_health()
        if (newest := self._board.newest) is None:
            return
        if is_first:
            self._journeys.found(newest[0])
        else:
            self._journeys.shown(*newest, self._clock())

    def _note_check(self, checked: Checked) -> None:
        if checked.passed is not None:
            self._journeys.counted(checked.passed, checked.version)
        with self._change:
            trust = replace(
                self._snapshot.trust,
                waiting=checked.waiting or self._snapshot.trust.waiting,
                journey=self._journeys.newest(),
                journey_p95_s=self._journeys.p95_s(self._clock()),
            )
            self._snapshot = replace(self._snapshot, agreement=checked.agreement, trust=trust)

    def _uncompared(self, why: str) -> None:
        """The last numbers stay; the badge says that nobody can compare now."""
        with self._change:
            before: Agreement = self._snapshot.agreement
            self._snapshot = replace(self._snapshot, agreement=replace(before, state="unknown", waiting_for=why))

    def _missing(self, service: Service, detail: str) -> None:
        with self._change:
            if service == "Kafka":  # what the last minute brings is not known now; the next numbers are compared with the last ones before
                self._snapshot = replace(self._snapshot, last_minute={})
            self._add_trouble(service, detail, self._clock())
            self._note_health()

    def _add_trouble(self, service: Service, detail: str, began: datetime) -> None:
        """A trouble that goes on keeps the moment at which it began."""
        if not self._is_missing(service):
            log.warning("a service is away", extra={"service": service, "why": detail})
        since = next((one.since for one in self._snapshot.troubles if one.service == service), began)
        self._snapshot = replace(self._snapshot, troubles=(*self._others(service), Trouble(service, since, detail)))

    def _note_health(self) -> None:
        now, facts = self._clock(), self._snapshot.facts
        known = health(self._snapshot.trust.health, self._snapshot.troubles, facts, now)
        trust = replace(self._snapshot.trust, health=known, rejected=facts.rejected if facts else {})
        self._snapshot = replace(self._snapshot, trust=trust)
        if spark_is_away(known, trust.waiting, now):
            tally = next(one for one in known if one.name == "tally")
            self._add_trouble("Spark", "Votes are waiting, and no tally is connected to PostgreSQL.", tally.since)
        else:
            self._snapshot = replace(self._snapshot, troubles=self._without("Spark"))

    def _is_missing(self, service: Service) -> bool:
        return any(one.service == service for one in self._snapshot.troubles)

    def _without(self, service: Service) -> tuple[Trouble, ...]:
        """For a service that answers."""
        if self._is_missing(service):
            log.info("a service is back", extra={"service": service})
        return self._others(service)

    def _others(self, service: Service) -> tuple[Trouble, ...]:
        return tuple(one for one in self._snapshot.troubles if one.service != service)
