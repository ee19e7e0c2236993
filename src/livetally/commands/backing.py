"""What a command stands on: services that run already, services of somebody else, or ones started for as long as it takes."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from livetally.adapters.access import secured
from livetally.adapters.postgres import connect, explained, migrate
from livetally.adapters.topics import Topics
from livetally.commands.output import say
from livetally.core.errors import ElectionError
from livetally.core.wire import topics
from livetally.embedded import state
from livetally.embedded.datadir import LAYOUT_FILE
from livetally.embedded.ports import Ports
from livetally.embedded.services import DATABASE, KAFKA, SPARK, Services
from livetally.settings import Settings, environment_with

LIVETALLY = (sys.executable, "-m", "livetally")


@dataclass(frozen=True, slots=True)
class Backing:
    """Where the services are, whoever runs them. The code beyond this point does not know the difference."""

    settings: Settings  # with the addresses of what is used filled in
    services: Services

    @property
    def kafka_bootstrap_servers(self) -> str:
        """With what its clients need to be let in."""
        return secured(self.services.kafka_bootstrap_servers, self.settings)

    @property
    def database_url(self) -> str:
        return self.services.database_url

    @property
    def java_home(self) -> Path:
        return self.services.java_home

    @property
    def spark_jars(self) -> list[Path]:
        return self.services.spark_jars

    def environment(self) -> dict[str, str]:
        """For a child process: the same services, as if somebody else had started them."""
        return environment_with(
            kafka_bootstrap_servers=self.kafka_bootstrap_servers,
            database_url=self.database_url,
            spark_master=self.services.spark_master,
            data_dir=str(self.settings.data_dir.resolve()),
        )

    def choose_port(self, name: str, preferred: int) -> int:
        with closing(Ports(self.settings.data_dir.resolve() / "ports.json", say)) as ports:
            return ports.choose(name, preferred)


@contextmanager
def services_of(settings: Settings, *, spark: bool = False, looks_only: bool = False) -> Iterator[Backing]:
    """Kafka and PostgreSQL (and what Spark needs), with topics and schema as they should be.

    What does not run yet is started, and stopped again at the end. `looks_only` refuses where there is nothing to look at.
    """
    with _started(settings, frozenset({KAFKA, DATABASE} | ({SPARK} if spark else set())), looks_only=looks_only) as backing:
        prepare(backing)
        yield backing


@contextmanager
def database_of(settings: Settings, *, looks_only: bool = True) -> Iterator[str]:
    """The URL of PostgreSQL alone, for commands that need nothing else."""
    with _started(settings, frozenset({DATABASE}), looks_only=looks_only) as backing:
        prepare_database(backing.database_url)
        yield backing.database_url


def prepare(backing: Backing) -> None:
    """Schema and topics as they should be."""
    settings = backing.settings
    prepare_database(backing.database_url)
    Topics(backing.kafka_bootstrap_servers).ensure(topics(settings.ballot_partitions), settings.replication_factor)


def kafka_answers(bootstrap_servers: str) -> bool:
    return Topics(bootstrap_servers).answer()


def using_what_runs(settings: Settings) -> Settings:
    """The settings with the addresses of services that a running `run` or `up` of this data directory has started."""
    running = state.running(settings.data_dir.resolve())
    if running is None:
        return settings
    found: dict[str, object] = {}
    if settings.kafka_bootstrap_servers is None:
        found["kafka_bootstrap_servers"] = running.connections.get(KAFKA)
    if settings.database_url is None and (url := running.connections.get(DATABASE)):
        found["database_url"] = SecretStr(url)
    if settings.spark_master.startswith("local") and (master := running.connections.get(SPARK)):
        found["spark_master"] = master
    return settings.model_copy(update=found)


@contextmanager
def _started(settings: Settings, needs: frozenset[str], *, looks_only: bool) -> Iterator[Backing]:
    settings = using_what_runs(settings)
    is_embedded = settings.database_url is None or (KAFKA in needs and settings.kafka_bootstrap_servers is None)
    if looks_only and is_embedded and not (settings.data_dir / LAYOUT_FILE).exists():
        raise ElectionError(
            f"There is nothing to look at: {settings.data_dir.resolve()} holds no data of livetally. "
            "`./livetally run` holds an election; LIVETALLY_DATA_DIR names another directory."
        )
    if is_embedded:
        say("starting the services for this command (`./livetally up` keeps them running)")
    with Services(settings, kafka_probe=kafka_answers, on_event=say, needs=needs) as services:
        yield Backing(settings, services)


def prepare_database(url: str) -> None:
    """The schema alone."""
    with closing(connect(url, "schema", bounded=False, as_owner=True)) as connection, explained(url):
        migrate(connection)
