"""Hashing passwords beside the event loop: each takes 64 MiB and a good part of a second, so few at once and few in line."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from livetally.web.problems import Problem

Found = TypeVar("Found")

AT_ONCE = 2
WAITING_MAX = 20  # the last one waits for some seconds


class Hashing:
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="hashing")
        self._waiting = 0

    async def ask(self, work: Callable[[], Found]) -> Found:
        """Raises Problem where too many wait already."""
        if self._waiting >= WAITING_MAX:
            raise Problem(503, "busy", "Too many people sign in at present. Try again.", retry_after_s=5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
