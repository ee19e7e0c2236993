"""All that one supervising command needs: services of its own where the settings name none, and stages beside them.

    with Services(settings, kafka_probe=adapters.kafka.answers, on_event=say) as services:
        services.spawn("record", [sys.executable, "-m", "livetally", "record"], env)
        while not services.has_finished("record"):
            services.tick()
            ...

On the way in: takes the data directory, ends what a killed supervisor left there, fetches JARs, starts broker and database side by
side and returns when both answer. On the way out, however that comes about: ends stages, broker and database, in this order.
Ctrl+C and SIGTERM raise KeyboardInterrupt inside the block; during the way out a second one hurries.

A service that the settings name is used, not started. Where nothing has to be started, the data directory is taken only if
`is_exclusive` asks for it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from livetally.core.errors import ServiceError
from livetally.embedded import datadir, jars, leftovers, placing
from livetally.embedded.broker import Broker
from livetally.embedded.cluster import SparkMaster, SparkWorker
from livetally.embedded.database import Database
from livetally.embedded.datadir import DataDir
from livetally.embedded.interrupts import Interrupts
from livetally.embedded.java import make_java_home
from livetally.embedded.logs import RotatingLog
from livetally.embedded.ports import Ports
from livetally.embedded.supervisor import Stage, Supervisor
from livetally.settings import Settings, cache_dir_of

KAFKA, DATABASE, SPARK = "kafka", "database", "spark"
EVERYTHING = frozenset({KAFKA, DATABASE, SPARK})

CONTROLLER_PORT = 9093
SPARK_MASTER_PORT, SPARK_WEB_PORT = 7077, 8080


class Services:
    """See the module. `needs` names what is wanted at all; `kafka_probe` sends a metadata request and says whether it was answered."""

    def __init__(
        self,
        settings: Settings,
        *,
        kafka_probe: Callable[[str], bool],
        on_event: Callable[[str], None],
        needs: frozenset[str] = EVERYTHING,
        spark_workers: int = 0,
        is_exclusive: bool = False,
    ) -> None:
        self._settings = settings
        self._kafka_probe = kafka_probe
        self._on_event = on_event
        self._spark_workers = spark_workers
        self._needs = needs
        self._starts_kafka = KAFKA in needs and settings.kafka_bootstrap_servers is None
        self._starts_database = DATABASE in needs and settings.database_url is None
        self._takes_data_dir = is_exclusive or self._starts_kafka or self._starts_database or spark_workers > 0
        self._exit = ExitStack()
        self.data_dir = settings.data_dir.resolve()
        self.kafka_bootstrap_servers = settings.kafka_bootstrap_servers or ""
        self.database_url = settings.database_url.get_secret_value() if settings.database_url else ""
        self.spark_master = settings.spark_master
        self.java_home = Path()
        self.spark_jars: list[Path] = []

    def __enter__(self) -> Self:
        with ExitStack() as on_failure:
            on_failure.callback(self._exit.close)
            self._interrupts = self._exit.enter_context(Interrupts())
            self._start()
            on_failure.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def spawn(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> Stage:
        """Starts a stage and looks after it from now on. `env` None: this process' own."""
        stage = Stage(name, self._log(name), argv, env)
        self._supervisor.start(stage)
        return stage

    def tick(self) -> None:
        """Call it several times a second: restarts what has died. Raises ServiceError when something has failed for good."""
        self._supervisor.tick()

    def has_finished(self, name: str) -> bool:
        return self._supervisor.has_finished(name)

    def stop_stages(self, *names: str) -> None:
        """Ends these stages: each finishes its batch, up to a deadline. They are not started again."""
        self._supervisor.stop(names)

    def stop(self) -> None:
        """Ends everything now; leaving the block does the same."""
        self._exit.close()

    def _start(self) -> None:
        if self._takes_data_dir:
            held = DataDir.open(self._settings.data_dir, self._on_event)
            self._exit.callback(held.close)
            leftovers.end(self.data_dir, self._on_event)
        else:
            datadir.prepare(self._settings.data_dir)
        self._supervisor = Supervisor(self.data_dir if self._takes_data_dir else None, self._interrupts, self._on_event)
        self._exit.callback(self._supervisor.stop)
        self._exit.callback(self._interrupts.ignore)  # runs first on the way out: from then on a signal hurries, and interrupts no more
        self._ports = Ports(self.data_dir / "ports.json", self._on_event)
        self._exit.callback(self._ports.close)
        kafka_jars = self._fetch_jars()
        database = [self._database()] if self._starts_database else []
        broker = [self._broker(kafka_jars)] if self._starts_kafka else []
        self._supervisor.start_and_wait([*database, *broker])
        if self._spark_workers:
            self._start_cluster()
        self._supervisor.remember(self._connections())

    def _connections(self) -> dict[str, str]:
        return {KAFKA: self.kafka_bootstrap_servers, DATABASE: self.database_url, SPARK: self.spark_master}

    def _fetch_jars(self) -> list[Path]:
        """Fetches what is needed, makes the JAVA_HOME for it, and returns Kafka's JARs."""
        names = [name for name, needed in ((KAFKA, self._starts_kafka), (SPARK, SPARK in self._needs)) if needed]
        if not names:
            return []
        lock = jars.read_lock()
        fetched = jars.fetch({name: lock[name] for name in names}, cache_dir_of(self._settings), self._settings.maven_repository)
        self.java_home = make_java_home(self.data_dir / "java")
        self.spark_jars = fetched.get(SPARK, [])
        return fetched.get(KAFKA, [])

    def _database(self) -> Database:
        place = placing.place(self.data_dir, self._on_event)
        datadir.check_room(place.directory)
        port = self._ports.choose("postgres", self._settings.postgres_port)
        database = Database(place, self._log("postgres"), port=port, password=self._settings.postgres_password.get_secret_value())
        self.database_url = database.url
        return database

    def _broker(self, kafka_jars: Sequence[Path]) -> Broker:
        broker = Broker(
            self.data_dir / "kafka",
            self._log("kafka"),
            port=self._ports.choose("kafka", self._settings.kafka_port),
            controller_port=self._ports.choose("kafka-controller", CONTROLLER_PORT, is_shown=False),
            memory_mb=self._settings.kafka_memory_mb,
            java=self.java_home / "bin" / "java",
            jars=kafka_jars,
            probe=self._kafka_probe,
        )
        self.kafka_bootstrap_servers = broker.bootstrap_servers
        return broker

    def _start_cluster(self) -> None:
        if not self._settings.spark_master.startswith("local"):
            raise ServiceError(f"LIVETALLY_SPARK_MASTER names a cluster ({self._settings.spark_master}); workers of our own are for none.")
        work = self.data_dir / "spark"
        master = SparkMaster(
            self._log("spark-master"),
            java_home=self.java_home,
            work_dir=work / "master",
            web_port=self._ports.choose("spark-master-web", SPARK_WEB_PORT, is_shown=False),
            port=self._ports.choose("spark-master", SPARK_MASTER_PORT, is_shown=False),
        )
        self._supervisor.start_and_wait([master])
        self._supervisor.start_and_wait([self._worker(number, master, work) for number in range(1, self._spark_workers + 1)])
        self.spark_master = master.url

    def _worker(self, number: int, master: SparkMaster, work: Path) -> SparkWorker:
        name = f"spark-worker-{number}"
        return SparkWorker(
            number,
            self._log(name),
            java_home=self.java_home,
            work_dir=work / name,
            web_port=self._ports.choose(f"{name}-web", SPARK_WEB_PORT + number, is_shown=False),
            master=master,
            memory_mb=self._settings.spark_executor_memory_mb,
        )

    def _log(self, name: str) -> RotatingLog:
        return RotatingLog(self.data_dir / "logs" / f"{name}.log", self._settings.log_bytes_max)
