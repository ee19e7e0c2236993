"""The places in the life of a batch where a crash is worth trying. The recovery suite kills the process at each of them."""

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """Before and after each step: first those of a start, then those of a batch, in their order."""

    # Of every start. The lock is taken before the first.
    NEWEST_KNOWN = "newest-known"  # the newest count, and nothing of its checkpoint touched
    BEFORE_PUBLISHER = "before-publisher"  # which fences the one before
    BEFORE_QUERY = "before-query"  # which writes into the checkpoint from now on

    # Of a count that begins from the first vote: the generation's row and an empty checkpoint.
    BEFORE_GENERATION = "before-generation"
    GENERATION_BEGUN = "generation-begun"  # stored, its checkpoint not made yet
    CHECKPOINT_BEGUN = "checkpoint-begun"

    # Of every start that has something to show: all totals are published again.
    BEFORE_TOTALS_AGAIN = "before-totals-again"
    AFTER_TOTALS_AGAIN = "after-totals-again"

    # Of a batch. Spark has written down what it reads before the first, and commits it in its checkpoint after the last.
    BEFORE_COLLECT = "before-collect"
    AFTER_COLLECT = "after-collect"
    BEFORE_STORE_COMMIT = "before-store-commit"  # all statements done, in a transaction that is still open
    AFTER_STORE_COMMIT = "after-store-commit"  # nothing published yet
    BEFORE_PUBLISH_COMMIT = "before-publish-commit"  # all messages sent, in a transaction that is still open
    AFTER_PUBLISH = "after-publish"  # not committed in the checkpoint yet

    # Of the batch with which a recount has caught up.
    BEFORE_SHOW = "before-show"
    AFTER_SHOW = "after-show"  # nothing of it published yet


Reached = Callable[[Point], None]


def unwatched(_point: Point) -> None:
    """What everybody but the recovery suite passes."""
