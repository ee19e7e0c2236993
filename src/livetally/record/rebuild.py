"""Making the ledger again from the ballots, and the votes topic again from the ledger."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC

from livetally.adapters.cells import Cells
from livetally.adapters.kafka import Consumer, Message, reader
from livetally.adapters.ledger import Cast, Ledger, StoredVote
from livetally.adapters.outcomes import Outcomes
from livetally.adapters.postgres import connect, explained
from livetally.adapters.publisher import AllOrNothing, Outgoing
from livetally.adapters.reading import partitions_of, read_range
from livetally.adapters.roll import Roll
from livetally.adapters.topics import Topics
from livetally.core.errors import ServiceError
from livetally.core.wire import BALLOTS, VOTES, Topic, outcome_headers, utc_text, vote_message
from livetally.record.decide import read_ballots
from livetally.record.record import tails

BATCH = 20_000
GONE_WITHIN_S = 30.0
TRANSACTIONAL_ID = "livetally-rebuild"


def rebuild_ledger(bootstrap_servers: str, database_url: str) -> str:
    """Decide every ballot anew, up to where *record* had come. In one transaction: interrupted, it has not happened."""
    identity = Topics(bootstrap_servers).identity(BALLOTS)
    with (
        closing(connect(database_url, "rebuild", bounded=False)) as connection,
        explained(database_url),
        closing(reader(bootstrap_servers)) as client,
        closing(Outcomes(bootstrap_servers)) as outcomes,
    ):
        ledger = Ledger(connection)
        ledger.take_all_slots()
        ledger.check_whole()
        ledger.claim(identity.cluster_id, identity.topic_id)
        decided = ledger.positions()
        ends = {partition: max(decided.get(partition, 0), outcomes.next_ballot(partition)) for partition in partitions_of(client, BALLOTS)}
        ledger.replay(_batches(client, ends))
        ballots, accepted, rejected = ledger.counts()
    return f"The ledger has been made again from {ballots:,} ballots: {accepted:,} votes, {rejected:,} rejected."


def rebuild_votes_topic(bootstrap_servers: str, database_url: str, topic: Topic, replication_factor: int) -> str:
    """Delete the topic and publish the ledger again, each vote in its partition and order. Interrupted, it must be repeated, and everybody says so."""
    topics = Topics(bootstrap_servers)
    ballots = topics.identity(BALLOTS)
    published = 0
    with closing(connect(database_url, "rebuild", bounded=False)) as connection, explained(database_url):
        ledger = Ledger(connection)
        ledger.take_all_slots()
        ledger.check_whole(but="votes-topic")
        ledger.claim(ballots.cluster_id, ballots.topic_id)
        Cells(connection).take_lock()
        ledger.begin_rebuild("votes-topic")
        _make_empty(topics, topic, replication_factor)
        tail_of, publisher = tails(Roll(connection)), AllOrNothing(bootstrap_servers, TRANSACTIONAL_ID)
        for partition in range(topic.partitions):
            rows = ledger.votes_in_order(partition)
            while batch := list(itertools.islice(rows, BATCH)):
                publisher.publish(_outgoing(vote, partition, tail_of) for vote in batch)
                published += len(batch)
        ledger.end_rebuild("votes-topic")
    return f"{published:,} votes have been published again."


def _batches(client: Consumer, ends: dict[int, int]) -> Iterator[list[Cast]]:
    for partition, end in sorted(ends.items()):
        messages: Iterator[Message] = read_range(client, BALLOTS, partition, 0, end)
        while batch := list(itertools.islice(messages, BATCH)):
            yield read_ballots(batch)


def _outgoing(vote: StoredVote, partition: int, tail_of: Callable[[str], bytes]) -> Outgoing:
    value = vote_message(vote.voter_message.encode(), tail_of(vote.candidate_id), utc_text(vote.voting_time.replace(tzinfo=UTC)))
    return Outgoing(VOTES, vote.voter_id.encode(), value, partition, outcome_headers(partition, vote.offset))


def _make_empty(topics: Topics, topic: Topic, replication_factor: int) -> None:
    topics.delete(topic.name)
    deadline = time.monotonic() + GONE_WITHIN_S
    while not topics.create(topic, replication_factor):
        if time.monotonic() > deadline:
            raise ServiceError(f"Kafka has not deleted {topic.name} within {GONE_WITHIN_S:.0f} s. Run the rebuild again.")
        time.sleep(0.2)
