"""Making the ledger again from the ballots, and the votes topic again from the ledger."""

import itertools
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import UTC

from livetally.adapters import past
from livetally.adapters.cells import Cells
from livetally.adapters.custody import Custody
from livetally.adapters.kafka import Consumer, reader
from livetally.adapters.ledger import Ledger
from livetally.adapters.outcomes import Outcomes
from livetally.adapters.past import StoredVote
from livetally.adapters.postgres import connect, explained
from livetally.adapters.publisher import AllOrNothing, Outgoing
from livetally.adapters.reading import partitions_of, read_range
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.adapters.topics import Topics
from livetally.core.errors import ServiceError
from livetally.core.verdicts import Cast
from livetally.core.wire import BALLOTS, VOTES, Topic, outcome_headers, utc_text, vote_message
from livetally.record.decide import Parts
from livetally.record.intake import read_ballot

END = sys.maxsize
BATCH = 20_000
GONE_WITHIN_S = 30.0
TRANSACTIONAL_ID = "livetally-rebuild"


def rebuild_ledger(bootstrap_servers: str, database_url: str, on_begin: Callable[[], None] = lambda: None) -> str:
    """Decide every ballot anew, up to where *record* had come. In one transaction: interrupted, it has not happened.

    `on_begin` is called when nothing speaks against it any more.
    """
    identity = Topics(bootstrap_servers).identity(BALLOTS)
    with ExitStack() as stack:
        stack.enter_context(explained(database_url))
        connection, other = (stack.enter_context(closing(connect(database_url, "rebuild", bounded=False, as_owner=True))) for _ in range(2))
        outcomes = stack.enter_context(closing(Outcomes(bootstrap_servers)))
        custody = Custody(connection)
        custody.be_alone()
        custody.check_whole()
        custody.claim(identity.cluster_id, identity.topic_id)
        decided, before = past.positions(connection), past.heads(connection)
        with closing(reader(bootstrap_servers)) as client:
            partitions = partitions_of(client, BALLOTS)
        ballots = {
            partition: _ballots(
                stack.enter_context(closing(reader(bootstrap_servers))),
                partition,
                max(decided.get(partition, 0), outcomes.next_ballot(partition)),
            )
            for partition in partitions
        }
        in_order = _as_decided(ballots, past.order_of_links(other))
        on_begin()
        changed = Ledger(connection).replay(iter(lambda: list(itertools.islice(in_order, BATCH)), []))
        count, accepted, rejected = past.counts(connection)
        after = past.heads(connection)
    other_heads = {head.partition for head in {*before} ^ {*after}}
    return f"The ledger has been made again from {count:,} ballots: {accepted:,} votes, {rejected:,} rejected.\n" + _compared(
        changed, other_heads
    )


def _compared(changed: Mapping[int, int], other_heads: Collection[int]) -> str:
    if not changed and not other_heads:
        return "It is what it was, and so are its heads."
    wrong = sum(changed.values())
    return (
        "It was not what its ballots say. "
        + (
            f"{wrong:,} verdict{'' if wrong == 1 else 's'} of partition {_listed(changed)} {'was' if wrong == 1 else 'were'} wrong. "
            if changed
            else ""
        )
        + (f"The heads of partition {_listed(other_heads)} are others now. " if other_heads else "Its heads are what they were. ")
        + "`./livetally rebuild votes-topic` is next, if `./livetally audit` says so."
    )


def _listed(partitions: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(partitions)))


def rebuild_votes_topic(
    bootstrap_servers: str, database_url: str, topic: Topic, replication_factor: int, on_begin: Callable[[], None] = lambda: None
) -> str:
    """Delete the topic and publish the ledger again, each vote in its partition and order. Interrupted, it must be repeated, and everybody says so."""
    topics = Topics(bootstrap_servers)
    ballots = topics.identity(BALLOTS)
    published = 0
    with closing(connect(database_url, "rebuild", Rights.RECORD, bounded=False)) as connection, explained(database_url):
        custody = Custody(connection)
        custody.be_alone()
        custody.check_whole(but="votes-topic")
        custody.claim(ballots.cluster_id, ballots.topic_id)
        Cells(connection).take_lock()
        on_begin()
        custody.begin_rebuild("votes-topic")
        _make_empty(topics, topic, replication_factor)
        parts, publisher = Parts(Roll(connection)), AllOrNothing(bootstrap_servers, TRANSACTIONAL_ID)
        for partition in range(topic.partitions):
            rows = past.votes_in_order(connection, partition)
            while batch := list(itertools.islice(rows, BATCH)):
                publisher.publish(_outgoing(vote, partition, parts) for vote in batch)
                published += len(batch)
        custody.end_rebuild("votes-topic")
    return f"{published:,} votes have been published again."


def _ballots(client: Consumer, partition: int, end: int) -> Iterator[Cast]:
    return map(read_ballot, read_range(client, BALLOTS, partition, 0, end))


def _as_decided(ballots: Mapping[int, Iterator[Cast]], links: Iterable[tuple[int, int]]) -> Iterator[Cast]:
    """Every partition in its order, and the partitions in turn as the chain says that they were decided.

    A voter's ballots lie in one partition, and then turns do not matter. Where somebody cast into two, the first verdict stands.
    """
    following = {partition: next(casts, None) for partition, casts in ballots.items()}
    turns = itertools.chain(links, ((partition, END) for partition in sorted(ballots)))
    for partition, end in turns:
        cast = following.get(partition)
        while cast is not None and cast.offset < end:
            yield cast
            cast = next(ballots[partition], None)
        following[partition] = cast


def _outgoing(vote: StoredVote, partition: int, parts: Parts) -> Outgoing:
    value = vote_message(vote.voter_message.encode(), parts.of(vote.candidate_id), utc_text(vote.voting_time.replace(tzinfo=UTC)))
    return Outgoing(VOTES, vote.voter_id.encode(), value, partition, outcome_headers(partition, vote.offset))


def _make_empty(topics: Topics, topic: Topic, replication_factor: int) -> None:
    topics.delete(topic.name)
    deadline = time.monotonic() + GONE_WITHIN_S
    while not topics.create(topic, replication_factor):
        if time.monotonic() > deadline:
            raise ServiceError(f"Kafka has not deleted {topic.name} within {GONE_WITHIN_S:.0f} s. Run the rebuild again.")
        time.sleep(0.2)
