"""Where the parts behind a page are put together, once per server process."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from livetally.adapters.agreement import Witnesses
from livetally.adapters.looking import Looking
from livetally.adapters.reading import Tail
from livetally.adapters.topics import Topics
from livetally.adapters.votes_read import VotesRead
from livetally.show.asking import Asker
from livetally.show.board import TOPICS
from livetally.show.facts import DatabaseFacts
from livetally.show.judge import Judge
from livetally.show.listening import Listening
from livetally.show.reader import Announced, Reader
from livetally.show.result import Snapshot


@dataclass(frozen=True, slots=True)
class Serving:
    """What a page draws from: what is known now, and answers about one place or moment."""

    reader: Reader
    asking: Asker

    @property
    def snapshot(self) -> Snapshot:
        return self.reader.snapshot

    def close(self) -> None:
        self.reader.close()
        self.asking.close()


def serve(bootstrap_servers: str, database_url: str) -> Serving:
    """Begins to read at once. Services that are away are waited for."""
    topics = Topics(bootstrap_servers)

    def judge(announced: Announced) -> Judge:
        return Judge(Witnesses(database_url), VotesRead(bootstrap_servers), announced, _utc, time.monotonic)

    reader = Reader(
        lambda: Listening(Tail(bootstrap_servers, TOPICS), topics.answer, time.monotonic),
        lambda: DatabaseFacts(database_url),
        _utc,
        judge,
    )
    asking = Asker(Looking(database_url), lambda: reader.snapshot, _utc, time.monotonic)
    reader.start()
    asking.start()
    return Serving(reader, asking)


def _utc() -> datetime:
    return datetime.now(UTC)
