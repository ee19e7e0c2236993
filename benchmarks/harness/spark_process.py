"""A process that has Spark in it, *tally* or a peer, and the Java beneath it."""

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.cost import peak_memory_bytes
from harness.recorder import STOPS_WITHIN_S, end
from harness.stand import Stand
from livetally.core.errors import ServiceError

JAVA = "java"
LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class SparkProcess:
    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    spawned_at_s: float

    @property
    def pid(self) -> int:
        return self.process.pid

    def java_pid(self) -> int:
        """Raises ServiceError if Java has not been started, or has ended."""
        found = next((child.pid for child in psutil.Process(self.pid).children() if child.name() == JAVA), None)
        if found is None:
            raise ServiceError(f"There is no Java beneath {self.name}, which counts with Spark:\n{self.last_words()}")
        return found

    def peak_memory_bytes(self) -> int:
        return peak_memory_bytes(self.pid) + peak_memory_bytes(self.java_pid())

    def check(self) -> None:
        """Raises ServiceError if it has ended."""
        if (code := self.process.poll()) is not None:
            raise ServiceError(f"{self.name} ended with exit code {code}:\n{self.last_words()}")

    def last_words(self) -> str:
        return "\n".join(self.log.read_text("utf-8", errors="replace").splitlines()[-LOG_LINES:])


@contextmanager
def spark_process(stand: Stand, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> Iterator[SparkProcess]:
    """It and its Java have ended behind this."""
    log = stand.data_dir / "logs" / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=stand.data_dir, start_new_session=True
        )
        beneath: list[psutil.Process] = []
        try:
            yield SparkProcess(name, process, log, time.monotonic())
            beneath = psutil.Process(process.pid).children()
        finally:
            end(process)
            _, alive = psutil.wait_procs(beneath, STOPS_WITHIN_S)
            for one in alive:
                one.kill()
