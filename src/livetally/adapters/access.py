"""What clients of a Kafka need to be let in: told to librdkafka in its words, to Java's client, which Spark uses, in those of Java.

docs/decisions/0019-kafka-access-travels-with-the-address.md says why it is a kind of text.
"""

from dataclasses import dataclass
from typing import Self

from livetally.settings import KafkaSettings

LOGIN_MODULES = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


@dataclass(frozen=True, slots=True, repr=False)
class Security:
    """As the two kinds of clients have it. It holds secrets, and therefore shows nothing of itself."""

    client: dict[str, str]
    java: dict[str, str]


class SecuredServers(str):
    """Bootstrap servers, `host:port[,host:port]`, with what it takes to be let in. As text it is the addresses alone, so it can be told."""

    __slots__ = ("security",)

    security: Security

    @classmethod
    def of(cls, bootstrap_servers: str, security: Security) -> Self:
        made = cls(bootstrap_servers)
        made.security = security
        return made


def secured(bootstrap_servers: str, settings: KafkaSettings) -> str:
    """The addresses with the settings for them; as they are where nothing but the address is needed."""
    if settings.kafka_security_protocol == "PLAINTEXT":
        return bootstrap_servers
    return SecuredServers.of(bootstrap_servers, Security(_client(settings), _java(settings)))


def client_settings(bootstrap_servers: str) -> dict[str, str]:
    """For every client of librdkafka."""
    security = bootstrap_servers.security.client if isinstance(bootstrap_servers, SecuredServers) else {}
    return {"bootstrap.servers": str(bootstrap_servers)} | security


def spark_options(bootstrap_servers: str) -> dict[str, str]:
    """For Spark's source. What files say is in them, not their names: executors on other machines need none."""
    security = bootstrap_servers.security.java if isinstance(bootstrap_servers, SecuredServers) else {}
    return {f"kafka.{name}": value for name, value in ({"bootstrap.servers": str(bootstrap_servers)} | security).items()}


def _client(settings: KafkaSettings) -> dict[str, str]:
    found: dict[str, str] = {"security.protocol": settings.kafka_security_protocol}
    if settings.kafka_uses_sasl:
        found |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism or "",
            "sasl.username": settings.kafka_sasl_username or "",
            "sasl.password": _password(settings),
        }
    files = {
        "ssl.ca.location": settings.kafka_ssl_ca_file,
        "ssl.certificate.location": settings.kafka_ssl_certificate_file,
        "ssl.key.location": settings.kafka_ssl_key_file,
    }
    return found | {name: str(path) for name, path in files.items() if path is not None}


def _java(settings: KafkaSettings) -> dict[str, str]:
    found: dict[str, str] = {"security.protocol": settings.kafka_security_protocol}
    if settings.kafka_uses_sasl and settings.kafka_sasl_mechanism is not None:
        module = LOGIN_MODULES[settings.kafka_sasl_mechanism]
        user, password = _quoted(settings.kafka_sasl_username or ""), _quoted(_password(settings))
        found |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.jaas.config": f"{module} required username={user} password={password};",
        }
    if settings.kafka_ssl_ca_file is not None:
        found |= {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": settings.kafka_ssl_ca_file.read_text("ascii")}
    if settings.kafka_ssl_certificate_file is not None and settings.kafka_ssl_key_file is not None:
        found |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.certificate.chain": settings.kafka_ssl_certificate_file.read_text("ascii"),
            "ssl.keystore.key": settings.kafka_ssl_key_file.read_text("ascii"),
        }
    return found


def _password(settings: KafkaSettings) -> str:
    return settings.kafka_sasl_password.get_secret_value() if settings.kafka_sasl_password else ""


def _quoted(text: str) -> str:
    """As Java's configuration of logins reads it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
