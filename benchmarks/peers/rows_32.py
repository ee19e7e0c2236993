"""The strong peer: 32 connections, each inserting one row after the other, each row a transaction of its own.

Everything that is not the insert is as cheap as Python allows: ballots are consumed in thousands, the statement is prepared,
libpq is driven directly, and one thread waits for all connections at once. An accepted vote is published by splicing bytes.
That takes a quarter of the processor time. With two and four processes each vote cost a tenth to a third more, and no more were made.
Like the other peer it does less than *record*: no roll, no candidates, no rejections, nothing exactly once.
"""

import select
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing

import orjson
import psycopg
from psycopg import pq
from psycopg.pq import abc

from livetally.adapters.kafka import Consumer, Message, TopicPartition, consumer, producer
from livetally.adapters.reading import bounds, partitions_of
from livetally.core.ballots import Ballot, parse
from livetally.core.wire import BALLOTS, VOTES, ms_text
from peers.terms import Terms, begun, candidates_of, done, read_terms

CONNECTIONS = 32
CONSUMED_AT_ONCE = 1_000
SETTLED_WITHIN_S = 10.0
INSERT = b"""
INSERT INTO votes (voter_id, candidate_id, voting_time, election_id, ballot_partition, ballot_offset)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
"""


class Rows:
    """Which connections wait for an answer, and what for."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._client: Consumer = consumer(terms.kafka, "bench-rows-32")
        partitions = partitions_of(self._client, BALLOTS)
        self._client.assign([TopicPartition(BALLOTS, partition, 0) for partition in partitions])
        self._there_are = sum(bounds(self._client, BALLOTS, partition)[1] for partition in partitions)
        self._producer = producer(terms.kafka)
        with closing(psycopg.connect(terms.database_url)) as connection:
            candidates = candidates_of(connection)
        self._tails = {name: b"," + orjson.dumps(fields | {"vote": 1})[1:-1] + b',"voting_time":"' for name, fields in candidates.items()}
        self._waiting: deque[Message] = deque()
        self._busy: dict[int, tuple[abc.PGconn, Message, bytes, bytes]] = {}
        self._idle = [_connected(terms.database_url) for _ in range(CONNECTIONS)]
        self._poll = select.epoll()
        for one in self._idle:
            self._poll.register(one.socket, select.EPOLLIN)
        self.ballots = self.accepted = 0

    def wait_for_first(self) -> None:
        self._waiting.extend(self._client.consume(1, self._terms.first_within_s))
        if not self._waiting:
            raise SystemExit("no ballot came")

    def run(self) -> float:
        """Until the time is over, or the ballots are; then until every insert is answered and every vote acknowledged. Seconds that it took."""
        began_s = time.monotonic()
        end_s = began_s + self._terms.seconds
        while self.ballots < self._there_are and time.monotonic() < end_s:
            while self._idle and self.ballots < self._there_are:
                self._insert_next()
            if self._busy:
                self._take_answers()
        while self._busy:
            self._take_answers()
        if self._producer.flush(SETTLED_WITHIN_S):
            raise SystemExit(f"votes were not acknowledged within {SETTLED_WITHIN_S:.0f} s")
        took_s = time.monotonic() - began_s
        self._client.close()
        return took_s

    def _insert_next(self) -> None:
        message = self._next()
        self.ballots += 1
        value = message.value() or b""
        ballot = parse(message.key(), value)
        if not isinstance(ballot, Ballot):
            return
        time_text = ms_text(message.timestamp()[1]).encode()
        tail = self._tails.get(ballot.candidate_id, b',"voting_time":"')
        connection = self._idle.pop()
        connection.send_query_prepared(
            b"insert",
            [
                ballot.voter_id.encode(),
                ballot.candidate_id.encode(),
                time_text,
                ballot.election_id.encode(),
                b"%d" % (message.partition() or 0),
                b"%d" % (message.offset() or 0),
            ],
        )
        connection.flush()  # a row of a hundred bytes always fits into an empty socket
        self._busy[connection.socket] = (connection, message, ballot.voter_id.encode(), value[:-1] + tail + time_text + b'"}')

    def _take_answers(self) -> None:
        for socket, _ in self._poll.poll():
            connection, message, key, vote = self._busy[socket]
            connection.consume_input()
            if connection.is_busy():
                continue
            if sum(result.command_tuples or 0 for result in _results(connection)):  # an error of the row has none
                self.accepted += 1
                self._producer.produce(VOTES, vote, key, message.partition() or 0)
            del self._busy[socket]
            self._idle.append(connection)
        self._producer.poll(0)

    def _next(self) -> Message:
        while not self._waiting:
            self._waiting.extend(self._client.consume(CONSUMED_AT_ONCE, 0.01))
            if fault := next((one.error() for one in self._waiting if one.error()), None):
                raise SystemExit(f"ballots cannot be read: {fault}")
        return self._waiting.popleft()


def _results(connection: abc.PGconn) -> Iterator[abc.PGresult]:
    while (result := connection.get_result()) is not None:
        yield result


def _connected(url: str) -> abc.PGconn:
    connection = pq.PGconn.connect(url.encode())
    if connection.status != pq.ConnStatus.OK:
        raise SystemExit(connection.get_error_message())
    connection.prepare(b"insert", INSERT)
    connection.nonblocking = 1
    return connection


def main() -> None:
    rows = Rows(read_terms())
    rows.wait_for_first()
    begun()
    took_s = rows.run()
    done(rows.ballots, rows.accepted, took_s)


if __name__ == "__main__":
    main()
