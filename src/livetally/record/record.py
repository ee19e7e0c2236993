"""The stage that decides: read a batch, let the ledger decide it, publish the verdicts. Again.

A crash between the ledger's commit and Kafka's repeats the batch: the ledger changes nothing,
answers the same, and the outcomes are published for the first time.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from livetally.adapters.ledger import Ledger
from livetally.adapters.outcomes import Outcomes
from livetally.adapters.postgres import connect, explained
from livetally.adapters.roll import Roll
from livetally.adapters.topics import Topics
from livetally.core.errors import ServiceError
from livetally.core.wire import BALLOTS, vote_tail
from livetally.record.decide import read_ballots
from livetally.record.intake import Intake
from livetally.record.points import Point, Reached, unwatched
from livetally.record.publish import Publisher

WAIT_S = 0.2  # how long an idle recorder waits for a ballot before it looks whether it should stop
BACK_OFF_S = (0.5, 1.0, 2.0, 5.0)  # pauses after a service has gone away; the last one repeats

log = logging.getLogger(__name__)


@dataclass
class Recorded:
    """What this process has recorded."""

    ballots: int = 0
    batches: int = 0
    has_begun: bool = False  # all services have answered at least once


def record(bootstrap_servers: str, database_url: str, ballots_max: int, stop: threading.Event, reached: Reached = unwatched) -> Recorded:
    """Record until told to stop, and say which point has been reached. Services that go away are waited for; what a person must mend is raised."""
    done = Recorded()
    failures = 0
    while True:
        before = done.batches
        try:
            _record_while_services_answer(bootstrap_servers, database_url, ballots_max, stop, done, reached)
        except ServiceError as error:
            if not done.has_begun:
                raise  # more likely a wrong address than a service that has gone away
            failures = 1 if done.batches > before else failures + 1
            pause_s = BACK_OFF_S[min(failures, len(BACK_OFF_S)) - 1]
            log.warning("%s\nTrying again in %.1f s; nothing is lost.", error, pause_s)
            if stop.wait(pause_s):
                return done
        else:
            return done


def _record_while_services_answer(
    bootstrap_servers: str, database_url: str, ballots_max: int, stop: threading.Event, done: Recorded, reached: Reached
) -> None:
    identity = Topics(bootstrap_servers).identity(BALLOTS)
    with closing(connect(database_url, "record")) as connection, explained(database_url), closing(Outcomes(bootstrap_servers)) as outcomes:
        ledger = Ledger(connection)
        ledger.check_votable()
        ledger.check_whole()
        ledger.claim(identity.cluster_id, identity.topic_id)
        slot = ledger.take_slot()
        publisher = Publisher(bootstrap_servers, slot, tails(Roll(connection)), reached)
        with closing(Intake(bootstrap_servers, outcomes, ledger.positions)) as intake:
            log.info("recording as number %d", slot)
            done.has_begun = True
            while not stop.is_set():
                reached(Point.BEFORE_CONSUME)
                batch = intake.take(ballots_max, WAIT_S)
                if batch is None:
                    continue
                reached(Point.AFTER_CONSUME)
                verdicts = ledger.decide(read_ballots(batch.messages), lambda: reached(Point.BEFORE_LEDGER_COMMIT))
                reached(Point.AFTER_LEDGER_COMMIT)
                if publisher.publish(batch, verdicts):
                    done.ballots += len(verdicts)
                    done.batches += 1
                else:
                    intake.rewind()


def tails(roll: Roll) -> Callable[[str], bytes]:
    """The part of a vote's message that comes from its candidate; asked of the database once per candidate."""
    known: dict[str, bytes] = {}

    def tail_of(candidate_id: str) -> bytes:
        if candidate_id not in known:
            known[candidate_id] = vote_tail(roll.candidate(candidate_id))
        return known[candidate_id]

    return tail_of
