"""The services under fire: a broker and a PostgreSQL of our own, under livetally's supervisor, which brings them back."""

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from electorate import add_election, add_voters
from faults.ballots import CLOSED, CLOSED_CANDIDATE, ELSEWHERE, ELSEWHERE_CANDIDATE, MEMBERS, MEMBERS_CANDIDATE
from livetally.adapters.postgres import Connection, migrate
from livetally.core.wire import topics
from livetally.embedded import placing, state
from livetally.embedded.restarts import Restarts
from livetally.embedded.services import DATABASE, KAFKA, Services
from livetally.settings import Settings
from outsider import bounds_of, plain_consumer
from pipeline import PARTITIONS
from rolls import for_list, for_states
from servers import free_port, kafka_answers, recreate, wait_for

BROKER, POSTGRES = "kafka", "postgres"  # the supervisor's names


class Ground:
    """Where it all happens. `services.tick` must be called many times a second."""

    def __init__(self, services: Services, directory: Path) -> None:
        self._services = services
        self.directory = directory
        self.kafka = services.kafka_bootstrap_servers
        self.database_url = services.database_url
        self.admin = AdminClient({"bootstrap.servers": self.kafka, "reconnect.backoff.max.ms": 500, "log_level": 0})

    def look_after(self) -> None:
        """What has died is started again; for each death as if it were the first, or the supervisor would give up after a few."""
        for one in self._services._supervisor._all:
            one.restarts = Restarts()
        self._services.tick()

    def connection(self) -> Connection:
        return looking(self.database_url)

    def register(self, numbers: range) -> None:
        with closing(self.connection()) as connection:
            add_voters(connection, numbers)

    def port_of(self, service: str) -> int:
        return int((urlsplit(self.database_url).port or 0) if service == POSTGRES else self.kafka.rsplit(":", 1)[1])

    def pid_of(self, service: str) -> int | None:
        """None while it is away."""
        found = state.load(self.directory)
        return next((one.pid for one in (found.processes if found else ()) if one.name == service), None)

    def send(self, service: str, number: signal.Signals) -> None:
        pid = self.pid_of(service)
        assert pid is not None, f"{service} does not run"
        os.kill(pid, number)

    def answers(self, service: str) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port_of(service)), timeout=0.2).close()
        except OSError:
            return False
        return kafka_answers(self.kafka) if service == BROKER else self._postgres_answers()

    def has_leaders(self) -> bool:
        """A broker is named the leader of a new partition a moment before it behaves like one, and what is sent in between may be lost."""
        with closing(plain_consumer(self.kafka)) as reader:
            try:
                for topic in topics(PARTITIONS):
                    for partition in range(topic.partitions):
                        bounds_of(reader, topic.name, partition)
            except KafkaException:
                return False
        return True

    def _postgres_answers(self) -> bool:
        try:
            with closing(psycopg.connect(self.database_url, connect_timeout=2)) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.Error:
            return False


def looking(database_url: str) -> Connection:
    """A connection of a stranger who may do everything."""
    return psycopg.connect(database_url, autocommit=True, options="-c timezone=UTC")


def add_elections(connection: Connection) -> None:
    """An open election, one that closed long ago, and two in which nobody here may vote."""
    add_election(connection)
    now = datetime.now(UTC)
    add_election(connection, CLOSED, [CLOSED_CANDIDATE], now - timedelta(days=2), now - timedelta(days=1))
    add_election(connection, MEMBERS, [MEMBERS_CANDIDATE])
    for_list(connection, MEMBERS)
    add_election(connection, ELSEWHERE, [ELSEWHERE_CANDIDATE])
    for_states(connection, ELSEWHERE, ["Nowhere"])


@contextmanager
def prepared() -> Iterator[Ground]:
    """Services with empty topics, and the elections."""
    with tempfile.TemporaryDirectory(prefix="livetally-faults-") as name:
        directory = Path(name)
        settings = Settings(
            data_dir=directory, kafka_port=free_port(), postgres_port=free_port(), kafka_bootstrap_servers=None, database_url=None
        )
        try:
            with Services(settings, kafka_probe=kafka_answers, on_event=lambda _: None, needs=frozenset({KAFKA, DATABASE})) as services:
                ground = Ground(services, directory)
                recreate(ground.admin, topics(PARTITIONS))
                wait_for(ground.has_leaders, "every partition can be written to")
                with closing(ground.connection()) as connection:
                    migrate(connection)
                    add_elections(connection)
                yield ground
        finally:
            placing.remove(directory)
