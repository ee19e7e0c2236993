"""Whether what was recorded is what had to be: by the plan of the ballots, not by what *record* says of itself."""

from collections import Counter
from contextlib import closing

from harness.backlog import Backlog
from harness.database import owner, row
from harness.stand import Stand
from livetally.adapters.kafka import reader
from livetally.adapters.reading import ends, headers_of, partitions_of, read_range
from livetally.core.wire import REJECTED, VOTES


def faults(stand: Stand, database_url: str, backlog: Backlog) -> list[str]:
    """What differs between the plan, the ledger, and both topics as a read_committed consumer sees them."""
    found: dict[str, tuple[object, object]] = {
        "votes in the ledger": (backlog.votes, _votes(database_url)),
        "votes and voters on votes_topic": ((backlog.votes, backlog.votes), _published(stand)),
        "rejected_ballots by reason": (dict(backlog.rejected), _rejected(stand)),
    }
    return [f"{what}: {is_there}, and must be {wanted}" for what, (wanted, is_there) in found.items() if wanted != is_there]


def _votes(database_url: str) -> int:
    with owner(database_url) as connection:
        return int(row(connection, "SELECT count(*) FROM votes")[0])


def _published(stand: Stand) -> tuple[int, int]:
    """Messages, and different keys among them. A voter's votes meet in one partition, so no key has to be kept for longer."""
    votes = voters = 0
    with closing(reader(stand.kafka)) as client:
        for partition, end in ends(client, VOTES).items():
            keys: set[bytes | None] = set()
            for message in read_range(client, VOTES, partition, 0, end):
                votes += 1
                keys.add(message.key())
            voters += len(keys)
    return votes, voters


def _rejected(stand: Stand) -> dict[str, int]:
    reasons: Counter[str] = Counter()
    with closing(reader(stand.kafka)) as client:
        for partition in partitions_of(client, REJECTED):
            for message in read_range(client, REJECTED, partition, 0, ends(client, REJECTED)[partition]):
                reasons[(dict(headers_of(message))["reason"] or b"").decode()] += 1
    return dict(reasons)
