"""`state.json`: what the supervisor of a data directory has started, and how to reach it.

Other commands read it to use services that already run; the next supervisor reads it to find what a killed one left behind.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from livetally.core.errors import DataDirError
from livetally.embedded.files import PRIVATE, write_atomically
from livetally.embedded.identity import is_alive

STATE_FILE = "state.json"


@dataclass(frozen=True)
class Running:
    """A process that was started. The order in the state is the order in which to end them."""

    name: str
    pid: int
    birth: str
    stop_signal: int

    def is_alive(self) -> bool:
        return is_alive(self.pid, self.birth)


@dataclass(frozen=True)
class State:
    supervisor: Running
    processes: tuple[Running, ...] = ()
    connections: dict[str, str] = field(default_factory=dict)
    """Of what this supervisor started: `kafka`, `database`, `spark`."""

    def save(self, data_dir: Path) -> None:
        write_atomically(data_dir / STATE_FILE, json.dumps(asdict(self), indent=1), PRIVATE)  # private: it holds the password


def load(data_dir: Path) -> State | None:
    """The last state that was saved, if there is one."""
    path = data_dir / STATE_FILE
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return State(Running(**raw["supervisor"]), tuple(Running(**one) for one in raw["processes"]), raw["connections"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise DataDirError(f"{path} belongs to another user: {error}.\nUse the account that started livetally there.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataDirError(
            f"{path} is damaged: {error!r}.\nEnd what still runs there (`ps` shows Kafka and PostgreSQL with that directory), then delete the file."
        ) from error


def running(data_dir: Path) -> State | None:
    """The state if its supervisor is alive: then its connections can be used."""
    state = load(data_dir)
    return state if state and state.supervisor.is_alive() else None


def remove(data_dir: Path) -> None:
    (data_dir / STATE_FILE).unlink(missing_ok=True)
