"""The service as a part of the application: made when the application starts, stopped when it stops."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from livetally.adapters.ballot_sender import Sender, Tell
from livetally.adapters.codes import codes_key
from livetally.adapters.receipts import Receipts
from livetally.web.ballots.lane import ROUTE, BallotLane
from livetally.web.ballots.routes import ballot_routes, casting
from livetally.web.ballots.service import Ballots, Sending
from livetally.web.ballots.stand import Stand
from livetally.web.booth.routes import booth_routes
from livetally.web.ground import Ground, Lane, Part

MakeSender = Callable[[str, int, Tell], Sending]  # bootstrap servers, and how long Kafka has to acknowledge


@dataclass(frozen=True, slots=True)
class _Made:
    """What is made at the start, for the routes that were declared before."""

    stands: list[Stand] = field(default_factory=list)

    def __call__(self) -> Stand:
        return self.stands[-1]


def ballots_parts(make_sender: MakeSender = Sender) -> tuple[Part, Part]:
    """Ballots as JSON, and the ballot page; both with one service. Starting them raises DataDirError if the codes' key is lost."""
    made = _Made()

    @asynccontextmanager
    async def running(ground: Ground) -> AsyncIterator[None]:
        settings = ground.settings
        key = await ground.pool.ask(lambda connection: codes_key(connection, settings.data_dir))
        wait_ms = settings.api_ballot_wait_ms
        ballots = Ballots(
            Receipts(ground.database_url),
            lambda tell: make_sender(ground.kafka_bootstrap_servers, wait_ms, tell),
            wait_ms,
            ground.now,
            os.urandom,
        )
        ballots.start()
        made.stands.append(Stand(ballots, key, ground))
        try:
            yield
        finally:
            made.stands.pop()
            await ballots.stop()

    lane = Lane(ROUTE, lambda app: BallotLane(app, casting(made)))
    return Part(ballot_routes(made), running, lane), Part(booth_routes(made))
