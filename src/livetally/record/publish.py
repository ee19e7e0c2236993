"""One Kafka transaction per batch: the votes, the rejections and the position, all or nothing."""

import logging
from collections.abc import Iterable, Iterator

from livetally.adapters.kafka import TRANSACTION_TIMEOUT_MS, Fault, KafkaException, fault_of
from livetally.adapters.publisher import Outgoing, produce, transactional
from livetally.core.verdicts import Counted
from livetally.core.wire import REJECTED, VOTES, ms_text, outcome_headers, rejection_headers, vote_message
from livetally.record.decide import Decided
from livetally.record.meter import Meter, Retry
from livetally.record.points import Point, Reached

# After this the broker has aborted the transaction by itself. Without a limit the client can wait for ever for a broker that was killed
# meanwhile. Whoever gives up does not go on with this producer: a new one fences it, and with it whatever is still on its way.
GIVE_UP_S = TRANSACTION_TIMEOUT_MS / 1000

log = logging.getLogger(__name__)


class Publisher:
    """The transactional producer of one recorder slot."""

    def __init__(self, bootstrap_servers: str, slot: int, reached: Reached, meter: Meter) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._transactional_id = f"livetally-record-{slot}"
        self._reached = reached
        self._meter = meter
        self._producer = transactional(bootstrap_servers, self._transactional_id)

    def publish(self, decided: Decided) -> bool:
        """Publish the verdicts of a batch, in its order. False if nothing was published or that is unknown: then rewind."""
        try:
            self._producer.begin_transaction()
            self._reached(Point.BEFORE_FIRST_PUBLISH)
            produce(self._producer, _outcomes(decided))
            # All of it on the broker first: a successor sees this transaction from now on, and waits for it, however long we pause here.
            self._producer.flush()
            self._reached(Point.AFTER_FIRST_PUBLISH)
            self._reached(Point.BEFORE_OFFSETS_SENT)
            self._producer.send_offsets_to_transaction(decided.batch.next_offsets(), decided.batch.membership, GIVE_UP_S)
            self._reached(Point.AFTER_OFFSETS_SENT)
            self._reached(Point.BEFORE_TRANSACTION_COMMIT)
            self._producer.commit_transaction(GIVE_UP_S)
            self._reached(Point.AFTER_TRANSACTION_COMMIT)
        except KafkaException as error:
            self._recover(error)
            return False
        return True

    def end_hanging(self, partitions: Iterable[int]) -> None:
        """End what an earlier producer of this name left open, and the broker has forgotten to end.

        Kafka 4 does not write the mark that ends a transaction where a partition has no leader yet, as just after a broker was killed,
        and never comes back to it (“likely deleted already and hence can be skipped”). Every reader would wait for ever. The mark that
        ends an empty transaction of the same name ends that one too: as aborted, so its ballots are read and published again.
        """
        log.warning("a transaction hangs; ending those of one producer", extra={"of": self._transactional_id})
        try:
            self._producer.begin_transaction()
            for partition in partitions:
                for topic in (VOTES, REJECTED):
                    self._producer.produce(topic, b"", partition=partition)  # aborted, so nobody ever reads it
            self._producer.flush()
            self._producer.abort_transaction(GIVE_UP_S)
        except KafkaException as error:
            self._recover(error)

    def _recover(self, error: KafkaException) -> None:
        """Abort if that is certain to end the transaction; in every other case nobody knows, and a new producer fences the old one."""
        why = error.args[0].str()
        if fault_of(error.args[0]) is Fault.ABORTABLE:
            try:
                self._producer.abort_transaction(GIVE_UP_S)
            except KafkaException as second:
                log.warning("a transaction could not be aborted; renewing the producer", extra={"why": second.args[0].str()})
            else:
                log.warning("a batch was not published and is taken again", extra={"why": why})
                self._meter.retried(Retry.NOT_PUBLISHED)
                return
        else:
            log.warning("whether a batch was published is unknown; renewing the producer", extra={"why": why})
            self._meter.retried(Retry.UNKNOWN_OUTCOME)
        self._reached(Point.BEFORE_PRODUCER_RENEWED)
        self._producer = transactional(self._bootstrap_servers, self._transactional_id)
        self._meter.producer_renewed()
        self._reached(Point.AFTER_PRODUCER_RENEWED)


def _outcomes(decided: Decided) -> Iterator[Outgoing]:
    batch, tails = decided.batch, decided.tails
    for number, (cast, verdict) in enumerate(zip(batch.casts, decided.verdicts, strict=True)):
        partition, offset, appended_ms, _ = cast
        time = ms_text(appended_ms)
        if isinstance(verdict, Counted):
            (_, voter_id, candidate_id), announcement = verdict
            value = vote_message(announcement, tails[candidate_id], time)
            yield Outgoing(VOTES, voter_id.encode(), value, partition, outcome_headers(partition, offset))
        else:
            message = batch.messages[number]
            headers = rejection_headers(verdict.reason, verdict.detail, partition, offset, time)
            yield Outgoing(REJECTED, message.key(), message.value(), partition, headers)
