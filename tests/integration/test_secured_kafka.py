"""A Kafka that lets nobody in who does not say who they are: every kind of client, every kind of listener, and what a refusal says."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from livetally.adapters.access import spark_options
from livetally.adapters.kafka import Announcer, reader
from livetally.adapters.publisher import AllOrNothing, Outgoing
from livetally.adapters.reading import bounds, read_range
from livetally.adapters.topics import Topics
from livetally.core.errors import ServiceError
from livetally.core.wire import Topic
from livetally.settings import Settings
from pipeline import Spark
from secured import PLAIN_PASSWORD, SCRAM_PASSWORD, Secured, secured_broker, servers_of
from waiting import wait_for

END = 3  # behind two messages and the marker of a transaction that was committed

WAYS_IN: dict[str, dict[str, Any]] = {
    "passwords": {"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN"},
    "scram": {"protocol": "SASL_PLAINTEXT", "mechanism": "SCRAM-SHA-256"},
    "scram over tls": {"protocol": "SASL_SSL", "mechanism": "SCRAM-SHA-512"},
    "certificates": {"protocol": "SSL", "shows": "client"},
}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured_broker(tmp_path_factory.mktemp("secured")) as broker:
        yield broker


def mechanism_or_protocol(way: dict[str, Any]) -> str:
    return str(way.get("mechanism") or way["protocol"])


@pytest.mark.parametrize("way", WAYS_IN.values(), ids=WAYS_IN.keys())
def test_each_way_in(broker: Secured, way: dict[str, Any], spark: Spark, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Of each kind of client one: administration, producers with and without transactions, consumers, Spark."""
    servers = broker.servers(**way)
    topics, name = Topics(servers), f"topic-{mechanism_or_protocol(way)}"
    assert topics.answer()
    topics.ensure([Topic(name, 1, "all", "a topic of a test")], 1)
    announcer = Announcer(servers)
    announcer.send(name, b"key", b"announced")
    announcer.flush()
    AllOrNothing(servers, "a test").publish([Outgoing(name, b"key", b"published")])
    with closing(reader(servers)) as client:
        # A commit is answered before its marker lies in the partition, and until then nobody may read what was committed.
        wait_for(lambda: bounds(client, name, 0)[1] == END, "the transaction can be read")
        assert [message.value() for message in read_range(client, name, 0, 0, END)] == [b"announced", b"published"]
    settings = Settings(data_dir=tmp_path, spark_master="local[1]", spark_memory_mb=512)
    frame = spark.session(settings).read.format("kafka").options(**spark_options(servers)).option("subscribe", name).load()
    assert [bytes(row.value) for row in frame.select("value").collect()] == [b"announced", b"published"]
    frame.explain("extended")
    said = "".join(capfd.readouterr())
    assert "Relation" in said
    for secret in (SCRAM_PASSWORD, PLAIN_PASSWORD, "PRIVATE KEY"):
        assert secret not in said


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "wrong password": ({"protocol": "SASL_PLAINTEXT", "mechanism": "SCRAM-SHA-512", "password": "guessed"}, "Authentication failed"),
    "wrong password, in the clear": ({"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN", "password": "guessed"}, "Authentication failed"),
    # TLS 1.3: the broker refuses when the client believes that all is well, and the client's library often sees a broken connection only.
    "no certificate": ({"protocol": "SSL"}, "certificate required|transport failure"),
    "certificate of somebody else": ({"protocol": "SSL", "shows": "stranger"}, "unknown ca|certificate|transport failure"),
}


@pytest.mark.parametrize(("way", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_who_is_refused_is_told_why_and_nothing_secret(broker: Secured, way: dict[str, Any], why: str) -> None:
    with pytest.raises(ServiceError, match=rf"(?is)does not answer: .*({why}).*LIVETALLY_KAFKA") as refused:
        Topics(broker.servers(**way)).existing()
    assert "guessed" not in str(refused.value)


def test_a_broker_of_an_authority_that_is_not_trusted_is_refused(broker: Secured) -> None:
    own = broker.settings("SSL", shows="client") | {"kafka_ssl_ca_file": str(broker.certificates / "other-ca.pem")}
    with pytest.raises(ServiceError, match=r"(?i)certificate verify failed"):
        Topics(servers_of(own)).existing()


def test_without_settings_nobody_gets_in(broker: Secured) -> None:
    for protocol in ("SASL_PLAINTEXT", "SASL_SSL", "SSL"):
        assert not Topics(f"127.0.0.1:{broker.ports[protocol]}").answer()
    assert Topics(broker.plain).answer()
