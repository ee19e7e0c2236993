"""A clean pipeline on real services for each test, and plain clients that look at it from outside.

The services are started once for a whole test run, whoever asks for them first. Nothing here uses our own Kafka clients:
what they get wrong must not hide itself.
"""

import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, cast

import psycopg
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from pydantic import SecretStr
from pyspark import SparkContext
from pyspark.sql import SparkSession

from livetally.adapters.postgres import Connection, connect, migrate
from livetally.adapters.roll import Roll
from livetally.core.ballots import Ballot
from livetally.core.elections import Candidate, Election, Voter
from livetally.core.verdicts import Cast
from livetally.core.wire import BALLOTS, REJECTED, VOTES, Topic, topics, voter_message
from livetally.embedded import datadir, placing
from livetally.embedded.jars import fetch, read_lock
from livetally.embedded.java import make_java_home
from livetally.embedded.services import DATABASE, KAFKA, Services
from livetally.record.record import record
from livetally.settings import Settings, cache_dir_of
from livetally.tally.session import open_session
from livetally.tally.tally import _tally_while_services_answer

SOURCE = Path(__file__).parent.parent / "src"
PARTITIONS = 3
WITHIN_S = 60.0  # of a machine that is busy with other tests
ELECTION = "e"
CANDIDATES = ("c0", "c1", "c2")
LONG_AGO = timedelta(hours=1)

_number = count(1)


@dataclass(frozen=True)
class Servers:
    kafka: str
    database_url: str
    admin: AdminClient

    def url_of(self, database: str) -> str:
        return self.database_url.rsplit("/", 1)[0] + "/" + database


class _Shared:
    """The servers of this process: started for the first who asks, ended when the last has gone."""

    def __init__(self) -> None:
        self._users = 0
        self._exit = ExitStack()
        self._servers: Servers | None = None

    @contextmanager
    def use(self) -> Iterator[Servers]:
        if self._servers is None:
            self._servers = self._exit.enter_context(_started())
        self._users += 1
        try:
            yield self._servers
        finally:
            self._users -= 1
            if not self._users:
                self._servers = None
                self._exit.close()


SHARED = _Shared()


@contextmanager
def _started() -> Iterator[Servers]:
    with tempfile.TemporaryDirectory(prefix="livetally-tests-") as directory:
        said: list[str] = []
        settings = Settings(data_dir=Path(directory), kafka_port=free_port(), postgres_port=free_port(), kafka_bootstrap_servers=None)
        try:
            with Services(settings, kafka_probe=kafka_answers, on_event=said.append, needs=frozenset({KAFKA, DATABASE})) as services:
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


def wait_for(condition: Callable[[], object], what: str, within_s: float = WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        threading.Event().wait(0.02)


class Seen(NamedTuple):
    """A message as anybody would read it."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]

    @property
    def ballot(self) -> tuple[int, int]:
        return int(self.headers["ballot_partition"]), int(self.headers["ballot_offset"])

    @property
    def fields(self) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(self.value or b"{}"))


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


def voter(number: int) -> Voter:
    """Somebody; people differ in everything that is counted by."""
    return Voter(
        voter_id=f"v{number}",
        voter_name=f"Voter Number {number}",
        date_of_birth=f"{1940 + number * 7 % 65}-0{1 + number % 9}-1{number % 10}",
        gender=("female", "male")[number % 2],
        nationality="British",
        registration_number=f"R-{number}",
        address_street=f"{number} High Street",
        address_city=f"City {number % 5}",
        address_state=f"State {number % 3}",
        address_country="United Kingdom",
        address_postcode=f"AB{number}",
        email=f"v{number}@example.org",
        phone_number="01",
        cell_number="07",
        picture="",
        registered_age=18 + number % 60,
    )


def candidate(candidate_id: str, election_id: str = ELECTION) -> Candidate:
    return Candidate(candidate_id, f"Name of {candidate_id}", f"Party of {candidate_id}", "A life.", "A plan.", "data:,", election_id)


def ballot(voter_id: str, candidate_id: str = "c0", election_id: str = ELECTION) -> bytes:
    return json.dumps({"election_id": election_id, "voter_id": voter_id, "candidate_id": candidate_id, "cast_at": "whenever"}).encode()


def casting(partition: int, offset: int, content: Any, appended_at: datetime | None = None) -> Cast:
    """A ballot as *record* hands it to the ledger."""
    moment = appended_at or datetime.now(UTC)
    return Cast(partition, offset, round(moment.timestamp() * 1000), content)


def cast_of(partition: int, offset: int, voter_id: str, candidate_id: str = "c0", election_id: str = ELECTION) -> Cast:
    return casting(partition, offset, Ballot(election_id, voter_id, candidate_id))


def add_election(
    connection: Connection,
    election_id: str = ELECTION,
    candidates: Sequence[str] = CANDIDATES,
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
) -> None:
    """An election that opened an hour ago, unless told otherwise, with candidates listed before."""
    opened = opens_at or datetime.now(UTC) - LONG_AGO
    roll = Roll(connection)
    with roll.changing():
        roll.add_election(Election(election_id, f"Election {election_id}", "simulated", "open", 42, opened, closes_at))
        roll.add_candidates([candidate(one, election_id) for one in candidates])
        connection.execute("UPDATE candidates SET listed_at = %s WHERE election_id = %s", (opened - LONG_AGO, election_id))


def add_voters(connection: Connection, numbers: Sequence[int], registered_at: datetime | None = None) -> None:
    """People v0, v1, … who registered long ago, unless told otherwise."""
    people = [voter(number) for number in numbers]
    roll = Roll(connection)
    with connection.transaction():
        roll.store_voters("tests", 0, next(_number) * 1_000_000, people, [voter_message(one) for one in people])
        moment = registered_at or datetime.now(UTC) - 3 * LONG_AGO
        connection.execute("UPDATE voters SET registered_at = %s WHERE voter_id = ANY (%s)", (moment, [one.voter_id for one in people]))


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
        producer = Producer({"bootstrap.servers": self.kafka, "message.max.bytes": 2_000_000, "max.in.flight": 1, "log_level": 0})
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


def bounds_of(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    found = consumer.get_watermark_offsets(TopicPartition(topic, partition), WITHIN_S)
    assert found is not None
    return found


def plain_consumer(bootstrap_servers: str, isolation: str = "read_committed", group: str = "a stranger") -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "isolation.level": isolation,
            "fetch.wait.max.ms": 20,
            "log_level": 0,
        }
    )


def read_to_end(bootstrap_servers: str, topic: str) -> Iterator[Seen]:
    with closing(plain_consumer(bootstrap_servers)) as consumer:
        waiting = set(consumer.list_topics(topic, 10).topics[topic].partitions)
        await_settled(bootstrap_servers, consumer, topic, waiting)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in waiting])
        deadline = time.monotonic() + WITHIN_S
        while waiting:
            assert time.monotonic() < deadline, f"{topic} has no end"
            message = consumer.poll(1.0)
            if message is None:
                continue
            if (error := message.error()) is None:
                yield seen(message)
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                waiting.discard(message.partition() or 0)


def await_settled(bootstrap_servers: str, consumer: Consumer, topic: str, partitions: set[int]) -> None:
    """A commit is answered a moment before its marks lie in every partition, and only then are its messages to be read."""
    with closing(plain_consumer(bootstrap_servers, "read_uncommitted")) as everything:
        ends = {partition: bounds_of(everything, topic, partition)[1] for partition in partitions}
    for partition, end in ends.items():
        wait_for(lambda at=partition, end=end: bounds_of(consumer, topic, at)[1] >= end, f"no transaction is open on {topic}")  # type: ignore[misc]


def seen(message: Message) -> Seen:
    headers = cast("list[tuple[str, bytes]]", message.headers() or [])
    return Seen(message.partition() or 0, message.offset() or 0, message.timestamp()[1], message.key(), message.value(), dict(headers))


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
def tallying(pipeline: Pipeline, spark: Spark) -> Iterator[Worker]:
    """The tally as a stage runs it, in a session that outlives it; a service that goes away is a failure here."""
    settings, session = pipeline.settings, spark.session(pipeline.settings)
    worker = Worker(lambda stop: _tally_while_services_answer(session, settings, pipeline.kafka, pipeline.database_url, stop))
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
