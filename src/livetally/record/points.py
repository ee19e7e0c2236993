"""The places in the life of a batch where a crash is worth trying. The fault suite kills the process at each of them."""

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """Before and after each step, in the order of a batch's life."""

    BEFORE_CONSUME = "before-consume"
    AFTER_CONSUME = "after-consume"
    BEFORE_LEDGER_COMMIT = "before-ledger-commit"
    AFTER_LEDGER_COMMIT = "after-ledger-commit"
    BEFORE_FIRST_PUBLISH = "before-first-publish"
    AFTER_FIRST_PUBLISH = "after-first-publish"
    BEFORE_TRANSACTION_COMMIT = "before-transaction-commit"
    AFTER_TRANSACTION_COMMIT = "after-transaction-commit"
    BEFORE_OFFSETS_SENT = "before-offsets-sent"
    AFTER_OFFSETS_SENT = "after-offsets-sent"
    BEFORE_PRODUCER_RENEWED = "before-producer-renewed"
    AFTER_PRODUCER_RENEWED = "after-producer-renewed"


Reached = Callable[[Point], None]


def unwatched(_point: Point) -> None:
    """What everybody but the fault suite passes."""
