"""Counting the messages of `votes_topic` up to given offsets, step by step: what the topic itself says, whatever anybody has stored."""

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from livetally.adapters.agreement import place_of
from livetally.adapters.kafka import Message, reader
from livetally.adapters.reading import bounds, ends, headers_of, read_range
from livetally.core.head import counted_by
from livetally.core.tally import Cell, cell_of, second_of
from livetally.core.wire import BALLOTS, VOTES, ballot_of

FAULTS_MAX = 20  # remembered; they do not go away, and a page shows a few


@dataclass(frozen=True, slots=True)
class Fault:
    """A message, or the topic itself, that is not as *record* leaves it."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Passed:
    """When the newest vote that was counted was cast (milliseconds since 1970), and when it was published."""

    cast_ms: int
    published_ms: int


class VotesRead:
    """Reads every message once. Raises ServiceError while Kafka is away; what has been counted stays."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._client = reader(bootstrap_servers)
        self.forget()

    def forget(self) -> None:
        """Begin again: the topic is another one, or it is counted anew."""
        self.positions: dict[int, int] = {}
        self.ballots: dict[int, int] = {}  # per partition, the offset behind the last ballot whose vote was read
        self.cells: Counter[Cell] = Counter()
        self.counts: Counter[tuple[str, str]] = Counter()  # the same by election and candidate
        self.places: defaultdict[tuple[str, str], int] = defaultdict(int)  # election and candidate -> sum of the ballots' places
        self.faults: dict[str, Fault] = {}
        self.newest: Passed | None = None

    def read_up_to(self, ends: Mapping[int, int], messages_max: int) -> bool:
        """Count on until these offsets, but not more than so many messages at once. Whether it is there, or there is no more to read."""
        if any(self.positions.get(partition, 0) > end for partition, end in ends.items()):
            self.forget()
        left, is_there = messages_max, True
        for partition, end in sorted(ends.items()):
            end_there_is = self._end(partition, end)
            left -= self._read(partition, end_there_is, left)
            is_there = is_there and self.positions.get(partition, 0) >= end_there_is
        return is_there

    def ballots_end(self) -> int:
        """Ballots that have been cast."""
        return sum(ends(self._client, BALLOTS).values())

    def close(self) -> None:
        self._client.close()

    def _end(self, partition: int, end: int) -> int:
        """As far as the topic goes. A topic that has lost its beginning or end is a fault for as long as it has."""
        where = f"{VOTES}[{partition}]"
        self.faults.pop(where, None)
        low, high = bounds(self._client, VOTES, partition)
        if high < end:
            self._fault(where, f"it ends at offset {high}, and the tally has counted up to {end}: messages are gone")
        elif low > 0:
            self._fault(where, f"it begins at offset {low}: the messages before are gone")
        return min(end, high)

    def _read(self, partition: int, end: int, messages_max: int) -> int:
        first = self.positions.get(partition, 0)
        count, last = 0, None
        for message in read_range(self._client, VOTES, partition, first, end):
            if count == messages_max:
                break
            self._count(partition, message)
            self.positions[partition] = (message.offset() or 0) + 1
            count, last = count + 1, message
        else:
            self.positions[partition] = max(first, end)  # marks of transactions may lie at the end
        self._note_newest(last)
        return count

    def _count(self, partition: int, message: Message) -> None:
        cell = cell_of(counted_by(message.value() or b""))  # what cannot be read is a vote of nobody known, as Spark has it
        if cell not in self.cells:
            cell = Cell(*map(sys.intern, cell))  # tens of thousands are kept, of some hundred different texts
        self.cells[cell] += 1
        self.counts[cell.election_id, cell.candidate_id] += 1
        offset = _ballot_offset(partition, message)
        if offset is None:
            self._fault(_where(partition, message), "*record* did not write this message")
            return
        if offset < self.ballots.get(partition, 0):
            self._fault(_where(partition, message), f"the vote of ballot {offset} comes again, or out of order")
        self.ballots[partition] = max(offset + 1, self.ballots.get(partition, 0))
        self.places[cell.election_id, cell.candidate_id] += place_of(partition, offset)

    def _note_newest(self, message: Message | None) -> None:
        """The newest of the partitions' last ones."""
        cast_ms = None if message is None else _cast_ms(message.value())
        if message is not None and cast_ms is not None and (self.newest is None or cast_ms > self.newest.cast_ms):
            self.newest = Passed(cast_ms, message.timestamp()[1])

    def _fault(self, where: str, what: str) -> None:
        if where in self.faults or len(self.faults) < FAULTS_MAX:
            self.faults[where] = Fault(where, what)


def _where(partition: int, message: Message) -> str:
    return f"{VOTES}[{partition}] offset {message.offset()}"


def _cast_ms(value: bytes | None) -> int | None:
    said = counted_by(value or b"").get("voting_time")
    if second_of(said) is None:
        return None
    return round(datetime.fromisoformat(str(said)).replace(tzinfo=UTC).timestamp() * 1000)


def _ballot_offset(partition: int, message: Message) -> int | None:
    try:
        ballot = ballot_of(headers_of(message))
    except ValueError:
        return None
    return ballot[1] if ballot is not None and ballot[0] == partition else None
