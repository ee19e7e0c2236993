"""Ctrl+C and SIGTERM, turned into an exception where that is safe, held back where it is not.

Inside `with Interrupts() as interrupts:` a signal raises KeyboardInterrupt (Terminated for SIGTERM) in the main thread, so that
start-up, downloads and waiting end wherever they are. In `with interrupts.held():` it waits until the block is done: a child
must not be started without being written down. After `ignore()`, while everything is being stopped, a signal only sets
`is_hurried`.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

WATCHED = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """SIGTERM. Whoever handles Ctrl+C handles it alike."""


class Interrupts:
    def __init__(self) -> None:
        self.is_hurried = False
        self._is_stopping = False
        self._is_held = False
        self._waiting: int | None = None
        self._previous: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        self._previous = {number: signal.signal(number, self._on_signal) for number in WATCHED}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def ignore(self) -> None:
        self._is_stopping = True

    @contextmanager
    def held(self) -> Iterator[None]:
        outer, self._is_held = self._is_held, True
        try:
            yield
        finally:
            self._is_held = outer
        if self._waiting is not None and not self._is_held and not self._is_stopping:
            number, self._waiting = self._waiting, None
            _raise_for(number)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._is_stopping:
            self.is_hurried = True
        elif self._is_held:
            self._waiting = number
        else:
            _raise_for(number)


def _raise_for(number: int) -> None:
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt
