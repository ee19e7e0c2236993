"""Viewers without a browser: plain WebSocket sessions that do to the page's server what a browser does, and note which total they were sent.

A browser asks again for every part of the page that refreshes by itself, each time its interval is over; so do these. They live in a
process of their own, and all times are of the machine's one monotonic clock.
"""

import asyncio
import re
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

STREAM_PATH = "/_stcore/stream"
MESSAGE_BYTES_MAX = 32 * 1024 * 1024
TOTAL = re.compile(rb'data-testid="total-votes" data-value="(\d+)"')  # the page's own mark of the number
LISTEN_S = 0.1

Seen = tuple[int, int]  # nanoseconds, total


@dataclass
class Viewer:
    """One session. `parts`: what refreshes by itself, how often, and when it is due."""

    seen: list[Seen] = field(default_factory=list)
    parts: dict[str, tuple[float, float]] = field(default_factory=dict)
    bytes_received: int = 0

    async def look(self, address: str, until: asyncio.Event) -> None:
        async with websockets.connect(
            f"ws://{address}{STREAM_PATH}",
            origin=websockets.Origin(f"http://{address}"),
            subprotocols=[websockets.Subprotocol("streamlit")],
            max_size=MESSAGE_BYTES_MAX,
        ) as socket:
            await socket.send(BackMsg(rerun_script=ClientState()).SerializeToString())
            while not until.is_set():
                try:
                    raw = await asyncio.wait_for(socket.recv(decode=False), LISTEN_S)
                except TimeoutError:
                    pass
                else:
                    self._take(raw)
                for part in self._due():
                    again = ClientState(fragment_id=part, is_auto_rerun=True)
                    await socket.send(BackMsg(rerun_script=again).SerializeToString())

    def _take(self, raw: bytes) -> None:
        now_ns = time.monotonic_ns()
        self.bytes_received += len(raw)
        self.seen += [(now_ns, int(total)) for total in TOTAL.findall(raw)]
        message = ForwardMsg.FromString(raw)
        if message.WhichOneof("type") == "stop_auto_rerun":
            for part in message.stop_auto_rerun.fragment_ids:
                self.parts.pop(part, None)
        elif message.WhichOneof("type") == "auto_rerun":
            interval_s = message.auto_rerun.interval
            self.parts.setdefault(message.auto_rerun.fragment_id, (interval_s, time.monotonic() + interval_s))

    def _due(self) -> list[str]:
        now_s = time.monotonic()
        due = [part for part, (_, at_s) in self.parts.items() if at_s <= now_s]
        for part in due:
            interval_s, at_s = self.parts[part]
            self.parts[part] = (interval_s, max(at_s + interval_s, now_s))
        return due


def look_from(address: str, viewers: int, spread_s: float, answer: "Pipe[object, object]") -> None:
    """So many viewers come one after the other within `spread_s` and stay until the pipe says stop; then it is told what each has seen."""
    asyncio.run(_look_all(address, viewers, spread_s, answer))


async def _look_all(address: str, count: int, spread_s: float, answer: "Pipe[object, object]") -> None:
    until = asyncio.Event()
    viewers = [Viewer() for _ in range(count)]

    async def come(number: int) -> None:
        await asyncio.sleep(number * spread_s / count)
        await viewers[number].look(address, until)

    async def wait_for_the_end() -> None:
        await asyncio.to_thread(answer.recv)
        until.set()

    await asyncio.gather(wait_for_the_end(), *(come(number) for number in range(count)))
    answer.send([(viewer.seen, viewer.bytes_received) for viewer in viewers])
