"""Publishing many messages as one: all of them or none."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from livetally.adapters.kafka import TRANSACTION_TIMEOUT_MS, KafkaException, Producer, producer
from livetally.core.errors import ServiceError
from livetally.core.wire import Headers

START_TIMEOUT_S = 30.0  # `init_transactions` waits until a predecessor's transaction is out of the way
# After this the broker has aborted the transaction by itself. Without a limit the client can wait for ever for a broker that was killed
# meanwhile. Whoever gives up does not go on with this producer: a new one fences it, and with it whatever is still on its way.
GIVE_UP_S = TRANSACTION_TIMEOUT_MS / 1000
ANY_PARTITION = -1


class Outgoing(NamedTuple):
    topic: str
    key: bytes | None
    value: bytes | None
    partition: int = ANY_PARTITION
    headers: Headers | None = None


def transactional(bootstrap_servers: str, transactional_id: str) -> Producer:
    """A producer ready for its first transaction; from now on any older one with this id is fenced."""
    fresh = producer(bootstrap_servers, transactional_id)
    try:
        fresh.init_transactions(START_TIMEOUT_S)
    except KafkaException as error:
        raise ServiceError(f"Kafka does not let {transactional_id} begin to publish: {error.args[0].str()}") from error
    return fresh


def produce(transaction: Producer, messages: Iterable[Outgoing]) -> None:
    for topic, key, value, partition, headers in messages:
        while True:
            try:
                if headers is None:
                    transaction.produce(topic, value, key, partition)
                else:
                    transaction.produce(topic, value, key, partition, headers=headers)
            except BufferError:  # the queue is full: let the broker take some
                transaction.poll(0.1)
            else:
                break


class AllOrNothing:
    """A publisher with a fixed transactional id. After an error: make a new one, and publish again."""

    def __init__(self, bootstrap_servers: str, transactional_id: str) -> None:
        self._producer = transactional(bootstrap_servers, transactional_id)

    def publish(self, messages: Iterable[Outgoing], before_commit: Callable[[], None] = lambda: None) -> None:
        """Raises ServiceError if nothing was published or that is unknown."""
        try:
            self._producer.begin_transaction()
            produce(self._producer, messages)
            before_commit()
            self._producer.commit_transaction(GIVE_UP_S)
        except KafkaException as error:
            raise ServiceError(f"Messages could not be published: {error.args[0].str()}") from error
