"""What the broker does not take is told; what it takes is on the topic when `flush` returns."""

from contextlib import closing

import pytest

from livetally.adapters.kafka import Announcer, reader
from livetally.adapters.reading import ends
from livetally.core.errors import DeliveryError
from livetally.core.wire import MESSAGE_BYTES_MAX, VOTERS
from pipeline import Servers

pytestmark = pytest.mark.usefixtures("pipeline")

TAKEN = 1_000


def test_what_is_taken_is_there(servers: Servers) -> None:
    with closing(reader(servers.kafka)) as client:
        before = sum(ends(client, VOTERS).values())
        announcer = Announcer(servers.kafka)
        for number in range(TAKEN):
            announcer.send(VOTERS, str(number).encode(), b"{}")
        announcer.flush()
        assert sum(ends(client, VOTERS).values()) == before + TAKEN


def test_what_is_refused_is_told_and_how_many(servers: Servers) -> None:
    with closing(reader(servers.kafka)) as client:
        before = sum(ends(client, VOTERS).values())
        announcer = Announcer(servers.kafka)
        announcer.send(VOTERS, b"small", b"{}")
        announcer.send(VOTERS, b"large", b"x" * (MESSAGE_BYTES_MAX + 1))
        with pytest.raises(DeliveryError, match=r"did not take 1 message.*voters_topic"):
            announcer.flush()
        assert sum(ends(client, VOTERS).values()) == before + 1
