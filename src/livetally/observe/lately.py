"""An answer that costs something, asked for again only when the last one is no longer fresh: being watched must not become a load."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

FRESH_S = 2.0

T = TypeVar("T")


class Lately(Generic[T]):
    """Call it from any thread; who comes while somebody asks waits for that answer."""

    def __init__(self, ask: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._asking = threading.Lock()
        self._answer: tuple[float, T] | None = None

    def __call__(self) -> T:
        with self._asking:
            if self._answer is None or self._clock() - self._answer[0] >= FRESH_S:
                answer = self._ask()
                self._answer = (self._clock(), answer)
            return self._answer[1]
