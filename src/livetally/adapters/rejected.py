"""Rejected ballots: what the ledger says of them, and the ballots themselves.

The verdicts come from the table `rejections`: it can be asked by reason and time, and it knows a rejection from the moment it stands,
published or not. The bytes come from `ballots_topic`, at the place that the verdict names: the topic is the whole truth, and can be
asked for one offset. In `rejected_ballots`, which is a copy for those who read topics, one would have to search from the beginning.
"""

import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import chain, groupby
from typing import Literal, NamedTuple, cast

from livetally.adapters.kafka import Consumer, Message
from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries
from livetally.adapters.reading import Record, read_range, record_of
from livetally.adapters.topics import Identity
from livetally.core.ballots import Ballot, Reason
from livetally.core.errors import LedgerError
from livetally.core.following import Place
from livetally.core.wire import BALLOTS

ROWS_AT_ONCE = 5_000  # of a long answer
GAP_OFFSETS_MAX = 1_000  # reading on over so many ballots takes as long as asking for another place
CAST_AGAIN_LOCK = 7_011_101  # an advisory lock; any number that nobody else uses

HAS_VOTED = "has_voted"  # in that election; whatever else is said of the ballot, it cannot count


class Rejection(NamedTuple):
    """A row of `rejections`."""

    partition: int
    offset: int
    appended_at: datetime
    reason: str
    detail: str
    election_id: str | None
    voter_id: str | None


class Rejections:
    """The verdicts, over one connection of the caller's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("rejected")

    @contextmanager
    def at_one_moment(self, ballots: Identity) -> Iterator[None]:
        """All that is asked meanwhile is answered as of now. Raises LedgerError if the ledger was filled from other ballots than these."""
        with self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            source = self._connection.execute(self._sql["source"]).fetchone()
            if source is not None and source != (ballots.cluster_id, ballots.topic_id):
                raise LedgerError(
                    "This ledger was filled from other ballots than those on this Kafka: what it says of a place is not said of these. "
                    "Point LIVETALLY_DATABASE_URL and LIVETALLY_KAFKA_BOOTSTRAP_SERVERS at the pair that belongs together."
                )
            yield

    def counts(self, reason: Reason | None = None) -> dict[str, int]:
        """Rejected ballots by reason, most first."""
        return dict(self._connection.execute(self._sql["counts"], {"reason": reason}).fetchall())

    def newest(self, order: Literal["by_time", "by_place"], reason: Reason | None, newest: int | None) -> Iterator[Rejection]:
        """The newest so many, or all, in the order of time or of place."""
        return self._stream(order, reason=reason, newest=newest)

    def in_partition(self, partition: int, reason: Reason) -> Iterator[Rejection]:
        return self._stream("in_partition", partition=partition, reason=reason)

    def later_ones(self, partition: int, reason: Reason, castable: Iterable[Reason]) -> Iterator[Rejection]:
        """Rejected for one of the castable reasons, and behind a ballot of the same person that was rejected for this reason."""
        return self._stream("later_ones", partition=partition, reason=reason, castable=list(castable))

    def next_undecided(self, partition: int) -> int:
        """The offset behind the last ballot that has a verdict."""
        row = self._connection.execute(self._sql["next_undecided"], (partition,)).fetchone()
        return int(row[0]) if row else 0

    def lock_casting_again(self) -> None:
        """Held until the connection ends. Raises LedgerError if somebody else is at it."""
        if self._connection.execute(self._sql["take_lock"], (CAST_AGAIN_LOCK,)).fetchone() != (True,):
            raise LedgerError("Somebody is casting rejected ballots again already. Wait until that is done, then see what is left.")

    def mark_receipts(self, ballots: Sequence[tuple[Ballot, Place]]) -> None:
        """Before these are cast again: what receipts of theirs say may come from another place than this from then on."""
        elections, voters = ([getattr(ballot, name) for ballot, _ in ballots] for name in ("election_id", "voter_id"))
        partitions, offsets = ([place[number] for _, place in ballots] for number in (0, 1))
        self._connection.execute(self._sql["mark_receipts"], (elections, voters, partitions, offsets))

    def _stream(self, statement: str, **parameters: object) -> Iterator[Rejection]:
        with self._connection.cursor(statement) as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(self._sql[statement], parameters)
            for row in cursor:
                yield Rejection(*row)


class Outlook:
    """What would become of ballots that were cast now, over a connection of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("rejected")
        connection.execute(self._sql["plan_by_index"])

    def of(self, ballots: Sequence[Ballot]) -> list[str | None]:
        """For each the reason why it would be rejected now, or HAS_VOTED; None if it would count."""
        fields = [[getattr(ballot, name) for ballot in ballots] for name in ("election_id", "voter_id", "candidate_id")]
        return [said for (said,) in self._connection.execute(self._sql["outlook"], fields)]


def with_ballots(client: Consumer, rejections: Iterable[Rejection]) -> Iterator[tuple[Rejection, Record | None]]:
    """Each rejection with its ballot, None if the topic has it no more. They must come in the order of partition and offset."""
    for _, nearby in groupby(rejections, _Neighbourhoods()):
        first = next(nearby)
        messages = cast("Generator[Message, None, None]", read_range(client, BALLOTS, first.partition, first.offset, sys.maxsize))
        with closing(messages):
            message = next(messages, None)
            for rejection in chain([first], nearby):
                while message is not None and (message.offset() or 0) < rejection.offset:
                    message = next(messages, None)
                is_it = message is not None and message.offset() == rejection.offset
                yield rejection, record_of(message) if message is not None and is_it else None


class _Neighbourhoods:
    """Numbers places, in their order, so that those that are worth reading in one go have the same number."""

    def __init__(self) -> None:
        self._last = (-1, 0)
        self._number = 0

    def __call__(self, rejection: Rejection) -> int:
        partition, offset = self._last
        if rejection.partition != partition or rejection.offset - offset > GAP_OFFSETS_MAX:
            self._number += 1
        self._last = (rejection.partition, rejection.offset)
        return self._number
