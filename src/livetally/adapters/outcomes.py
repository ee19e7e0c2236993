"""The end of the output says where *record* is: the last outcome of a partition carries its ballot's offset."""

import time
from collections.abc import Callable

from livetally.adapters.kafka import TRANSACTION_TIMEOUT_MS, consumer, reader
from livetally.adapters.reading import bounds, headers_of, read_range
from livetally.core.errors import LedgerError, ServiceError
from livetally.core.wire import REJECTED, VOTES, ballot_of

FIRST_LOOK_OFFSETS = 64  # aborted messages and control records lie at an end too: look further back each time
REMEDY_AFTER_S = 1.0  # and again after as long; an open transaction of a recorder that lives is over by then
HANGING_WAIT_S = 3 * TRANSACTION_TIMEOUT_MS / 1000  # a dead producer's transaction is aborted by the broker well before


class Outcomes:
    """Looks at the ends of `votes_topic` and `rejected_ballots`."""

    def __init__(self, bootstrap_servers: str, end_hanging: Callable[[int], None] | None = None) -> None:
        """`end_hanging` may end a transaction that hangs in a partition, for those who are allowed to."""
        self._end_hanging = end_hanging
        self._remedies = 0
        self._committed = reader(bootstrap_servers)
        self._everything = consumer(bootstrap_servers, config={"isolation.level": "read_uncommitted"})

    def next_ballot(self, partition: int) -> int:
        """The offset of the first ballot of this partition that has no published outcome."""
        while True:
            remedies = self._remedies
            last = max(self.last_ballot(topic, partition) for topic in (VOTES, REJECTED))
            # A remedy fences others, and only from then on is an end the end: what was read before it may have been overtaken.
            if self._remedies == remedies:
                return 1 + last

    def last_ballot(self, topic: str, partition: int, before: int | None = None) -> int:
        """The ballot offset of the last committed outcome (before an offset of the topic); -1 if there is none."""
        low, high = self._settled(topic, partition)
        high = high if before is None else min(high, before)
        look = FIRST_LOOK_OFFSETS
        while True:
            first = max(low, high - look)
            last = self._last_between(topic, partition, first, high)
            if last is not None or first == low:
                return -1 if last is None else last
            look *= 8

    def close(self) -> None:
        self._committed.close()
        self._everything.close()

    def _settled(self, topic: str, partition: int) -> tuple[int, int]:
        """The bounds of a partition, once no transaction hangs any more before what is its end now."""
        began = time.monotonic()
        remedy_s = REMEDY_AFTER_S
        end = bounds(self._everything, topic, partition)[1]  # asked once: a busy recorder's next transaction is not waited for
        while True:
            low, high = bounds(self._committed, topic, partition)
            if high >= end:
                return low, high
            hanging_s = time.monotonic() - began
            if self._end_hanging is not None and hanging_s > remedy_s:
                self._end_hanging(partition)
                self._remedies += 1
                remedy_s += REMEDY_AFTER_S  # in vain, if another recorder tried it at the same time
            if hanging_s > HANGING_WAIT_S:
                raise ServiceError(
                    f"A transaction on {topic}[{partition}] has been hanging for {HANGING_WAIT_S:.0f} s; is another recorder writing there?"
                )
            time.sleep(0.05)

    def _last_between(self, topic: str, partition: int, first: int, end: int) -> int | None:
        if first >= end:
            return None
        last = None
        for message in read_range(self._committed, topic, partition, first, end):
            ballot = ballot_of(headers_of(message))
            if ballot is None or ballot[0] != partition:
                raise LedgerError(
                    f"{topic}[{partition}] holds a message at offset {message.offset()} that is not the outcome of a ballot of that partition: "
                    "livetally did not write it. Only *record* may write there; `./livetally rebuild votes-topic` makes the topic again from the ledger."
                )
            last = ballot[1]
        return last
