"""Batches stay in order, whatever fails; and three of them really are under way at once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetally.record.line import AHEAD_MAX, Line
from waiting import WITHIN_S, wait_for


class FailureError(Exception):
    """Of a step."""


class Gate:
    """A place at which a thread stops until it is let through."""

    def __init__(self) -> None:
        self._reached, self._open = threading.Event(), threading.Event()

    def passing(self) -> None:
        self._reached.set()
        assert self._open.wait(WITHIN_S), "nobody opened the gate"

    def await_somebody(self) -> None:
        assert self._reached.wait(WITHIN_S), "nobody came"

    def open(self) -> None:
        self._open.set()


class Steps:
    """Two steps that note what they do. A batch is its number; what is done to certain ones can be said beforehand."""

    def __init__(self) -> None:
        self.decided: list[int] = []
        self.published: list[int] = []
        self.deciding: dict[int, Callable[[], object]] = {}
        self.publishing: dict[int, Callable[[], object]] = {}  # False refuses

    def decide(self, batch: int) -> str:
        if batch in self.deciding:
            self.deciding[batch]()
        self.decided.append(batch)
        return str(batch)

    def publish(self, done: str) -> bool:
        batch = int(done)
        if batch in self.publishing and self.publishing[batch]() is False:
            return False
        self.published.append(batch)
        return True


def fail() -> None:
    raise FailureError


def refuse() -> bool:
    return False


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def line(steps: Steps) -> Iterator[Line[int, str]]:
    with closing(Line(steps.decide, steps.publish)) as line:
        yield line


def test_batches_go_through_in_their_order(steps: Steps, line: Line[int, str]) -> None:
    assert all(line.put(batch) for batch in range(100))
    assert line.finish()
    assert steps.decided == steps.published == list(range(100))
    assert line.is_idle
    assert not line.is_broken


def test_nothing_comes_of_nothing(line: Line[int, str]) -> None:
    assert line.is_idle
    line.settle()
    assert line.finish()


def test_while_one_is_published_the_next_is_decided_and_another_can_be_read(steps: Steps, line: Line[int, str]) -> None:
    publishing, deciding = Gate(), Gate()
    steps.publishing[0], steps.deciding[1] = publishing.passing, deciding.passing
    assert line.put(0)
    assert line.put(1), "it does not wait for anything: the reader goes on"
    publishing.await_somebody()
    deciding.await_somebody()  # both at once: neither gate is open yet
    assert not line.is_idle
    assert (steps.decided, steps.published) == ([0], [])
    deciding.open()
    publishing.open()
    assert line.finish()
    assert steps.published == [0, 1]


def test_no_more_are_under_way_than_agreed(steps: Steps, line: Line[int, str]) -> None:
    """Or memory would fill up with what was read."""
    put = 0
    ahead: list[int] = []
    for batch in range(200):
        steps.publishing[batch] = lambda: ahead.append(put - len(steps.published))
    for batch in range(200):
        assert line.put(batch)
        put = batch + 1
    assert line.finish()
    assert max(ahead) <= AHEAD_MAX


@pytest.mark.parametrize("step", ["deciding", "publishing"])
def test_behind_an_exception_nothing_is_decided_any_more_and_nothing_published(steps: Steps, line: Line[int, str], step: str) -> None:
    getattr(steps, step)[3] = fail
    with pytest.raises(FailureError):
        put_until_it_fails(line)
    assert line.is_broken
    line.settle()
    decided, published = list(steps.decided), list(steps.published)
    assert published == [0, 1, 2][: len(published)], "what was decided and not published when it happened is dropped too"
    assert not line.put(99)
    line.settle()
    assert (steps.decided, steps.published) == (decided, published)
    if step == "deciding":
        assert decided == [0, 1, 2]
    else:
        assert published == [0, 1, 2]


def put_until_it_fails(line: Line[int, str]) -> None:
    for batch in count():
        if not line.put(batch):
            line.finish()


def test_behind_a_batch_that_was_not_published_nothing_is(steps: Steps, line: Line[int, str]) -> None:
    """The one behind it may be decided already. It is dropped, like all that would follow it."""
    gate = Gate()

    def refuses_when_the_next_is_being_decided() -> bool:
        gate.await_somebody()
        return False

    steps.deciding[2] = gate.passing
    steps.publishing[1] = refuses_when_the_next_is_being_decided
    assert line.put(0)
    assert line.put(1)
    line.put(2)  # there is room when 0 is through; 1 may have failed by then
    gate.open()
    line.settle()
    assert line.is_broken
    assert not line.put(3), "it is dropped"
    assert not line.put(4)
    assert (steps.decided, steps.published) == ([0, 1, 2], [0])
    assert not line.finish(), "all must be read again"
    assert line.finish(), "and from now on the line is clear"
    steps.publishing.clear()
    assert line.put(1)
    assert line.put(2)
    assert line.finish()
    assert steps.published == [0, 1, 2]


def test_a_batch_that_waits_while_the_one_before_it_fails_is_not_even_begun(steps: Steps, line: Line[int, str]) -> None:
    gate = Gate()

    def fails_later() -> None:
        gate.passing()
        raise FailureError

    steps.deciding[0] = fails_later
    assert line.put(0)
    assert line.put(1), "there is room for two"
    gate.await_somebody()
    gate.open()
    with pytest.raises(FailureError):
        line.finish()
    assert (steps.decided, steps.published) == ([], [])


def test_what_was_decided_before_the_failure_of_the_next_one_is_still_published(steps: Steps, line: Line[int, str]) -> None:
    """Its verdicts are stored and stand; only its own publication can fail."""
    publishing, deciding = Gate(), Gate()

    def fails_later() -> None:
        deciding.passing()
        raise FailureError

    steps.publishing[0], steps.deciding[1] = publishing.passing, fails_later
    assert line.put(0)
    assert line.put(1)
    publishing.await_somebody()
    deciding.await_somebody()
    deciding.open()
    publishing.open()
    with pytest.raises(FailureError):
        line.finish()
    assert steps.published == [0]


def test_settling_waits_and_raises_nothing(steps: Steps, line: Line[int, str]) -> None:
    gate = Gate()

    def fails_while_the_other_is_published() -> None:
        gate.await_somebody()
        raise FailureError

    steps.publishing[0] = gate.passing
    steps.deciding[1] = fails_while_the_other_is_published
    assert line.put(0)
    line.put(1)
    gate.await_somebody()
    settled = threading.Thread(target=line.settle)
    settled.start()
    assert settled.is_alive()
    assert not line.is_idle
    gate.open()
    settled.join(WITHIN_S)
    assert not settled.is_alive()
    assert (line.is_idle, line.is_broken) == (True, True)
    with pytest.raises(FailureError):
        line.finish()


def test_what_fails_while_the_line_is_settled_is_told_by_the_next_call(steps: Steps, line: Line[int, str]) -> None:
    steps.publishing[0] = refuse
    line.put(0)
    line.settle()
    assert line.is_broken
    assert not line.put(1)
    assert not line.finish()
    assert steps.decided == [0]


def test_closing_lets_end_what_has_begun_and_begins_nothing_more(steps: Steps) -> None:
    line = Line(steps.decide, steps.publish)
    publishing, deciding = Gate(), Gate()
    steps.publishing[0], steps.deciding[1] = publishing.passing, deciding.passing
    assert line.put(0)
    assert line.put(1)
    publishing.await_somebody()
    deciding.await_somebody()
    closed = threading.Thread(target=line.close)
    closed.start()
    wait_for(lambda: line.is_broken, "what is decided from now on is not published")
    deciding.open()
    publishing.open()
    closed.join(WITHIN_S)
    assert not closed.is_alive()
    assert (steps.decided, steps.published) == ([0, 1], [0])


def test_closing_after_a_failure_raises_nothing_more(steps: Steps) -> None:
    line = Line(steps.decide, steps.publish)
    steps.deciding[0] = fail
    line.put(0)
    line.close()
    line.close()


@given(st.integers(1, 12), st.sets(st.integers(0, 11), max_size=4), st.sets(st.integers(0, 11), max_size=4))
def test_who_reads_again_from_what_was_not_published_misses_nothing_and_repeats_nothing(
    batches: int, refused: set[int], failing: set[int]
) -> None:
    """Steps fail the first time they see certain batches."""
    steps = Steps()

    def fails_once(batch: int) -> None:
        del steps.deciding[batch]
        raise FailureError

    def refuses_once(batch: int) -> bool:
        del steps.publishing[batch]
        return False

    steps.deciding |= {batch: partial(fails_once, batch) for batch in failing}
    steps.publishing |= {batch: partial(refuses_once, batch) for batch in refused}
    while len(steps.published) < batches:
        with closing(Line(steps.decide, steps.publish)) as line, suppress(FailureError):  # a new one behind each exception
            read_all(line, steps, batches)
    assert steps.published == list(range(batches))


def read_all(line: Line[int, str], steps: Steps, batches: int) -> None:
    """As *record* reads: from behind what is published, and from there again after a failure."""
    following = len(steps.published)
    while following < batches:
        is_fine = line.put(following)
        following += 1
        if not is_fine or following == batches:
            line.finish()
            following = len(steps.published)
