"""Topics: made by livetally, checked when somebody else made them, and identified, so that a ledger knows its ballots."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from livetally.adapters.access import client_settings
from livetally.adapters.kafka import ANSWER_TIMEOUT_S, SILENT
from livetally.core.errors import ServiceError, TopicError
from livetally.core.wire import Topic

MUST_MATCH = ("message.timestamp.type", "cleanup.policy", "retention.ms", "retention.bytes")  # a wrong segment size is no reason to refuse
REFUSED_WITHIN_S = 2.0
REFUSALS = {KafkaError._AUTHENTICATION, KafkaError._SSL}  # noqa: SLF001 (the client names its own codes with an underscore)
ANY_COMPRESSION = "producer"
SET_RIGHT = "compression.type"  # changing it touches nothing that lies there; older topics of ours do not have it


@dataclass(frozen=True, slots=True)
class Identity:
    """Which topic of which cluster this is: a topic that was deleted and made again has another id."""

    cluster_id: str
    topic_id: str


class Topics:
    def __init__(self, bootstrap_servers: str) -> None:
        self._admin = AdminClient({**client_settings(bootstrap_servers), "log_level": SILENT, "reconnect.backoff.max.ms": 2_000})
        self._bootstrap_servers = bootstrap_servers

    def answer(self) -> bool:
        """Whether the cluster answers a request right now."""
        try:
            return bool(self._admin.list_topics(timeout=2.0).brokers)
        except KafkaException:
            return False

    def existing(self) -> dict[str, int]:
        """Number of partitions of every topic that is not Kafka's own."""
        try:
            metadata = self._admin.list_topics(timeout=ANSWER_TIMEOUT_S)
        except KafkaException as error:
            raise ServiceError(
                f"Kafka at {self._bootstrap_servers} does not answer: {refusal(self._bootstrap_servers) or error.args[0].str()}. "
                "Check that it is running (`./livetally status`) and that LIVETALLY_KAFKA_BOOTSTRAP_SERVERS and the other settings for Kafka, "
                "if they are set, are right."
            ) from error
        return {name: len(topic.partitions) for name, topic in metadata.topics.items() if not name.startswith("__")}

    def ensure(self, wanted: Sequence[Topic], replication_factor: int) -> list[str]:
        """Create what is missing, check what exists; returns the names created. Raises TopicError if one cannot be used."""
        existing = self.existing()
        self._check([topic for topic in wanted if topic.name in existing], existing)
        return [topic.name for topic in wanted if topic.name not in existing and self.create(topic, replication_factor)]

    def create(self, topic: Topic, replication_factor: int) -> bool:
        """Make one topic; False if somebody else was quicker."""
        new = NewTopic(topic.name, topic.partitions, replication_factor, config=topic.config())
        try:
            self._admin.create_topics([new], request_timeout=ANSWER_TIMEOUT_S)[topic.name].result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return False
            raise TopicError(f"Topic {topic.name} could not be created: {error.args[0].str()}") from error
        return True

    def delete(self, name: str) -> None:
        try:
            self._admin.delete_topics([name], request_timeout=ANSWER_TIMEOUT_S)[name].result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise TopicError(f"Topic {name} could not be deleted: {error.args[0].str()}") from error

    def identity(self, name: str) -> Identity:
        """Raises ServiceError if there is no such topic."""
        try:
            described = self._admin.describe_topics(TopicCollection([name]), request_timeout=ANSWER_TIMEOUT_S)[name].result()
            cluster = self._admin.describe_cluster(request_timeout=ANSWER_TIMEOUT_S).result()
        except KafkaException as error:
            raise ServiceError(
                f"Kafka does not describe topic {name}: {error.args[0].str()}. `./livetally topics` shows what there is."
            ) from error
        return Identity(str(cluster.cluster_id), str(described.topic_id))

    def _set_right(self, topics: Sequence[Topic]) -> None:
        wanted = ((topic.name, _compression(topic)) for topic in topics)
        resources = [
            ConfigResource(
                ResourceType.TOPIC,
                name,
                incremental_configs=[ConfigEntry(SET_RIGHT, value, incremental_operation=AlterConfigOpType.SET)],
            )
            for name, value in wanted
        ]
        try:
            for done in self._admin.incremental_alter_configs(resources, request_timeout=ANSWER_TIMEOUT_S).values() if resources else ():
                done.result()
        except KafkaException as error:
            raise TopicError(f"{SET_RIGHT} of {', '.join(one.name for one in topics)} cannot be set: {error.args[0].str()}") from error

    def _check(self, topics: Sequence[Topic], partitions: dict[str, int]) -> None:
        resources = [ConfigResource(ResourceType.TOPIC, topic.name) for topic in topics]
        configs = self._admin.describe_configs(resources, request_timeout=ANSWER_TIMEOUT_S) if resources else {}
        found = {resource.name: future.result() for resource, future in configs.items()}
        self._set_right([topic for topic in topics if found[topic.name][SET_RIGHT].value != _compression(topic)])
        faults = []
        for topic in topics:
            if partitions[topic.name] != topic.partitions:
                faults.append(
                    f"{topic.name} has {partitions[topic.name]} partitions, and needs {topic.partitions} (LIVETALLY_BALLOT_PARTITIONS)"
                )
            wanted = topic.config()
            for name in MUST_MATCH:
                value = found[topic.name][name].value
                if name in wanted and value != wanted[name]:
                    faults.append(f"{topic.name} has {name}={value}, and needs {wanted[name]}")
        if faults:
            raise TopicError(
                "There are topics that livetally cannot use as they are:\n  " + "\n  ".join(faults) + "\nNothing was changed. "
                "Set them right with your Kafka tools, or use another cluster. A number of partitions cannot be changed afterwards: "
                "set LIVETALLY_BALLOT_PARTITIONS to what is there."
            )


def refusal(bootstrap_servers: str) -> str | None:
    """What a broker says that does not let us in, None if it says nothing: requests of ours only time out then."""
    heard: list[KafkaError] = []
    settings: dict[str, Any] = client_settings(bootstrap_servers) | {"log_level": SILENT, "error_cb": heard.append}
    client = AdminClient(settings)
    with suppress(KafkaException):
        client.list_topics(timeout=REFUSED_WITHIN_S)
    client.poll(0)
    return next((error.str() for error in heard if error.code() in REFUSALS), None)


def _compression(topic: Topic) -> str:
    return topic.config().get(SET_RIGHT, ANY_COMPRESSION)
