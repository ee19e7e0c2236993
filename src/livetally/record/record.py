"""The stage that decides: read a batch, let the ledger decide it, publish the verdicts. Again.

A crash between the ledger's commit and Kafka's repeats the batch: the ledger changes nothing,
answers the same, and the outcomes are published for the first time.
"""

import logging
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass

from livetally.adapters import past
from livetally.adapters.custody import Custody
from livetally.adapters.ledger import Ledger
from livetally.adapters.outcomes import Outcomes
from livetally.adapters.postgres import connect, explained
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.adapters.topics import Topics
from livetally.core.ballots import Rejected
from livetally.core.errors import ServiceError
from livetally.core.verdicts import Verdict
from livetally.core.wire import BALLOTS
from livetally.record.decide import Decided, Decider
from livetally.record.intake import Batch, Intake
from livetally.record.line import Line
from livetally.record.meter import Meter, Retry, Step
from livetally.record.points import Point, Reached, unwatched
from livetally.record.publish import Publisher

LOOK_AFTER_S = 2.0  # without a ballot
WAIT_S = 0.2  # how long an idle recorder waits for a ballot before it looks whether it should stop
BACK_OFF_S = (0.5, 1.0, 2.0, 5.0)  # pauses after a service has gone away; the last one repeats

log = logging.getLogger(__name__)


@dataclass
class Recorded:
    """What this process has recorded."""

    ballots: int = 0
    batches: int = 0
    has_begun: bool = False  # all services have answered at least once


def record(
    bootstrap_servers: str,
    database_url: str,
    ballots_max: int,
    stop: threading.Event,
    reached: Reached = unwatched,
    meter: Meter | None = None,
) -> Recorded:
    """Record until told to stop. Services that go away are waited for; what a person must mend is raised."""
    recorder = Recorder(bootstrap_servers, database_url, ballots_max, reached, meter or Meter())
    done = recorder.done
    failures = 0
    while True:
        before = done.batches
        try:
            recorder.run(stop)
        except ServiceError as error:
            if not done.has_begun:
                raise  # more likely a wrong address than a service that has gone away
            failures = 1 if done.batches > before else failures + 1
            pause_s = BACK_OFF_S[min(failures, len(BACK_OFF_S)) - 1]
            recorder.meter.alive()  # it goes round, though not far
            recorder.meter.retried(Retry.SERVICE_AWAY)
            recorder.meter.not_ready(str(error))
            log.warning("trying again; nothing is lost", extra={"in_s": pause_s, "why": error})
            if stop.wait(pause_s):
                return done
        else:
            return done


class Recorder:
    """One process's share of the stage."""

    def __init__(self, bootstrap_servers: str, database_url: str, ballots_max: int, reached: Reached, meter: Meter) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._database_url = database_url
        self._ballots_max = ballots_max
        self._reached = reached
        self.meter = meter
        self.done = Recorded()
        self._has_to_look, self._published_s = False, 0.0

    def run(self, stop: threading.Event) -> None:
        """Until told to stop, or until a service does not answer."""
        with (
            closing(connect(self._database_url, "record", Rights.RECORD)) as connection,
            explained(self._database_url),
        ):
            custody = Custody(connection)
            custody.enter()
            custody.check_votable()
            custody.check_whole()
            topics = Topics(self._bootstrap_servers)
            identity = topics.identity(BALLOTS)
            custody.claim(identity.cluster_id, identity.topic_id)
            self._ledger = Ledger(connection)
            self._decider = Decider(self._ledger, Roll(connection), lambda: self._reached(Point.BEFORE_LEDGER_COMMIT))
            with (
                closing(Publisher(self._bootstrap_servers, self._reached, self.meter)) as self._publisher,
                closing(Outcomes(self._bootstrap_servers, self._publisher.end_hanging)) as outcomes,
                closing(Line(self._decide, self._publish)) as line,
                closing(
                    Intake(
                        self._bootstrap_servers,
                        outcomes,
                        lambda: past.positions(connection),
                        line.settle,
                        self._publisher.hold,
                        self.meter,
                    )
                ) as self._intake,
            ):
                log.info("recording")
                self.done.has_begun = True
                self._read(self._intake, line, stop)

    def _read(self, intake: Intake, line: Line[Batch, Decided], stop: threading.Event) -> None:
        while not stop.is_set():
            if line.is_idle:
                self.meter.alive()
            self._reached(Point.BEFORE_CONSUME)
            began_s = time.perf_counter()
            batch = intake.take(self._ballots_max, WAIT_S)
            if batch is None:
                is_fine = line.finish() if line.is_broken else not self._is_time_to_look(line)
            else:
                self.meter.took(Step.CONSUME, time.perf_counter() - began_s)
                self._reached(Point.AFTER_CONSUME)
                is_fine = line.put(batch) or line.finish()
            if not is_fine:
                intake.rewind()
            if intake.is_time_to_tell:
                self._tell(intake)
        line.finish()
        if intake.has_news:
            self._tell(intake)

    def _is_time_to_look(self, line: Line[Batch, Decided]) -> bool:
        """Once after the last batch: can its outcomes be read? A broker that is killed right after a commit may forget to end it."""
        if not self._has_to_look or not line.is_idle or time.monotonic() < self._published_s + LOOK_AFTER_S:
            return False
        self._has_to_look = False
        return True

    def _tell(self, intake: Intake) -> None:
        self._reached(Point.BEFORE_OFFSETS_SENT)
        intake.tell()
        self._reached(Point.AFTER_OFFSETS_SENT)

    def _decide(self, batch: Batch) -> Decided:
        began_s, tries = time.perf_counter(), self._ledger.tries
        decided = self._decider.decide(batch)
        self._reached(Point.AFTER_LEDGER_COMMIT)
        self.meter.took(Step.DECIDE, time.perf_counter() - began_s)
        for _ in range(self._ledger.tries - tries - 1):
            self.meter.retried(Retry.DEADLOCK)
        return decided

    def _publish(self, decided: Decided) -> bool:
        began_s = time.perf_counter()
        batch = decided.batch
        partitions = self._publisher.publish(decided)
        verdicts: list[Verdict] = []
        for partition, numbers in batch.shares():
            if partition in partitions:
                self._intake.published(partition, batch.end(numbers))
                verdicts += decided.verdicts[numbers.start : numbers.stop]
        refused = Counter(verdict.reason for verdict in verdicts if isinstance(verdict, Rejected))
        self.meter.decided(len(verdicts), len(verdicts) - refused.total(), refused)
        self.done.ballots += len(verdicts)
        if len(verdicts) < len(decided.verdicts):
            return False
        self._has_to_look, self._published_s = True, time.monotonic()
        self.meter.alive()
        self.meter.took(Step.PUBLISH, time.perf_counter() - began_s)
        self.done.batches += 1
        return True
