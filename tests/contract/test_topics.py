"""Topics are made as the contract says, left alone when they are right, and refused by name when they are not."""

from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from livetally.adapters.topics import Identity, Topics
from livetally.core.errors import ServiceError, TopicError
from livetally.core.wire import BALLOTS, PER_CANDIDATE, REJECTED, VOTERS, VOTES, topics
from pipeline import PARTITIONS, WITHIN_S, Servers, recreate, wait_for

WANTED = topics(PARTITIONS)
MISSING = "a_topic_that_nobody_made"


@pytest.fixture
def nothing(servers: Servers) -> Iterator[AdminClient]:
    """A broker without any topic of ours."""
    for deleted in servers.admin.delete_topics(list(existing(servers))).values() if existing(servers) else ():
        deleted.result(WITHIN_S)
    wait_for(lambda: not existing(servers), "all topics are gone")
    yield servers.admin
    recreate(servers.admin, WANTED)


def existing(servers: Servers) -> set[str]:
    return {name for name in servers.admin.list_topics(timeout=WITHIN_S).topics if not name.startswith("__")}


def config_of(servers: Servers, name: str) -> dict[str, str | None]:
    resource = ConfigResource(ResourceType.TOPIC, name)
    found = servers.admin.describe_configs([resource])[resource].result(WITHIN_S)
    return {key: entry.value for key, entry in found.items()}


def identified(servers: Servers, name: str) -> Identity:
    found: list[Identity] = []

    def ask() -> bool:
        try:
            found.append(Topics(servers.kafka).identity(name))
        except ServiceError:
            return False  # the broker is told by the controller a moment later
        return True

    wait_for(ask, f"{name} is described")
    return found[-1]


@pytest.mark.usefixtures("nothing")
def test_all_are_made_as_the_contract_says_and_once(servers: Servers) -> None:
    ours = Topics(servers.kafka)
    assert ours.ensure(WANTED, 1) == [topic.name for topic in WANTED]
    wait_for(lambda: existing(servers) == {topic.name for topic in WANTED}, "all topics are there")
    assert ours.existing() == {topic.name: topic.partitions for topic in WANTED}
    for topic in WANTED:
        config = config_of(servers, topic.name)
        assert {key: config[key] for key in topic.config()} == topic.config(), topic.name
    before = {topic.name: identified(servers, topic.name) for topic in WANTED}
    assert ours.ensure(WANTED, 1) == []
    assert {topic.name: identified(servers, topic.name) for topic in WANTED} == before


@pytest.mark.usefixtures("pipeline")
def test_what_others_rely_on(servers: Servers) -> None:
    """The fixed part of the contract, word for word: not read from the code that makes it."""
    partitions = Topics(servers.kafka).existing()
    assert partitions[BALLOTS] == partitions[VOTES] == partitions[REJECTED]
    ballots = config_of(servers, "ballots_topic")
    assert (ballots["message.timestamp.type"], ballots["retention.ms"], ballots["retention.bytes"]) == ("LogAppendTime", "-1", "-1")
    for name in ("voters_topic", "votes_topic", "rejected_ballots"):
        config = config_of(servers, name)
        assert (config["cleanup.policy"], config["retention.ms"], config["retention.bytes"]) == ("delete", "-1", "-1"), name
    for name in ("candidates_topic", "aggregated_votes_per_candidate", "aggregated_turnout_by_location", "aggregated_turnout_by_age"):
        assert config_of(servers, name)["cleanup.policy"] == "compact", name
    assert int(config_of(servers, "rejected_ballots")["max.message.bytes"] or 0) > int(ballots["max.message.bytes"] or 0)


@pytest.mark.parametrize(
    ("name", "partitions", "config", "complaint"),
    [
        (VOTES, 2, {}, f"votes_topic has 2 partitions, and needs {PARTITIONS} (LIVETALLY_BALLOT_PARTITIONS)"),
        (PER_CANDIDATE, 2, {"cleanup.policy": "compact"}, "aggregated_votes_per_candidate has 2 partitions, and needs 1"),
        (
            BALLOTS,
            PARTITIONS,
            {"message.timestamp.type": "CreateTime"},
            "ballots_topic has message.timestamp.type=CreateTime, and needs LogAppendTime",
        ),
        (VOTERS, PARTITIONS, {"retention.ms": "604800000"}, "voters_topic has retention.ms=604800000, and needs -1"),
        (PER_CANDIDATE, 1, {"cleanup.policy": "delete"}, "aggregated_votes_per_candidate has cleanup.policy=delete, and needs compact"),
    ],
)
def test_a_topic_that_does_not_fit_is_named_and_nothing_is_made(
    servers: Servers, nothing: AdminClient, name: str, partitions: int, config: dict[str, str], complaint: str
) -> None:
    right = next(topic for topic in WANTED if topic.name == name).config()
    nothing.create_topics([NewTopic(name, partitions, 1, config=right | config)])[name].result(WITHIN_S)
    wait_for(lambda: name in existing(servers), f"{name} is there")
    with pytest.raises(TopicError) as refused:
        Topics(servers.kafka).ensure(WANTED, 1)
    assert complaint in str(refused.value)
    assert str(refused.value).count("and needs") == 1
    assert existing(servers) == {name}


def test_an_older_topic_of_ours_is_set_right_without_being_touched(servers: Servers, nothing: AdminClient) -> None:
    """Before the ballots' topic unpacked what comes in, it was made without that setting."""
    older = {
        name: value for name, value in next(one for one in WANTED if one.name == BALLOTS).config().items() if name != "compression.type"
    }
    nothing.create_topics([NewTopic(BALLOTS, PARTITIONS, 1, config=older)])[BALLOTS].result(WITHIN_S)
    before = identified(servers, BALLOTS)
    Topics(servers.kafka).ensure(WANTED, 1)
    wait_for(lambda: config_of(servers, BALLOTS)["compression.type"] == "uncompressed", "the broker has heard of it")
    assert identified(servers, BALLOTS) == before


def test_every_fault_is_named_at_once(servers: Servers, nothing: AdminClient) -> None:
    for name in (VOTES, REJECTED):
        nothing.create_topics([NewTopic(name, 1, 1)])[name].result(WITHIN_S)
    wait_for(lambda: existing(servers) == {VOTES, REJECTED}, "both are there")
    with pytest.raises(TopicError) as refused:
        Topics(servers.kafka).ensure(WANTED, 1)
    for complaint in ("votes_topic has 1 partitions", "votes_topic has retention.ms", "rejected_ballots has 1 partitions"):
        assert complaint in str(refused.value)


@pytest.mark.usefixtures("nothing")
def test_two_who_make_them_at_once_are_both_content(servers: Servers) -> None:
    topic = WANTED[0]
    assert Topics(servers.kafka).create(topic, 1)
    assert not Topics(servers.kafka).create(topic, 1)


@pytest.mark.usefixtures("nothing")
def test_too_many_copies_are_refused_with_the_name(servers: Servers) -> None:
    with pytest.raises(TopicError, match=r"voters_topic could not be created: .*[Rr]eplication"):
        Topics(servers.kafka).ensure(WANTED, 3)


@pytest.mark.usefixtures("pipeline")
def test_a_topic_made_again_is_another_topic_of_the_same_cluster(servers: Servers) -> None:
    ours, ballots = Topics(servers.kafka), next(topic for topic in WANTED if topic.name == BALLOTS)
    before = ours.identity(BALLOTS)
    assert ours.identity(BALLOTS) == before
    assert ours.identity(VOTES).topic_id != before.topic_id
    recreate(servers.admin, [ballots])
    after = ours.identity(BALLOTS)
    assert after.cluster_id == before.cluster_id
    assert after.topic_id != before.topic_id


@pytest.mark.usefixtures("pipeline")
def test_a_topic_that_does_not_exist(servers: Servers) -> None:
    ours = Topics(servers.kafka)
    with pytest.raises(ServiceError, match=MISSING):
        ours.identity(MISSING)
    ours.delete(MISSING)  # gone is gone


def test_no_broker_is_no_answer_and_says_where() -> None:
    nobody = Topics("127.0.0.1:9")
    assert not nobody.answer()


@pytest.mark.usefixtures("pipeline")
def test_a_living_broker_answers(servers: Servers) -> None:
    assert Topics(servers.kafka).answer()
