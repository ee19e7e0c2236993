"""A standalone Spark cluster on this machine: a master and workers, real processes on loopback.

`run` needs none: Spark in local mode is faster here. It is for looking at what a cluster does, and for tests of the same.
"""

import json
import urllib.request
from abc import abstractmethod
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from livetally.core.errors import SetupError
from livetally.embedded.logs import RotatingLog
from livetally.embedded.ports import LOOPBACK
from livetally.embedded.process import Command, Process
from livetally.settings import environment_with

ANSWER_TIMEOUT_S = 1.0
DAEMON_HEAP_MB = 256
CORES_PER_WORKER = 1
EXECUTOR_OVERHEAD_MB = 384  # Spark's own minimum beside the heap
FOR_EVERY_JAVA = frozenset({"JAVA_TOOL_OPTIONS"})  # whoever sets it means executors too, and they have the environment of their worker


class SparkDaemon(Process):
    """What master and workers have in common: Java, a web page that also answers in JSON, and no configuration of the machine's."""

    main_class: str

    def __init__(self, name: str, log: RotatingLog, *, java_home: Path, work_dir: Path, web_port: int) -> None:
        super().__init__(name, log)
        self._java_home = java_home
        self._work_dir = work_dir
        self._web_port = web_port

    @abstractmethod
    def arguments(self) -> list[str]:
        """What the main class takes besides its addresses."""

    def steps(self) -> Iterator[Command]:
        self._work_dir.mkdir(parents=True, exist_ok=True)
        spark_home = _spark_home()
        argv = [
            str(self._java_home / "bin" / "java"),
            f"-Xmx{DAEMON_HEAP_MB}m",
            "-XX:+UseSerialGC",
            "-Dspark.master.rest.enabled=false",  # a second way in, without a use here
            "-cp",
            f"{spark_home}/jars/*",
            self.main_class,
            *("--host", LOOPBACK, "--webui-port", str(self._web_port)),
            *self.arguments(),
        ]
        env = {
            "JAVA_HOME": str(self._java_home),  # a worker starts executors with it
            "SPARK_HOME": str(spark_home),
            "SPARK_SCALA_VERSION": "2.13",  # Spark's scripts find it out; without, a worker looks for a build directory
            "SPARK_LOCAL_IP": LOOPBACK,  # what the web page listens on, too
            "SPARK_LOCAL_DIRS": str(self._work_dir),
            "LC_ALL": "C.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        }
        env |= {name: value for name, value in environment_with().items() if name in FOR_EVERY_JAVA}
        yield Command(tuple(argv), env=env, cwd=self._work_dir)

    def answers(self) -> bool:
        if self.pid is None:
            return False
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self._web_port}/json/", timeout=ANSWER_TIMEOUT_S) as answer:
                return self.is_well(json.load(answer))
        except (OSError, ValueError):
            return False

    @abstractmethod
    def is_well(self, report: dict[str, object]) -> bool:
        """What its JSON report says."""


class SparkMaster(SparkDaemon):
    main_class = "org.apache.spark.deploy.master.Master"

    def __init__(self, log: RotatingLog, *, java_home: Path, work_dir: Path, web_port: int, port: int) -> None:
        super().__init__("spark-master", log, java_home=java_home, work_dir=work_dir, web_port=web_port)
        self._port = port
        self.url = f"spark://{LOOPBACK}:{port}"

    def arguments(self) -> list[str]:
        return ["--port", str(self._port)]

    def is_well(self, report: dict[str, object]) -> bool:
        return report.get("status") == "ALIVE"


class SparkWorker(SparkDaemon):
    main_class = "org.apache.spark.deploy.worker.Worker"

    def __init__(
        self, number: int, log: RotatingLog, *, java_home: Path, work_dir: Path, web_port: int, master: SparkMaster, memory_mb: int
    ) -> None:
        super().__init__(f"spark-worker-{number}", log, java_home=java_home, work_dir=work_dir, web_port=web_port)
        self._master = master
        self._memory_mb = memory_mb + EXECUTOR_OVERHEAD_MB

    def arguments(self) -> list[str]:
        return ["--cores", str(CORES_PER_WORKER), "--memory", f"{self._memory_mb}m", "--work-dir", str(self._work_dir), self._master.url]

    def is_well(self, report: dict[str, object]) -> bool:
        return bool(report.get("masterurl"))  # empty until the master has taken it in


def _spark_home() -> Path:
    spec = find_spec("pyspark")
    if spec is None or not spec.origin:
        raise SetupError("the package pyspark is not installed; install livetally with its requirements.")
    return Path(spec.origin).resolve().parent
