"""An announcer that no broker stands behind."""

from livetally.adapters.kafka import Announcer
from livetally.core.wire import CANDIDATES, decode


class Deaf(Announcer):
    """For acts whose announcements are not looked at."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        assert (topic, decode(value)["candidate_id"]) == (CANDIDATES, key.decode())
        self.sent.append(key)

    def flush(self) -> None:
        pass
