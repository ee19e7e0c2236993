"""A first session that nobody looks at: what Streamlit and the page load and prepare once is there before the first viewer comes."""

import asyncio
import logging
from collections.abc import Callable

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.session_manager import SessionClient

DATA_WITHIN_S = 4.0  # services that are away must not keep the page from saying so
RUN_WITHIN_S = 10.0
LOOK_S = 0.05

log = logging.getLogger(__name__)


class Nobody(SessionClient):
    """Takes what a browser would be sent, and notes only that it was all."""

    def __init__(self) -> None:
        self.has_finished = asyncio.Event()

    def write_forward_msg(self, msg: ForwardMsg) -> None:
        if msg.WhichOneof("type") == "script_finished":
            self.has_finished.set()

    @property
    def client_context(self) -> None:
        return None


async def warm_up(runtime: Runtime, has_data: Callable[[], bool]) -> None:
    """Draw the page once. Whatever goes wrong here goes wrong again for somebody who is told about it: it is logged, no more."""
    nobody = Nobody()
    try:
        async with asyncio.timeout(DATA_WITHIN_S + RUN_WITHIN_S):
            await _wait_for(has_data)
            session_id = runtime.connect_session(nobody, {})
            runtime.handle_backmsg(session_id, BackMsg(rerun_script=ClientState()))
            await nobody.has_finished.wait()
            runtime.disconnect_session(session_id)
            runtime.close_session(session_id)
    except Exception:
        log.warning("the page was not drawn once before the first viewer", exc_info=True)


async def _wait_for(has_data: Callable[[], bool]) -> None:
    try:
        async with asyncio.timeout(DATA_WITHIN_S):
            while not has_data():  # noqa: ASYNC110 (threads without a loop fill it; they know of nobody who waits)
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        return
