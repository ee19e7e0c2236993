"""The questions about one place, one moment, or the votes over time: one thread asks PostgreSQL, all viewers read its answers.

At most one query per question and ANSWER_FRESH_S in a server, however many look. A new answer is waited for, so that no page comes up
empty and nobody who looks alone is shown what was true at their look before; but not for long, and not at all while PostgreSQL is known to
be away.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar, cast

from livetally.adapters import history
from livetally.adapters.places import ByCandidate, Place
from livetally.core.access import PUBLIC, Person
from livetally.core.errors import ServiceError
from livetally.show.past import POINTS_MAX, Ahead, Answer, Series, Then
from livetally.show.places import ahead_of, place_result, then
from livetally.show.result import Result, Snapshot

T = TypeVar("T")
Question = tuple[Any, ...]

ANSWER_FRESH_S = 4.0  # less than the shortest refresh interval of a page: who looks every 5 s sees something new every time
WAIT_S = 0.7  # a page must be there within 2 s
ANSWERS_MAX = 300  # a scrubber has up to 500 moments; those that nobody has asked for the longest make room
CLOSE_TIMEOUT_S = 3.0

log = logging.getLogger(__name__)


class Source(Protocol):
    """What `adapters.looking.Looking` offers. Every method raises ServiceError while PostgreSQL is away."""

    def series(self, election_id: str, place: str, points_max: int) -> history.Series: ...

    def best(self, election_id: str) -> Mapping[str, ByCandidate]: ...

    def place(self, election_id: str, county: str, city: str) -> Place: ...

    def before(self, election_id: str, moment: datetime) -> tuple[ByCandidate, Mapping[str, ByCandidate]]: ...

    def person(self, hashed: bytes, now: datetime) -> Person | None: ...

    def close(self) -> None: ...


@dataclass
class _Known:
    """What is known of one question. `tried_s`: when it was put last."""

    ask: Callable[[], Any]
    answer: Answer[Any] = field(default_factory=Answer)
    tried_s: float | None = None
    is_waiting: bool = False
    has_come: threading.Event = field(default_factory=threading.Event)


class Asker:
    """Implements `past.Asking`. `start` before the first question."""

    def __init__(self, source: Source, look: Callable[[], Snapshot], clock: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        """`look`: what is known of the elections now; names of candidates come from there."""
        self._source = source
        self._look = look
        self._clock = clock
        self._monotonic = monotonic
        self._known: OrderedDict[Question, _Known] = OrderedDict()
        self._waiting: list[_Known] = []
        self._change = threading.Condition()
        self._trouble = ""  # while the last question could not be answered
        self._is_closed = False
        self._thread = threading.Thread(target=self._answer_all, name="livetally-asking", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        with self._change:
            self._is_closed = True
            self._change.notify_all()
        self._thread.join(CLOSE_TIMEOUT_S)

    def series(self, election_id: str, place: str = "") -> Answer[Series]:
        return self._ask(("series", election_id, place), lambda: _series(self._source.series(election_id, place, POINTS_MAX), place))

    def at(self, election_id: str, moment: datetime) -> Answer[Then]:
        return self._ask(
            ("at", election_id, moment), lambda: then(self._now(election_id), moment, *self._source.before(election_id, moment))
        )

    def ahead(self, election_id: str) -> Answer[Mapping[str, Ahead]]:
        return self._ask(
            ("ahead", election_id), lambda: {place: ahead_of(votes) for place, votes in self._source.best(election_id).items()}
        )

    def place(self, election_id: str, county: str, city: str = "") -> Answer[Result]:
        return self._ask(
            ("place", election_id, county, city),
            lambda: place_result(self._now(election_id), county, city, self._source.place(election_id, county, city)),
        )

    def person(self, hashed: bytes) -> Answer[Person]:
        """Whom a session stands for; nobody in particular, if it is none or is over."""
        return self._ask(("person", hashed), lambda: self._source.person(hashed, self._clock()) or PUBLIC)

    def _now(self, election_id: str) -> Result:
        return (self._look().results or {}).get(election_id, Result(election_id))

    def _ask(self, question: Question, ask: Callable[[], T]) -> Answer[T]:
        with self._change:
            known = self._known.setdefault(question, _Known(ask))
            self._known.move_to_end(question)
            while len(self._known) > ANSWERS_MAX:
                self._known.popitem(last=False)
            is_old = known.tried_s is None or self._monotonic() - known.tried_s >= ANSWER_FRESH_S
            if is_old and not known.is_waiting:
                known.is_waiting = True
                known.has_come.clear()
                self._waiting.append(known)
                self._change.notify_all()
            may_come_soon = is_old and not self._trouble
        if may_come_soon:
            known.has_come.wait(WAIT_S)
        return cast("Answer[T]", known.answer)

    def _answer_all(self) -> None:
        while (known := self._next()) is not None:
            asked_at = self._clock()
            try:
                answer, trouble = Answer(known.ask(), asked_at), ""
            except ServiceError as error:
                trouble = str(error)
                answer = Answer(known.answer.value, known.answer.asked_at, trouble)
            except Exception as error:  # the thread must live on: it is the only one, and pages say what they miss
                log.exception("a question of the page failed in a way that nobody expected")
                trouble = f"{type(error).__name__}: {error}"
                answer = Answer(known.answer.value, known.answer.asked_at, trouble)
            with self._change:
                self._trouble = trouble
                known.answer, known.tried_s, known.is_waiting = answer, self._monotonic(), False
            known.has_come.set()
        self._source.close()

    def _next(self) -> _Known | None:
        """The question that has waited longest; None when it is over."""
        with self._change:
            while not self._waiting and not self._is_closed:
                self._change.wait()
            return None if self._is_closed else self._waiting.pop(0)


def _series(past: history.Series, place: str) -> Series:
    step = past.ends[1] - past.ends[0] if len(past.ends) > 1 else timedelta(minutes=1)
    return Series(tuple(past.ends), {candidate_id: tuple(votes) for candidate_id, votes in past.votes.items()}, step, place)
