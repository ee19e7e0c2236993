"""Several batches under way at once: while PostgreSQL decides one, the one before is published and the next one is read.

They stay in order, and nothing overtakes a batch that failed: those behind it are dropped, and read again.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

AHEAD_MAX = 2  # batches under way besides the one that is being read: one in each of the two steps

Read = TypeVar("Read")
Done = TypeVar("Done")


class Line(Generic[Read, Done]):
    """Two steps, a thread for each. Used by one thread."""

    def __init__(self, decide: Callable[[Read], Done], publish: Callable[[Done], bool]) -> None:
        """`publish` says whether the batch was published for sure."""
        self._decide = decide
        self._publish = publish
        self._decider = ThreadPoolExecutor(1, "decide")
        self._publisher = ThreadPoolExecutor(1, "publish")
        self._under_way: deque[Future[None]] = deque()
        self._is_broken = False

    @property
    def is_broken(self) -> bool:
        """Whether a batch has failed since the last `finish`."""
        return self._is_broken

    @property
    def is_idle(self) -> bool:
        return all(one.done() for one in self._under_way)

    def put(self, batch: Read) -> bool:
        """Send a batch on its way, as soon as there is room. False if one before it failed: it is dropped then, and all must be read again."""
        if not self._is_broken:
            decided = self._decider.submit(self._decide_in_turn, batch)
            self._under_way.append(self._publisher.submit(self._publish_in_turn, decided))
            while len(self._under_way) > AHEAD_MAX:
                self._under_way.popleft().result()
        return not self._is_broken

    def finish(self) -> bool:
        """Wait for all that is under way. False if something failed; then the line is clear, and all must be read again."""
        self.settle()
        while self._under_way:
            self._under_way.popleft().result()
        was_broken, self._is_broken = self._is_broken, False
        return not was_broken

    def settle(self) -> None:
        """Wait for all that is under way, whatever becomes of it. Raises nothing: `finish` does."""
        wait(self._under_way)

    def close(self) -> None:
        self._is_broken = True
        self._decider.shutdown()
        self._publisher.shutdown()

    def _decide_in_turn(self, batch: Read) -> Done | None:
        if self._is_broken:
            return None
        try:
            return self._decide(batch)
        except BaseException:
            self._is_broken = True  # at once: no later ballot may be decided before an earlier one
            raise

    def _publish_in_turn(self, decided: Future[Done | None]) -> None:
        done = decided.result()
        if done is None or self._is_broken:
            return
        try:
            is_published = self._publish(done)
        except BaseException:
            self._is_broken = True
            raise
        if not is_published:
            self._is_broken = True
