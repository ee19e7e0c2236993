"""What it takes to be let in by Kafka: what settings are asked for together, and what clients are told."""

from pathlib import Path

import pytest

from livetally.adapters.access import client_settings, secured, spark_options
from livetally.core.errors import UsageError
from livetally.settings import PREFIX, KafkaSettings, read_settings

SERVERS = "kafka-1:9093,kafka-2:9093"
SASL = {"SASL_MECHANISM": "SCRAM-SHA-512", "SASL_USERNAME": "ann", "SASL_PASSWORD": 'very "secret" \\ 1'}
CERTIFICATE, KEY = "-----BEGIN CERTIFICATE-----\nMII\n", "-----BEGIN PRIVATE KEY-----\nMIG\n"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # where no `.env` lies
    for name, text in (
        ("ca.pem", CERTIFICATE),
        ("own.pem", CERTIFICATE),
        ("own.key", KEY),
        ("old.key", "-----BEGIN RSA PRIVATE KEY-----\n"),
    ):
        (tmp_path / name).write_text(text)
    return tmp_path


def set_to(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"{PREFIX}KAFKA_{name}", value)


FAULTS: dict[str, tuple[dict[str, str], list[str]]] = {
    "no Kafka to be let in": ({"SECURITY_PROTOCOL": "SSL"}, ["SECURITY_PROTOCOL: is for a Kafka that"]),
    "SASL without anything": (
        {"BOOTSTRAP_SERVERS": SERVERS, "SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
        ["SASL_MECHANISM: is missing", "SASL_USERNAME: is missing", "SASL_PASSWORD: is missing"],
    ),
    "SASL that is not used": (
        {"BOOTSTRAP_SERVERS": SERVERS, **SASL},
        ["SASL_MECHANISM: would not be used", "SASL_USERNAME: would not be used", "SASL_PASSWORD: would not be used"],
    ),
    "SSL that is not used": (
        {"BOOTSTRAP_SERVERS": SERVERS, "SECURITY_PROTOCOL": "SASL_PLAINTEXT", **SASL, "SSL_CA_FILE": "ca.pem"},
        ["SSL_CA_FILE: would not be used"],
    ),
    "files that are not there, or are something else": (
        {
            "BOOTSTRAP_SERVERS": SERVERS,
            "SECURITY_PROTOCOL": "SSL",
            "SSL_CA_FILE": "nowhere.pem",
            "SSL_CERTIFICATE_FILE": "own.key",
            "SSL_KEY_FILE": "old.key",
        },
        ["SSL_CA_FILE: nowhere.pem cannot be read", "SSL_CERTIFICATE_FILE: own.key holds no", "SSL_KEY_FILE: old.key holds no"],
    ),
    "a certificate without its key": (
        {"BOOTSTRAP_SERVERS": SERVERS, "SECURITY_PROTOCOL": "SSL", "SSL_CERTIFICATE_FILE": "own.pem"},
        ["SSL_KEY_FILE: is missing"],
    ),
    "a key without its certificate": (
        {"BOOTSTRAP_SERVERS": SERVERS, "SECURITY_PROTOCOL": "SSL", "SSL_KEY_FILE": "own.key"},
        ["SSL_CERTIFICATE_FILE: is missing"],
    ),
    "a protocol that there is not": ({"BOOTSTRAP_SERVERS": SERVERS, "SECURITY_PROTOCOL": "TLS"}, ["SECURITY_PROTOCOL: Input should be"]),
}


@pytest.mark.parametrize(("given", "faults"), FAULTS.values(), ids=FAULTS.keys())
def test_what_does_not_fit_together_is_told_at_once(
    files: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], faults: list[str]
) -> None:
    set_to(monkeypatch, given)
    with pytest.raises(UsageError, match=f"^{len(faults)} of the settings cannot be used") as refused:
        read_settings()
    said = str(refused.value)
    assert all(f"{PREFIX}KAFKA_{fault}" in said for fault in faults), said
    assert SASL["SASL_PASSWORD"] not in said
    assert files.is_dir()


@pytest.mark.usefixtures("files")
def test_it_is_told_beside_whatever_else_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(monkeypatch, {"SECURITY_PROTOCOL": "SSL", "PORT": "0"})
    monkeypatch.setenv("LIVETALLY_RECORDRS", "2")
    with pytest.raises(UsageError, match=r"^3 of the settings cannot be used"):
        read_settings()


@pytest.mark.usefixtures("files")
def test_what_fits_together_is_told_to_both_kinds_of_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(
        monkeypatch,
        {
            "BOOTSTRAP_SERVERS": SERVERS,
            "SECURITY_PROTOCOL": "SASL_SSL",
            **SASL,
            "SSL_CA_FILE": "ca.pem",
            "SSL_CERTIFICATE_FILE": "own.pem",
            "SSL_KEY_FILE": "own.key",
        },
    )
    servers = secured(SERVERS, read_settings())
    assert servers == SERVERS
    assert client_settings(servers) == {
        "bootstrap.servers": SERVERS,
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ann",
        "sasl.password": 'very "secret" \\ 1',
        "ssl.ca.location": "ca.pem",
        "ssl.certificate.location": "own.pem",
        "ssl.key.location": "own.key",
    }
    assert spark_options(servers) == {
        "kafka.bootstrap.servers": SERVERS,
        "kafka.security.protocol": "SASL_SSL",
        "kafka.sasl.mechanism": "SCRAM-SHA-512",
        "kafka.sasl.jaas.config": (
            'org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="very \\"secret\\" \\\\ 1";'
        ),
        "kafka.ssl.truststore.type": "PEM",
        "kafka.ssl.truststore.certificates": CERTIFICATE,
        "kafka.ssl.keystore.type": "PEM",
        "kafka.ssl.keystore.certificate.chain": CERTIFICATE,
        "kafka.ssl.keystore.key": KEY,
    }


def test_where_nothing_is_needed_the_address_is_all() -> None:
    assert type(secured(SERVERS, KafkaSettings())) is str
    assert client_settings(SERVERS) == {"bootstrap.servers": SERVERS}
    assert spark_options(SERVERS) == {"kafka.bootstrap.servers": SERVERS}


def test_whatever_is_printed_of_it_is_the_address() -> None:
    settings = KafkaSettings.model_validate(
        {
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_mechanism": "PLAIN",
            "kafka_sasl_username": "ann",
            "kafka_sasl_password": "hush",
        }
    )
    servers = secured(SERVERS, settings)
    assert [str(servers), f"{servers}", repr(servers)] == [SERVERS, SERVERS, repr(SERVERS)]
    for shown in (repr(settings), repr(vars(servers)) if hasattr(servers, "__dict__") else "", repr(getattr(servers, "security", ""))):
        assert "hush" not in shown
