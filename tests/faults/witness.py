"""A stranger who reads ballots and outcomes from the beginning, as anybody could, and remembers when each came."""

import time
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, TopicPartition

from faults.oracle import Lying, Place
from faults.voting import NUMBER, Voting
from livetally.core.wire import BALLOTS, REJECTED, VOTES
from outsider import Seen, seen
from pipeline import PARTITIONS

MESSAGES_MAX = 5_000


@dataclass
class Since:
    """What has come since the last comparison."""

    ballots: dict[Place, Lying] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    garbled: list[str] = field(default_factory=list)  # ballots that do not lie on the topic as they were cast
    votes: list[Seen] = field(default_factory=list)
    rejected: list[Seen] = field(default_factory=list)
    arrivals: dict[Place, float] = field(default_factory=dict)  # when the first outcome of a ballot came


class Witness:
    def __init__(self, bootstrap_servers: str, voting: Voting) -> None:
        self._voting = voting
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": "the witness",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        topics = (BALLOTS, VOTES, REJECTED)
        self._consumer.assign([TopicPartition(topic, partition, 0) for topic in topics for partition in range(PARTITIONS)])
        self.since = Since()

    def look(self) -> None:
        """Take in what has come; does not wait."""
        now = time.time()
        for message in self._consumer.consume(MESSAGES_MAX, 0):
            if (error := message.error()) is not None:
                if error.fatal() or error.code() == KafkaError.OFFSET_OUT_OF_RANGE:
                    raise AssertionError(f"the witness cannot read: {error}")
                continue
            self._take(message.topic() or "", seen(message), now)

    def turn_the_page(self) -> Since:
        """What has come since the last call."""
        since, self.since = self.since, Since()
        return since

    @property
    def undecided(self) -> int:
        """Ballots without an outcome."""
        return len(self.since.ballots.keys() - self.since.arrivals.keys())

    def recovered_at(self, moment: float) -> float | None:
        """When the first ballot that was appended after `moment` had its outcome published, in the slowest partition; None if not yet."""
        first: dict[int, float] = {}
        for place, arrival in self.since.arrivals.items():
            ballot = self.since.ballots.get(place)
            if ballot is not None and ballot.appended_at_ms / 1000 > moment:
                first[place.partition] = min(arrival, first.get(place.partition, arrival))
        return max(first.values()) if len(first) == PARTITIONS else None

    def summary(self) -> str:
        """For a person who wonders what is missing."""
        waiting = sorted(self.since.ballots.keys() - self.since.arrivals.keys())
        return f"{len(self.since.ballots):,} ballots seen since the last comparison, {len(waiting):,} of them undecided, at first {waiting[:3]}"

    def close(self) -> None:
        self._consumer.close()

    def _take(self, topic: str, message: Seen, now: float) -> None:
        if topic == BALLOTS:
            number = int(message.headers[NUMBER])
            cast = self._voting.cast[number]
            place = Place(message.partition, message.offset)
            self.since.ballots[place] = Lying(place, message.timestamp_ms, cast)
            self.since.numbers.append(number)
            if (message.key, message.value, message.partition) != (cast.key, cast.value, cast.partition):
                self.since.garbled.append(f"ballot {number} at {place}")
        else:
            (self.since.votes if topic == VOTES else self.since.rejected).append(message)
            self.since.arrivals.setdefault(Place(*message.ballot), now)
