"""Telling silence from absence: a topic where nothing happens looks the same as a broker that is gone."""

from collections.abc import Callable, Sequence

from livetally.adapters.reading import Record
from livetally.show.reader import Messages

SILENCE_S = 2.0  # so often a broker that sends nothing is asked whether it is there; one that sends is not


class Listening:
    """Messages whose `fault` is also set when the broker neither sends nor answers; Kafka's client would go on waiting for it."""

    def __init__(self, messages: Messages, broker_answers: Callable[[], bool], monotonic: Callable[[], float]) -> None:
        self._messages = messages
        self._broker_answers = broker_answers
        self._monotonic = monotonic
        self._heard_s = monotonic()
        self.fault: str | None = None

    @property
    def caught_up(self) -> bool:
        return self._messages.caught_up

    def read(self, wait_s: float) -> Sequence[Record]:
        records = self._messages.read(wait_s)
        self.fault = self._messages.fault
        if records:
            self._heard_s = self._monotonic()
        elif self.fault is None and self._monotonic() - self._heard_s >= SILENCE_S:
            if not self._broker_answers():
                self.fault = "The broker sends nothing and does not answer."
            self._heard_s = self._monotonic()
        return records

    def close(self) -> None:
        self._messages.close()
