"""The stand that a benchmark runs on: Kafka and PostgreSQL of its own, in an empty directory that is deleted afterwards."""

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from harness.database import owner
from harness.saying import say
from livetally.adapters.kafka import TopicPartition, consumer
from livetally.adapters.reading import partitions_of, patiently
from livetally.adapters.topics import Topics
from livetally.commands.backing import Backing, kafka_answers, prepare, prepare_database
from livetally.core.errors import ServiceError, UsageError
from livetally.core.wire import BALLOTS, REJECTED, VOTES, Topic, topics
from livetally.embedded import placing
from livetally.embedded.services import DATABASE, KAFKA, Services
from livetally.record.intake import GROUP
from livetally.settings import Settings, environment_with

OUTPUTS = (VOTES, REJECTED)
DELETED_WITHIN_S = 60.0
RECORDING = frozenset({KAFKA, DATABASE})  # what *record* needs; EVERYTHING has Spark besides, frozenset({DATABASE}) no broker
FILLED = "filled"  # the name of the copies that contenders work on


class Stand:
    """The database that was registered in stays as it is; every contender works on a copy of it, and finds empty outputs."""

    def __init__(self, backing: Backing) -> None:
        self.backing = backing
        self.settings = backing.settings
        self.kafka = backing.kafka_bootstrap_servers
        self.roll_url = backing.database_url
        self.data_dir = backing.settings.data_dir.resolve()

    @property
    def kafka_logs(self) -> Path:
        return self.data_dir / "kafka" / "data"

    @property
    def database_directory(self) -> Path:
        return placing.database_directory(self.data_dir)

    def environment(self, database_url: str) -> dict[str, str]:
        """For a stage or a peer as a process of its own."""
        return environment_with(kafka_bootstrap_servers=self.kafka, database_url=database_url, data_dir=str(self.data_dir))

    @contextmanager
    def copy(self) -> Iterator[str]:
        """The URL of a copy of what has been registered, with an empty ledger."""
        roll = self.roll_url.rsplit("/", 1)[1]
        with owner(self._url_of("postgres")) as connection:
            connection.execute(f'CREATE DATABASE {FILLED} TEMPLATE "{roll}" STRATEGY file_copy')
        try:
            yield self._url_of(FILLED)
        finally:
            with owner(self._url_of("postgres")) as connection:
                connection.execute(f"DROP DATABASE {FILLED} WITH (FORCE)")

    def settle(self, table: str) -> None:
        """What autovacuum would do in the minute after registration, so that it does not happen to one contender only; then a checkpoint."""
        with owner(self.roll_url) as connection:
            connection.execute(f'VACUUM (ANALYZE) "{table}"')
            connection.execute("CHECKPOINT")

    def empty_outputs(self) -> None:
        """Delete what came out of *record*, and its position, as if it had never run."""
        self.make_anew([topic for topic in topics(self.settings.ballot_partitions) if topic.name in OUTPUTS])
        with closing(consumer(self.kafka, GROUP)) as client:
            starts = [TopicPartition(BALLOTS, partition, 0) for partition in partitions_of(client, BALLOTS)]
            patiently("that it takes a position back", lambda: client.commit(offsets=starts, asynchronous=False))

    def make_anew(self, wanted: Iterable[Topic]) -> None:
        """Empty topics, whether there were any of these names or not."""
        admin = Topics(self.kafka)
        for topic in wanted:
            admin.delete(topic.name)
            deadline = time.monotonic() + DELETED_WITHIN_S
            while not admin.create(topic, self.settings.replication_factor):
                if time.monotonic() > deadline:
                    raise ServiceError(f"Kafka has not deleted {topic.name} within {DELETED_WITHIN_S:.0f} s.")
                time.sleep(0.05)

    def _url_of(self, database: str) -> str:
        return f"{self.roll_url.rsplit('/', 1)[0]}/{database}"


@contextmanager
def stand(parent: Path | None, bytes_needed: int, needs: frozenset[str]) -> Iterator[Stand]:
    """Start services in an empty directory below `parent` (default: where temporary files go); stop and delete all at the end."""
    directory = Path(tempfile.mkdtemp(prefix="livetally-bench-", dir=parent))
    try:
        free = shutil.disk_usage(directory).free
        if free < bytes_needed:
            raise UsageError(
                f"This benchmark writes up to {bytes_needed / 1e9:.1f} GB, and {directory.parent} has {free / 1e9:.1f} GB free. "
                "Name another place with --dir, or choose smaller sizes."
            )
        settings = Settings(data_dir=directory / "data", kafka_bootstrap_servers=None, database_url=None)
        (directory / "data").mkdir()
        try:
            with Services(settings, kafka_probe=kafka_answers, on_event=say, needs=needs) as services:
                backing = Backing(settings, services)
                if KAFKA in needs:
                    prepare(backing)
                else:
                    prepare_database(backing.database_url)
                yield Stand(backing)
        finally:
            placing.remove(settings.data_dir)  # as root the database lies elsewhere
    finally:
        shutil.rmtree(directory)
