"""What the routes and pages about ballots stand on."""

from collections.abc import Callable
from dataclasses import dataclass

from livetally.core.codes import keyed_hash, read
from livetally.web.ballots.service import Ballots
from livetally.web.ground import Ground
from livetally.web.limits import too_often


@dataclass(frozen=True, slots=True)
class Stand:
    ballots: Ballots
    key: bytes  # of the codes
    ground: Ground

    def code_hash(self, typed: str) -> bytes | None:
        """None if that is no code at all."""
        secret = read(typed)
        return None if secret is None else keyed_hash(self.key, secret)

    def admit(self, code_hash: bytes) -> None:
        """A code is a credential like any other: from however many addresses it comes, it is taken so often and no more. Raises Problem."""
        if wait_s := self.ground.codes.wait_s(code_hash):
            raise too_often(wait_s)


GetStand = Callable[[], Stand]
