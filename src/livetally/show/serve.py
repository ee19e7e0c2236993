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


@dataclass(frozen=True, slots=True)
class Behind:
    """What a page draws from: `reader.snapshot` is what is known now, `asker` answers about one place or moment (`past.Asking`)."""

    reader: Reader
    asker: Asker

    def start(self) -> None:
        self.reader.start()
        self.asker.start()

    def close(self) -> None:
        self.reader.close()
        self.asker.close()


def behind(bootstrap_servers: str, database_url: str, *, compares: bool = True) -> Behind:
    """Nothing is connected before `start`. Without `compares` nobody reads the votes topic, and the badge stays unknown."""
    topics = Topics(bootstrap_servers)

    def judge(announced: Announced) -> Judge:
        return Judge(Witnesses(database_url), VotesRead(bootstrap_servers), announced, _utc, time.monotonic)

    reader = Reader(
        lambda: Listening(Tail(bootstrap_servers, TOPICS), topics.answer, time.monotonic),
        lambda: DatabaseFacts(database_url),
        _utc,
        judge if compares else None,
    )
    return Behind(reader, Asker(Looking(database_url), lambda: reader.snapshot, _utc, time.monotonic))


def _utc() -> datetime:
    return datetime.now(UTC)
