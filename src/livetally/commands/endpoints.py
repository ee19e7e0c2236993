"""Where the stages of this data directory can be watched: each serves its metrics, and writes down its address while it does."""

import json
import logging
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError

from livetally.adapters.postgres import database_answers, place_of
from livetally.commands.backing import Backing, kafka_answers
from livetally.embedded.files import write_atomically
from livetally.embedded.identity import birth_of, is_alive
from livetally.observe.health import Probe
from livetally.observe.meter import StageMeter
from livetally.observe.server import MetricsServer, serve
from livetally.web.exposure import is_loopback

STAGES = ("register", "simulate", "record", "tally", "dashboard", "api")  # in the order of their ports
DIRECTORY = "endpoints"
ASK_TIMEOUT_S = 10.0  # a stage may have to ask PostgreSQL and Kafka first

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    stage: str
    pid: int
    birth: str
    url: str

    def is_alive(self) -> bool:
        return is_alive(self.pid, self.birth)


@contextmanager
def observed(meter: StageMeter, backing: Backing, probe: Probe) -> Iterator[None]:
    """Serve what the meter says while the block runs. Whatever goes wrong with that does not concern the stage."""
    meter.health.probe_with(lambda: _service_away(backing) or probe())
    server = _serve(meter, backing)
    if server is None:
        yield
        return
    note = _write_down(backing.settings.data_dir.resolve(), meter.stage, server.url)
    try:
        yield
    finally:
        if note is not None:
            note.unlink(missing_ok=True)
        server.close()


def living(data_dir: Path) -> list[Endpoint]:
    """Of the stages that live, in the order of the pipeline."""
    found = [one for _, one in _notes(data_dir) if one.is_alive()]
    return sorted(found, key=lambda one: (STAGES.index(one.stage), one.pid))


def ask(url: str) -> tuple[bool, str]:
    """Whether the answer was yes, and its words."""
    try:
        with urllib.request.urlopen(url, timeout=ASK_TIMEOUT_S) as response:  # noqa: S310 (an address that we have written down)
            return True, response.read().decode().strip()
    except HTTPError as error:
        with error:
            return False, error.read().decode().strip()
    except (URLError, TimeoutError, ConnectionError):
        return False, "does not answer"


def _serve(meter: StageMeter, backing: Backing) -> MetricsServer | None:
    settings = backing.settings
    wanted = settings.metrics_port + STAGES.index(meter.stage)
    try:
        server = serve(meter, settings.metrics_address, wanted)
    except OSError as error:
        log.warning("nobody can watch this stage", extra={"address": settings.metrics_address, "port": wanted, "why": error})
        return None
    if server.server_port != wanted:
        log.warning("the port for metrics is taken, another is used instead", extra={"taken": wanted, "used": server.server_port})
    if not is_loopback(settings.metrics_address):  # no check as for page and API: nothing is taken there, and nothing secret is told
        log.warning("everybody who reaches this machine reads the metrics", extra={"address": settings.metrics_address})
    log.info("this stage can be watched", extra={"metrics": f"{server.url}/metrics"})
    return server


def _service_away(backing: Backing) -> str | None:
    if not kafka_answers(backing.kafka_bootstrap_servers):
        return f"Kafka at {backing.kafka_bootstrap_servers} does not answer"
    if not database_answers(backing.database_url):
        return f"PostgreSQL at {place_of(backing.database_url)} does not answer"
    return None


def _write_down(data_dir: Path, stage: str, url: str) -> Path | None:
    path = data_dir / DIRECTORY / f"{stage}-{os.getpid()}.json"
    try:
        path.parent.mkdir(exist_ok=True)
        for stale in [stale for stale, one in _notes(data_dir) if not one.is_alive()]:
            stale.unlink(missing_ok=True)
        write_atomically(path, json.dumps(asdict(Endpoint(stage, os.getpid(), birth_of(os.getpid()), url))))
    except OSError as error:
        log.warning("`livetally status` will not name this stage", extra={"why": error})
        return None
    return path


def _notes(data_dir: Path) -> Iterator[tuple[Path, Endpoint]]:
    for path in sorted((data_dir / DIRECTORY).glob("*.json")):
        try:
            yield path, Endpoint(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            continue  # its stage has just ended
