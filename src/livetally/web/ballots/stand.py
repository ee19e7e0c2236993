"""What the routes and pages about ballots stand on."""

from collections.abc import Callable
from dataclasses import dataclass

from livetally.core.codes import keyed_hash, read
from livetally.web.ballots.service import Ballots
from livetally.web.ground import Ground


@dataclass(frozen=True, slots=True)
class Stand:
    ballots: Ballots
    key: bytes  # of the codes
    ground: Ground

    def code_hash(self, typed: str) -> bytes | None:
        """None if that is no code at all."""
        secret = read(typed)
        return None if secret is None else keyed_hash(self.key, secret)


GetStand = Callable[[], Stand]
