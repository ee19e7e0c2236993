"""Telling silence from absence: a topic where nothing happens looks the same as a broker that is gone."""

from collections.abc import Callable, Sequence
from typing import Protocol

from livetally.adapters.reading import Record

SILENCE_S = 2.0  # so often a broker that sends nothing is asked whether it is there; one that sends is not


class Tailing(Protocol):
    """What `adapters.reading.Tail` offers."""

    fault: str | None

    @property
    def caught_up(self) -> bool: ...

    def read(self, wait_s: float) -> Sequence[Record]: ...

    def close(self) -> None: ...


class Listening:
    """Messages that also say when the broker neither sends nor answers; Kafka's client goes on waiting for it, and goes on reading when it is back.

    On a busy machine a broker may be slow to answer and is not gone: nothing is read anew for that.
    """

    def __init__(self, messages: Tailing, broker_answers: Callable[[], bool], monotonic: Callable[[], float]) -> None:
        self._messages = messages
        self._broker_answers = broker_answers
        self._monotonic = monotonic
        self._heard_s = monotonic()
        self.away: str | None = None

    @property
    def fault(self) -> str | None:
        return self._messages.fault

    @property
    def caught_up(self) -> bool:
        return self._messages.caught_up

    def read(self, wait_s: float) -> Sequence[Record]:
        records = self._messages.read(wait_s)
        if records:
            self.away = None
            self._heard_s = self._monotonic()
        elif self.fault is None and self._monotonic() - self._heard_s >= SILENCE_S:
            self.away = None if self._broker_answers() else "The broker sends nothing and does not answer."
            self._heard_s = self._monotonic()
        return records

    def close(self) -> None:
        self._messages.close()
