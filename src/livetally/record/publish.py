"""One Kafka transaction per batch: the votes, the rejections and the position, all or nothing."""

import logging
from collections.abc import Callable, Iterator, Sequence

from livetally.adapters.kafka import Fault, KafkaException, fault_of
from livetally.adapters.ledger import Refusal, Vote
from livetally.adapters.publisher import Outgoing, produce, transactional
from livetally.core.wire import REJECTED, VOTES, ms_text, outcome_headers, rejection_headers, vote_message
from livetally.record.intake import Batch
from livetally.record.points import Point, Reached, unwatched

log = logging.getLogger(__name__)


class Publisher:
    """The transactional producer of one recorder slot."""

    def __init__(self, bootstrap_servers: str, slot: int, tail_of: Callable[[str], bytes], reached: Reached = unwatched) -> None:
        """`tail_of`: candidate_id -> `wire.vote_tail` of that candidate."""
        self._bootstrap_servers = bootstrap_servers
        self._transactional_id = f"livetally-record-{slot}"
        self._tail_of = tail_of
        self._reached = reached
        self._producer = transactional(bootstrap_servers, self._transactional_id)

    def publish(self, batch: Batch, verdicts: Sequence[Vote | Refusal]) -> bool:
        """Publish the verdicts of a batch, in its order. False if nothing was published or that is unknown: then rewind."""
        try:
            self._producer.begin_transaction()
            self._reached(Point.BEFORE_FIRST_PUBLISH)
            produce(self._producer, self._outcomes(batch, verdicts))
            # All of it on the broker first: a successor sees this transaction from now on, and waits for it, however long we pause here.
            self._producer.flush()
            self._reached(Point.AFTER_FIRST_PUBLISH)
            self._reached(Point.BEFORE_OFFSETS_SENT)
            self._producer.send_offsets_to_transaction(batch.next_offsets(), batch.membership)
            self._reached(Point.AFTER_OFFSETS_SENT)
            self._reached(Point.BEFORE_TRANSACTION_COMMIT)
            self._producer.commit_transaction()
            self._reached(Point.AFTER_TRANSACTION_COMMIT)
        except KafkaException as error:
            self._recover(error)
            return False
        return True

    def _outcomes(self, batch: Batch, verdicts: Sequence[Vote | Refusal]) -> Iterator[Outgoing]:
        for message, verdict in zip(batch.messages, verdicts, strict=True):
            time = ms_text(message.timestamp()[1])
            if isinstance(verdict, Vote):
                value = vote_message(verdict.voter_message.encode(), self._tail_of(verdict.candidate_id), time)
                headers = outcome_headers(verdict.partition, verdict.offset)
                yield Outgoing(VOTES, verdict.voter_id.encode(), value, verdict.partition, headers)
            else:
                headers = rejection_headers(verdict.reason, verdict.detail, verdict.partition, verdict.offset, time)
                yield Outgoing(REJECTED, message.key(), message.value(), verdict.partition, headers)

    def _recover(self, error: KafkaException) -> None:
        """Abort if that is certain to end the transaction; in every other case nobody knows, and a new producer fences the old one."""
        if fault_of(error.args[0]) is Fault.ABORTABLE:
            try:
                self._producer.abort_transaction()
            except KafkaException as second:
                log.warning("the transaction could not be aborted (%s); renewing the producer", second.args[0].str())
            else:
                log.warning("a batch was not published and is taken again: %s", error.args[0].str())
                return
        else:
            log.warning("whether a batch was published is unknown (%s); renewing the producer", error.args[0].str())
        self._reached(Point.BEFORE_PRODUCER_RENEWED)
        self._producer = transactional(self._bootstrap_servers, self._transactional_id)
        self._reached(Point.AFTER_PRODUCER_RENEWED)
