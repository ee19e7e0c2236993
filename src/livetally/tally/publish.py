"""Announcing totals: absolute, keyed, versioned, so that nobody has to have seen the message before."""

from collections.abc import Iterable, Mapping

import orjson

from livetally.adapters.cells import Total
from livetally.adapters.kafka import KafkaException, producer
from livetally.core.errors import ServiceError
from livetally.core.tally import UNKNOWN, VIEWS

TRANSACTIONAL_ID = "livetally-tally"  # fixed: whoever comes second fences the first
START_TIMEOUT_S = 30.0

_VIEW = {view.name: view for view in VIEWS}


class Publisher:
    """The one publisher of the aggregated topics. Not for use after an error: make a new one, and publish the batch again."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._producer = producer(bootstrap_servers, TRANSACTIONAL_ID)
        try:
            self._producer.init_transactions(START_TIMEOUT_S)
        except KafkaException as error:
            raise ServiceError(f"Kafka does not let the tally begin to publish: {error.args[0].str()}") from error

    def publish(self, messages: Iterable[tuple[str, bytes, bytes]]) -> None:
        """All of them or none. Raises ServiceError if that did not work or is unknown; publishing again is harmless."""
        try:
            self._producer.begin_transaction()
            for topic, key, value in messages:
                self._producer.produce(topic, value, key)
            self._producer.commit_transaction()
        except (KafkaException, BufferError) as error:
            reason = error.args[0].str() if isinstance(error, KafkaException) else "the queue is full"
            raise ServiceError(f"The totals could not be published: {reason}") from error


def messages(
    totals: Iterable[Total],
    generation: int,
    candidates: Mapping[str, tuple[str, str, str]],
    registered: Mapping[tuple[str, tuple[str, ...]], int],
    as_of: str,
) -> list[tuple[str, bytes, bytes]]:
    """Topic, key and value of the message of each total."""
    found = []
    for total in totals:
        view = _VIEW[total.view]
        value: dict[str, object] = dict(zip(view.group, total.group, strict=True))
        if view.name == "candidate":
            name, party, photo = candidates.get(total.group[0], (UNKNOWN, UNKNOWN, ""))
            value |= {"candidate_name": name, "party_affiliation": party, "photo_url": photo}
        value[view.total] = total.votes
        if (voters := registered.get((view.name, total.group))) is not None:
            value["registered"] = voters
        value |= {"election_id": total.election_id, "version": [generation, total.batch], "as_of": as_of}
        found.append((view.topic, view.key(total.election_id, total.group), orjson.dumps(value)))
    return found
