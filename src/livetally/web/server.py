"""The server that the application runs in."""

import socket

import uvicorn
from fastapi import FastAPI

from livetally.web.ground import Ground


class Server(uvicorn.Server):
    """Tells the application first that it ends: streams of results have no end of their own, and would have to be cut off."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        ground: Ground | None = getattr(self._app.state, "ground", None)
        if ground is not None:
            ground.ending.set()
        await super().shutdown(sockets)
