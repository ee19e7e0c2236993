"""Says when Kafka goes away, and when it is back: Spark would wait for it without a word, for a minute, and then fail."""

import logging
from collections.abc import Callable

from livetally.tally.meter import Meter

LOOK_S = 2.0

log = logging.getLogger(__name__)


class Presence:
    def __init__(self, answers: Callable[[], bool], meter: Meter, clock: Callable[[], float]) -> None:
        self._answers = answers
        self._meter = meter
        self._clock = clock
        self._due_s = clock()
        self._is_there = True

    def look_when_due(self) -> None:
        if self._clock() < self._due_s:
            return
        is_there = self._answers()
        if is_there != self._is_there:
            self._is_there = is_there
            if is_there:
                log.info("Kafka answers again")
                self._meter.ready()
            else:
                log.warning("Kafka does not answer; waiting for it, nothing is lost")
                self._meter.not_ready("Kafka does not answer.")
        self._due_s = self._clock() + LOOK_S
