"""Kafka on this machine: one process that is broker and controller (KRaft), on loopback only."""

import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from livetally.embedded.files import write_atomically
from livetally.embedded.logs import RotatingLog
from livetally.embedded.ports import LOOPBACK
from livetally.embedded.process import Command, Process

CLUSTER_ID_BYTES = 16
NODE_ID = 1
INTERNAL_PARTITIONS = 4  # of Kafka's own topics; its default of 50 each is for clusters, and makes every start slower
OFFSETS_RETENTION_MINUTES = 10 * 365 * 24 * 60  # ten years: a group that comes back later must not begin anew, or at the end
CLEANER_BUFFER_BYTES = 16 << 20  # half a million keys at once; the default takes a quarter of our heap


def properties(data: Path, port: int, controller_port: int) -> dict[str, str]:
    """Everything that differs from Kafka's defaults. One node, so one copy of everything, and nobody to wait for."""
    return {
        "process.roles": "broker,controller",
        "node.id": str(NODE_ID),
        "controller.quorum.voters": f"{NODE_ID}@{LOOPBACK}:{controller_port}",  # static: the port may change between two starts
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "log.dirs": str(data),
        # As the system sees fit: with Kafka's 100 kB a portion of votes takes ten turns.
        "socket.send.buffer.bytes": "-1",
        "socket.receive.buffer.bytes": "-1",
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": str(INTERNAL_PARTITIONS),
        "offsets.retention.minutes": str(OFFSETS_RETENTION_MINUTES),
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": str(INTERNAL_PARTITIONS),
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # A hung transaction holds back every reader: look for them every second, not every ten.
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
        "log.cleaner.dedupe.buffer.size": str(CLEANER_BUFFER_BYTES),
    }


class Broker(Process):
    """`probe` sends a metadata request to bootstrap servers and says whether it was answered."""

    def __init__(
        self,
        directory: Path,
        log: RotatingLog,
        *,
        port: int,
        controller_port: int,
        memory_mb: int,
        java: Path,
        jars: Sequence[Path],
        probe: Callable[[str], bool],
    ) -> None:
        super().__init__("kafka", log)
        self.bootstrap_servers = f"{LOOPBACK}:{port}"
        self._directory = directory
        self._ports = (port, controller_port)
        self._memory_mb = memory_mb
        self._java = java
        self._jars = jars
        self._probe = probe

    def steps(self) -> Iterator[Command]:
        data, new = self._directory / "data", self._directory / "data.new"
        if not data.exists():
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(parents=True)
            config = self._write_properties("format.properties", new)
            arguments = ("format", "--cluster-id", _new_cluster_id(), "--config", str(config))
            yield self._run("kafka.tools.StorageTool", *arguments, heap_mb=64, is_preparation=True)
            new.replace(data)
        config = self._write_properties("server.properties", data)
        yield self._run("kafka.Kafka", str(config), heap_mb=self._memory_mb)

    def answers(self) -> bool:
        return self.pid is not None and self._probe(self.bootstrap_servers)

    def _write_properties(self, name: str, data: Path) -> Path:
        path = self._directory / name
        lines = (f"{key}={value}\n".replace("\\", "\\\\") for key, value in properties(data, *self._ports).items())
        write_atomically(path, "".join(lines))
        return path

    def _run(self, main_class: str, *arguments: str, heap_mb: int, is_preparation: bool = False) -> Command:
        logging = files("livetally.embedded").joinpath("log4j2.properties")
        argv = (
            str(self._java),
            f"-Xmx{heap_mb}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",  # the better compiler takes half a core for the first minutes, which is as long as most brokers live
            "-XX:+ExitOnOutOfMemoryError",  # half a broker helps nobody; a new one is there in seconds
            f"-Dlog4j2.configurationFile={logging}",
            "-cp",
            ":".join(str(jar) for jar in self._jars),
            main_class,
            *arguments,
        )
        return Command(argv, env={"LC_ALL": "C.UTF-8"}, cwd=self._directory, is_preparation=is_preparation)


def _new_cluster_id() -> str:
    """As Kafka makes them: 16 random bytes, URL-safe. A leading dash would be read as an option."""
    return secrets.token_urlsafe(CLUSTER_ID_BYTES).replace("-", "_")
