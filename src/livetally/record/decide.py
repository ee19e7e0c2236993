"""From messages to verdicts: parse what was cast, let the ledger decide."""

from collections.abc import Iterable

from livetally.adapters.kafka import Message
from livetally.adapters.ledger import Cast
from livetally.core.ballots import parse
from livetally.core.wire import ms_text


def read_ballots(messages: Iterable[Message]) -> list[Cast]:
    """Each message as a ballot or as malformed; no input raises. The time is the broker's, not the voter's."""
    return [
        Cast(
            message.partition() or 0, message.offset() or 0, ms_text(message.timestamp()[1]) + "+00", parse(message.key(), message.value())
        )
        for message in messages
    ]
