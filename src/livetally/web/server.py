"""The server that the application runs in."""

import gc
import socket

import uvicorn
from fastapi import FastAPI

from livetally.web.connections import Connection
from livetally.web.ground import Ground

KEEPS_ALIVE_S = 20  # a connection on which nothing is asked any more
STOPS_WITHIN_S = 3  # whoever reads their answer more slowly is cut off


def config_of(app: FastAPI, address: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=address,
        port=port,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,  # ours; and who asked for what is in no log
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the application believes one proxy alone, if it is told which
        timeout_keep_alive=KEEPS_ALIVE_S,
        timeout_graceful_shutdown=STOPS_WITHIN_S,
    )


class Server(uvicorn.Server):
    """Tells the application first that it ends: streams of results have no end of their own, and would have to be cut off."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is loaded by now stays. Looking through it for garbage again and again would hold every request up.
        gc.collect()
        gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        ground: Ground | None = getattr(self._app.state, "ground", None)
        if ground is not None:
            ground.ending.set()
        await super().shutdown(sockets)
