"""Somebody who reads every aggregated topic all the time, and holds each number against the ledger at once; and the alerts."""

import time

from confluent_kafka import Consumer, KafkaError, TopicPartition

from livetally.core.wire import ALERTS
from outsider import Seen, seen
from recovery.alarms import Alarms
from recovery.ledger import Ledger
from recovery.shown import Shown, Version, beyond
from recovery.views import TOPICS

MESSAGES_MAX = 5_000


class Watcher:
    """`look` must be called many times a second."""

    def __init__(self, bootstrap_servers: str, ledger: Ledger) -> None:
        self._ledger = ledger
        self._unjudged: list[tuple[str, Seen]] = []
        self._faults: list[str] = []
        self.shown = Shown()
        self.alarms = Alarms()
        self.messages = 0
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": "the watcher",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        self._consumer.assign([TopicPartition(topic, 0, 0) for topic in (*TOPICS, ALERTS)])

    def look(self) -> None:
        """Take in what has come; does not wait. A number is judged when the ledger has been asked after it was read."""
        for message in self._consumer.consume(MESSAGES_MAX, 0):
            if (error := message.error()) is None and message.topic() == ALERTS:
                self._faults += self.alarms.take(seen(message))
            elif error is None:
                self._unjudged.append((message.topic() or "", seen(message)))
            elif error.fatal() or error.code() == KafkaError.OFFSET_OUT_OF_RANGE:
                raise AssertionError(f"the watcher cannot read: {error}")
        if not self._unjudged or not self._ledger.advance():
            return
        for topic, unjudged in self._unjudged:
            said, faults = self.shown.take(topic, unjudged)
            self._faults += faults
            if (fault := beyond(topic, said, self._ledger.counts(topic))) is not None:
                self._faults.append(fault)
        self.messages += len(self._unjudged)
        self._unjudged.clear()

    def take_faults(self) -> list[str]:
        """What should never have been shown since the last call."""
        faults, self._faults = self._faults, []
        return faults

    @property
    def version(self) -> Version:
        return self.shown.version

    @property
    def votes(self) -> int:
        return self.shown.votes

    def summary(self) -> str:
        """For a person who wonders what is missing."""
        return f"{self.votes:,} votes are shown at {list(self.version)}, {self._ledger.votes:,} are in the ledger ({time.strftime('%X')})"

    def close(self) -> None:
        self._consumer.close()
