"""A clean pipeline on real services for each test, the stages that work on it, and all that goes with it."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, cast

from confluent_kafka import Producer
from pydantic import SecretStr
from pyspark import SparkContext
from pyspark.sql import SparkSession

from electorate import CANDIDATES, ELECTION, LONG_AGO, add_election, add_voters, ballot, candidate, cast_of, casting, voter
from ledger_rows import tamper
from livetally.adapters.postgres import Connection, connect
from livetally.core.wire import BALLOTS, REJECTED, VOTES, topics
from livetally.embedded import datadir
from livetally.embedded.jars import fetch, read_lock
from livetally.embedded.java import make_java_home
from livetally.record.record import record
from livetally.settings import Settings, cache_dir_of
from livetally.tally.points import Reached, unwatched
from livetally.tally.session import open_session
from livetally.tally.tally import _tally_while_services_answer
from outsider import Seen, await_settled, bounds_of, plain_consumer, read_to_end, seen
from servers import Servers, clean_database, free_port, kafka_answers, recreate, topic_ids
from waiting import WITHIN_S, wait_for

__all__ = [  # what tests say about a pipeline, wherever it stands
    "CANDIDATES",
    "ELECTION",
    "LONG_AGO",
    "PARTITIONS",
    "WITHIN_S",
    "Pipeline",
    "Seen",
    "Servers",
    "Spark",
    "Worker",
    "add_election",
    "add_voters",
    "await_settled",
    "await_tallied",
    "ballot",
    "bounds_of",
    "candidate",
    "cast_of",
    "casting",
    "clean_database",
    "clean_pipeline",
    "free_port",
    "kafka_answers",
    "plain_consumer",
    "read_to_end",
    "recording",
    "recreate",
    "seen",
    "tally_all",
    "tallying",
    "topic_ids",
    "voter",
    "wait_for",
]

SOURCE = Path(__file__).parent.parent / "src"
PARTITIONS = 3


@dataclass
class Pipeline:
    """Empty topics and an empty database, both with our schema."""

    servers: Servers
    database_url: str
    data_dir: Path
    _exit: ExitStack = field(default_factory=ExitStack)

    @property
    def kafka(self) -> str:
        return self.servers.kafka

    @property
    def settings(self) -> Settings:
        """As a stage would read them that is pointed at these services."""
        return Settings(
            kafka_bootstrap_servers=self.kafka,
            database_url=SecretStr(self.database_url),
            data_dir=self.data_dir,
            spark_master="local[1]",
            spark_memory_mb=512,
            ballot_partitions=PARTITIONS,
            tally_interval_ms=50,
        )

    def environment(self) -> dict[str, str]:
        """For a stage as a process of its own."""
        return os.environ | {
            "PYTHONPATH": str(SOURCE),
            "LIVETALLY_KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "LIVETALLY_DATABASE_URL": self.database_url,
            "LIVETALLY_DATA_DIR": str(self.data_dir),
            "LIVETALLY_BALLOT_PARTITIONS": str(PARTITIONS),
            "LIVETALLY_SPARK_MASTER": "local[1]",
            "LIVETALLY_SPARK_MEMORY_MB": "512",
            "LIVETALLY_TALLY_INTERVAL_MS": "50",
        }

    @property
    def connection(self) -> Connection:
        if "_connection" not in self.__dict__:
            self._connection = self._exit.enter_context(closing(connect(self.database_url, "tests", bounded=False, as_owner=True)))
        return self._connection

    def sql(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []

    def tamper(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> None:
        """Change the ledger with the owner's rights, past the trigger that refuses it."""
        tamper(self.connection, statement, parameters)

    def hold_election(self, voters: int = 10) -> None:
        """An open election with three candidates and people v0, v1, …"""
        add_election(self.connection)
        add_voters(self.connection, range(voters))

    def cast(self, *values: bytes | None, key: bytes | None = None, partition: int = -1, topic: str = BALLOTS) -> None:
        """Put bytes onto a topic; by default onto that of the ballots, without a key, anywhere."""
        self.send(topic, [(key, value, partition, {}) for value in values])

    def cast_votes(self, numbers: Sequence[int], candidate_id: str | None = None, election_id: str = ELECTION) -> None:
        """One ballot of each of these people, keyed, for a candidate or for everybody's own."""
        self.send(
            BALLOTS,
            [
                (f"v{number}".encode(), ballot(f"v{number}", candidate_id or CANDIDATES[number % 3], election_id), number % PARTITIONS, {})
                for number in numbers
            ],
        )

    def send(self, topic: str, messages: Sequence[tuple[bytes | None, bytes | None, int, dict[str, bytes]]]) -> None:
        producer = Producer({"bootstrap.servers": self.kafka, "message.max.bytes": 2_000_000, "enable.idempotence": True, "log_level": 0})
        faults: list[object] = []
        for key, value, partition, headers in messages:
            producer.produce(
                topic,
                value,
                key,
                partition,
                headers=cast("list[tuple[str, str | bytes | None]]", list(headers.items())),
                on_delivery=lambda error, _: faults.append(error) if error else None,
            )
        assert producer.flush(WITHIN_S) == 0
        assert faults == []

    def read(self, topic: str) -> list[Seen]:
        """Every committed message, by partition and offset."""
        return sorted(read_to_end(self.kafka, topic))

    def end(self, topic: str) -> int:
        """Offsets of a topic in all, control records among them."""
        with closing(plain_consumer(self.kafka)) as consumer:
            partitions = consumer.list_topics(topic, 10).topics[topic].partitions
            return sum(bounds_of(consumer, topic, partition)[1] for partition in partitions)

    def decided(self) -> int:
        return int(self.sql("SELECT coalesce(sum(next_offset), 0) FROM recorded")[0][0])

    def record_all(self) -> None:
        """Record until every ballot that lies there now is decided and published."""
        with recording(self):
            self.await_decided()

    def record_all_published(self) -> None:
        """The same after a crash: what is decided already is waited for until it is published."""
        cast_so_far = self.end(BALLOTS)
        with recording(self):
            wait_for(lambda: len(self.read(VOTES)) + len(self.read(REJECTED)) >= cast_so_far, "all outcomes published")

    def await_generation(self, tally: "Worker") -> None:
        """Until a tally has begun to count."""

        def has_begun() -> bool:
            assert tally.is_alive, tally.fault
            return bool(self.sql("TABLE tally_generations"))

        wait_for(has_begun, "the tally counts")

    def await_decided(self) -> None:
        cast_so_far = self.end(BALLOTS)
        wait_for(lambda: self.decided() >= cast_so_far, "all ballots decided")

    def votes(self) -> list[tuple[Any, ...]]:
        return self.sql(
            "SELECT election_id, voter_id, candidate_id, ballot_partition, ballot_offset FROM votes ORDER BY election_id, voter_id"
        )

    def close(self) -> None:
        self._exit.close()


@contextmanager
def clean_pipeline(servers: Servers, data_dir: Path) -> Iterator[Pipeline]:
    datadir.prepare(data_dir)
    recreate(servers.admin, topics(PARTITIONS))
    with clean_database(servers) as url:
        pipeline = Pipeline(servers, url, data_dir)
        with closing(pipeline):
            yield pipeline


class Worker:
    """A stage in a thread of this process; what it raises is raised again by whoever waits for it."""

    def __init__(self, work: Callable[[threading.Event], object]) -> None:
        self._stop = threading.Event()
        self.fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive(), "told to stop, it did not"
        if self.fault is not None:
            raise self.fault

    def wait(self) -> None:
        """Until it ends by itself, which it does only by failing."""
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive(), "it goes on"
        if self.fault is not None:
            raise self.fault

    def _run(self, work: Callable[[threading.Event], object]) -> None:
        try:
            work(self._stop)
        except BaseException as fault:  # noqa: BLE001 (raised again in the test)
            self.fault = fault


@contextmanager
def recording(pipeline: Pipeline, ballots_max: int = 1000) -> Iterator[Worker]:
    worker = Worker(lambda stop: record(pipeline.kafka, pipeline.database_url, ballots_max, stop))
    try:
        yield worker
    finally:
        worker.stop()


class Spark:
    """Sessions in a JVM that has Kafka's connector: one that was started without it, by somebody else's tests, is ended first."""

    gateways: ClassVar[list[object]] = []

    def __init__(self, directory: Path) -> None:
        self.java_home = make_java_home(directory / "java")
        self.jars = fetch({"spark": read_lock()["spark"]}, cache_dir_of(Settings()))["spark"]
        gateway: Any = SparkContext._gateway
        if gateway is not None and gateway not in self.gateways:
            if (session := SparkSession.getActiveSession()) is not None:
                session.stop()
            gateway.shutdown()
            gateway.proc.stdin.close()
            SparkContext._gateway = SparkContext._jvm = None

    def session(self, settings: Settings) -> SparkSession:
        session = open_session(settings, self.java_home, self.jars)
        self.gateways.append(SparkContext._gateway)
        return session

    def close(self) -> None:
        if (session := SparkSession.getActiveSession()) is not None:
            session.stop()


@contextmanager
def tallying(pipeline: Pipeline, spark: Spark, reached: Reached = unwatched, votes_max: int | None = None) -> Iterator[Worker]:
    """The tally as a stage runs it, in a session that outlives it; a service that goes away is a failure here. `votes_max`: of a batch."""
    settings = pipeline.settings if votes_max is None else pipeline.settings.model_copy(update={"tally_batch_votes_max": votes_max})
    session = spark.session(settings)
    worker = Worker(
        lambda stop: _tally_while_services_answer(session, settings, pipeline.kafka, pipeline.database_url, stop, reached=reached)
    )
    try:
        yield worker
    finally:
        worker.stop()


def await_tallied(pipeline: Pipeline, worker: Worker) -> None:
    """Until the shown count has passed every vote."""
    with closing(plain_consumer(pipeline.kafka)) as consumer:
        partitions = set(range(PARTITIONS))
        await_settled(pipeline.kafka, consumer, VOTES, partitions)
        ends = {partition: bounds_of(consumer, VOTES, partition)[1] for partition in partitions}

    def passed() -> bool:
        assert worker.is_alive, worker.fault
        rows = pipeline.sql(
            "SELECT votes_partition, next_offset FROM tally_positions JOIN tally_generations USING (generation) WHERE state = 'shown'"
        )
        return all(dict(rows).get(partition, 0) >= end for partition, end in ends.items())

    wait_for(passed, "all votes tallied")


def tally_all(pipeline: Pipeline, spark: Spark) -> None:
    with tallying(pipeline, spark) as worker:
        await_tallied(pipeline, worker)
