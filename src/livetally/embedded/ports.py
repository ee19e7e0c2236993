"""Ports on loopback: the preferred one, or the next that is free.

A chosen port is claimed until the process ends, so that two livetally starting at the same moment never choose the same one: the
service binds it only seconds later. What was chosen is remembered in the data directory, and a restart keeps it if it can.
"""

import json
import socket
from collections.abc import Callable
from pathlib import Path

from livetally.core.errors import ServiceError
from livetally.embedded.files import write_atomically

LOOPBACK = "127.0.0.1"
NEIGHBOURS_MAX = 200  # searched upwards from the preferred port: easy to guess, and below what the system gives to outgoing connections
PORT_MAX = 65_535


class Ports:
    """Chooses ports for one data directory. `on_event` is told where another port than the preferred one is used."""

    def __init__(self, path: Path, on_event: Callable[[str], None]) -> None:
        self._path = path
        self._on_event = on_event
        self._claims: list[socket.socket] = []
        self._chosen: dict[str, dict[str, int]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def choose(self, name: str, preferred: int, *, is_shown: bool = True) -> int:
        """A free port, claimed for this process. Only a port that people use (`is_shown`) is worth a word."""
        before = self._chosen.get(name, {})
        first = before["port"] if before.get("preferred") == preferred else preferred
        candidates: list[int] = [first, *range(preferred, min(preferred + NEIGHBOURS_MAX, PORT_MAX + 1))]
        for port in candidates:
            if self._claim(port):
                break
        else:
            raise ServiceError(
                f"none of {NEIGHBOURS_MAX} ports from {preferred} on is free on {LOOPBACK} for {name}.\n"
                f"Choose another with LIVETALLY_{name.upper()}_PORT."
            )
        if port != preferred and is_shown:
            self._on_event(f"{name}: port {preferred} is taken, {port} is used instead")
        self._chosen[name] = {"preferred": preferred, "port": port}
        write_atomically(self._path, json.dumps(self._chosen, indent=1))
        return port

    def close(self) -> None:
        for claim in self._claims:
            claim.close()
        self._claims.clear()

    def _claim(self, port: int) -> bool:
        """Takes a name in Linux' abstract namespace: one holder on the whole machine, and gone with its process."""
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0livetally-port-{port}")
        except OSError:
            claim.close()
            return False
        if not is_free(port):
            claim.close()
            return False
        self._claims.append(claim)
        return True


def is_free(port: int) -> bool:
    """Whether a server could bind `port` on loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: connections that have just ended do not count
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
