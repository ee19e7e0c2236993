"""Real services for tests: started once, with a clean database and clean topics for whoever asks."""

import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from livetally.adapters.postgres import connect, migrate
from livetally.core.wire import Topic
from livetally.embedded import placing
from livetally.embedded.services import DATABASE, KAFKA, Services
from livetally.settings import Settings
from waiting import WITHIN_S, wait_for

__all__ = ["Servers", "bare_postgres", "clean_database", "free_port", "kafka_answers", "recreate", "started", "topic_ids", "wait_for"]

_number = count(1)


@dataclass(frozen=True)
class Servers:
    kafka: str
    database_url: str
    admin: AdminClient

    def url_of(self, database: str) -> str:
        return self.database_url.rsplit("/", 1)[0] + "/" + database


@contextmanager
def started() -> Iterator[Servers]:
    """Kafka and PostgreSQL, and a database that others are made after."""
    with _services(KAFKA, DATABASE) as services:
        servers = Servers(
            services.kafka_bootstrap_servers,
            services.database_url,
            AdminClient({"bootstrap.servers": services.kafka_bootstrap_servers, "log_level": 0}),
        )
        with closing(psycopg.connect(servers.url_of("postgres"), autocommit=True)) as connection:
            connection.execute("CREATE DATABASE pattern")
        with closing(connect(servers.url_of("pattern"), "tests", as_owner=True)) as connection:
            migrate(connection)
        yield servers


@contextmanager
def bare_postgres() -> Iterator[str]:
    """The administrator's URL of a PostgreSQL of its own, in which nobody has migrated anything yet."""
    with _services(DATABASE) as services:
        yield services.database_url


@contextmanager
def _services(*needs: str) -> Iterator[Services]:
    """With their own data, which go when they go."""
    with tempfile.TemporaryDirectory(prefix="livetally-tests-") as directory:
        said: list[str] = []
        settings = Settings(data_dir=Path(directory), kafka_port=free_port(), postgres_port=free_port(), kafka_bootstrap_servers=None)
        try:
            with Services(settings, kafka_probe=kafka_answers, on_event=said.append, needs=frozenset(needs)) as services:
                yield services
        finally:
            placing.remove(Path(directory))


def kafka_answers(bootstrap_servers: str) -> bool:
    try:
        return bool(AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0}).list_topics(timeout=1).brokers)
    except KafkaException:
        return False


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def clean_database(servers: Servers) -> Iterator[str]:
    """The URL of a new database with our schema."""
    name = f"test_{next(_number)}"
    with closing(psycopg.connect(servers.url_of("postgres"), autocommit=True)) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE pattern")
        yield servers.url_of(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def recreate(admin: AdminClient, wanted: Sequence[Topic]) -> None:
    """Make topics empty: delete them, create them again, and wait until the broker shows the new ones."""
    before = topic_ids(admin, [topic.name for topic in wanted])
    if before:
        for deleted in admin.delete_topics(list(before)).values():
            deleted.result(WITHIN_S)
    new = {topic.name: NewTopic(topic.name, topic.partitions, 1, config=topic.config()) for topic in wanted}

    def created() -> bool:
        missing = topic_ids(admin, list(new)).items()
        done = {name for name, topic_id in missing if before.get(name) != topic_id}
        if todo := [new[name] for name in new if name not in done]:
            for future in admin.create_topics(todo).values():
                if (error := future.exception(WITHIN_S)) is not None:
                    assert isinstance(error, KafkaException)
                    assert error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS, error
        return not todo

    wait_for(created, "topics created again")


def topic_ids(admin: AdminClient, names: Sequence[str]) -> dict[str, str]:
    """Ids of those of the topics that exist and can be used."""
    found = {}
    for name, future in admin.describe_topics(TopicCollection(list(names))).items():
        try:
            described = future.result(WITHIN_S)
        except KafkaException:
            continue
        if all(partition.leader is not None and partition.leader.id >= 0 for partition in described.partitions):
            found[name] = str(described.topic_id)
    return found
