"""The fault suite's scene, with a tally and somebody who watches what it says. One thread drives it all."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from electorate import ELECTION
from faults import scene as recording
from faults.ground import BROKER, POSTGRES, Ground
from faults.proxy import LOOPBACK, Kafka, Postgres, Proxy
from faults.scene import StuckError
from livetally.core.wire import VOTES
from livetally.settings import PREFIX
from outsider import bounds_of, plain_consumer
from pipeline import PARTITIONS
from recovery.comparison import topics_differ
from recovery.ledger import Ledger
from recovery.place import Place
from recovery.watcher import Watcher

INTERVAL_MS = 50
MEMORY_MB = 512
VOTE_EVERY_S = 0.4
VOTES_AT_ONCE = 20
MARKS_WITHIN_S = 10.0  # of a transaction that was committed
WITHIN_S = 180.0  # Spark starts in 10 s on a quiet machine, in a minute on one that does three other things; how long it took is told
KNOWN = """
    SELECT (SELECT count(*) FROM voters) = (SELECT sum(voters) FROM registered_groups WHERE election_id = %s AND view = 'state')
"""
COUNTED = "SELECT votes_partition, next_offset FROM tally_positions JOIN tally_generations USING (generation) WHERE state = 'shown'"


@dataclass
class Scene(recording.Scene):
    """Recorders work undisturbed; it is the tally that speaks to the services through proxies here."""

    tally: Place
    ledger: Ledger
    watcher: Watcher
    to_broker: Proxy
    to_postgres: Proxy
    services_stay_away: bool = field(default=False)  # nobody brings back what has died
    noted: list[str] = field(default_factory=list)  # differences that a strike has found itself
    _cast_before: int = 0  # ballots, until the page was turned
    _votes_at_s: float = 0.0

    def look_after(self) -> None:
        if not self.services_stay_away:
            self.ground.look_after()
        self.crew.look_after()
        self.tally.look_after()
        self._let_vote()
        self.witness.look()
        self.watcher.look()

    def _let_vote(self) -> None:
        """A few ballots now and then: recorders and tally shall have time to spare for strikes and starts, on two cores."""
        if time.monotonic() >= self._votes_at_s:
            self._votes_at_s = time.monotonic() + VOTE_EVERY_S
            self.voting.burst(VOTES_AT_ONCE)
        self.voting._producer.poll(0)

    def wait_for(self, condition: Callable[[], object], what: str, within_s: float = WITHIN_S) -> None:
        try:
            super().wait_for(condition, what, within_s)
        except StuckError as stuck:
            raise StuckError(f"{stuck}; {self.watcher.summary()}{self.tally.said()}") from None

    def await_counting(self) -> None:
        """Wait until the tally, whoever it is now, has shown something new. For as long as people vote."""
        version = self.watcher.version
        self.wait_for(lambda: self.watcher.version > version, "votes are counted")

    def turn_the_page(self) -> None:
        """What has been decided and published is no matter of the rounds to come."""
        self.witness.turn_the_page()
        self._cast_before = len(self.voting.cast)

    def await_recovery(self, since: float) -> float:
        """Wait until all votes are shown that are in the ledger now; how long it took."""
        self.wait_for(self.ledger.advance, "PostgreSQL answers")
        owed = self.ledger.votes
        self.wait_for(lambda: self.watcher.votes >= owed, f"{owed:,} votes are shown")
        return time.time() - since

    def come_to_rest(self) -> None:
        """Nobody votes any more, and nothing is on its way."""
        self.voting.end()
        self.wait_for(lambda: self.voting.is_delivered, "all ballots are cast")
        self.wait_for(lambda: len(self.witness.since.ballots) == len(self.voting.cast) - self._cast_before, "all ballots are seen")
        self.wait_for(lambda: not self.witness.undecided, "all ballots are decided and published")
        self.wait_for(self.ledger.advance, "PostgreSQL answers")
        self.wait_for(lambda: self.watcher.votes >= self.ledger.votes, "all votes are shown")
        with suppress(
            StuckError
        ):  # a commit is answered before its marks lie in every topic; what still differs then is told by the comparison
            self.wait_for(lambda: not topics_differ(self.ledger, self.watcher), "all topics say so", MARKS_WITHIN_S)
        self.wait_for(lambda: not self.watcher.alarms.differ(self.ledger.connection), "the alerts that are told are those that are kept")
        with closing(plain_consumer(self.ground.kafka)) as reader:
            ends = {partition: bounds_of(reader, VOTES, partition)[1] for partition in range(PARTITIONS)}
        self.wait_for(lambda: dict(self.ledger.connection.execute(COUNTED).fetchall()) == ends, "marks behind the last votes are passed")

    def await_registered(self) -> None:
        """Wait until the tally knows who is registered: it looks when it begins, and then every ten seconds."""
        self.wait_for(lambda: self.ledger.connection.execute(KNOWN, (ELECTION,)).fetchone() == (True,), "all who are registered are known")

    @property
    def checkpoints(self) -> Path:
        return self.ground.directory / "checkpoints"


@contextmanager
def opened(ground: Ground, seed: int) -> Iterator[Scene]:
    with ExitStack() as exits:
        beneath = exits.enter_context(recording.opened(ground, seed))
        to_broker = exits.enter_context(closing(Proxy(ground.port_of(BROKER), Kafka())))
        to_postgres = exits.enter_context(closing(Proxy(ground.port_of(POSTGRES), Postgres())))
        ledger = exits.enter_context(closing(Ledger(ground.database_url)))
        watcher = exits.enter_context(closing(Watcher(ground.kafka, ledger)))
        environment = _environment(ground, to_broker.port, to_postgres.port)
        tally = exits.enter_context(closing(Place(environment, ground.directory, Random(seed))))
        what_is_beneath = {one.name: getattr(beneath, one.name) for one in fields(beneath)}
        yield Scene(**what_is_beneath, tally=tally, ledger=ledger, watcher=watcher, to_broker=to_broker, to_postgres=to_postgres)


def _environment(ground: Ground, broker_port: int, postgres_port: int) -> dict[str, str]:
    database = urlsplit(ground.database_url)
    through_proxy = database._replace(netloc=database.netloc.replace(f":{database.port}", f":{postgres_port}"))
    settings = {
        "kafka_bootstrap_servers": f"{LOOPBACK}:{broker_port}",
        "database_url": through_proxy.geturl(),
        "data_dir": str(ground.directory),
        "spark_master": "local[1]",
        "spark_memory_mb": str(MEMORY_MB),
        "tally_interval_ms": str(INTERVAL_MS),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    modules = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return inherited | modules | {PREFIX + name.upper(): value for name, value in settings.items()}
