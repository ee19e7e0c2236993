"""Every setting, read once from the environment and `.env`; the only module that reads either.

All faults are reported together, with the name of the variable. A variable that starts with
`LIVETALLY_` and means nothing is a fault too: it is a typing error, and silence would hide it.
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from livetally.core.errors import UsageError

PREFIX = "LIVETALLY_"
ENV_FILE = ".env"

Port = Annotated[int, Field(ge=1, le=65535)]

DATABASE_URL = "postgresql://user:password@host:port/voting"
DATABASE_SCHEMES = ("postgresql://", "postgres://")  # as PostgreSQL has them
# What no part of an address may hold as it is: blanks, and a percent sign that is none of an escaped character.
UNESCAPED = re.compile(r"[\x00-\x20\x7f]|%(?![0-9A-Fa-f]{2})|%00")


class KafkaSettings(BaseSettings):
    """How clients reach Kafka. Apart from the rest, so that what does not fit together here is told whatever else is wrong."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    kafka_bootstrap_servers: str | None = Field(None, description="Kafka to use instead of the embedded broker, `host:port[,host:port]`")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how that Kafka is spoken to: `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        None, description="with SASL: `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`"
    )
    kafka_sasl_username: str | None = Field(None, description="with SASL: the user")
    kafka_sasl_password: SecretStr | None = Field(None, description="with SASL: the password")
    kafka_ssl_ca_file: Path | None = Field(
        None, description="with SSL: PEM file of the authorities to trust (default: those that system and Java trust)"
    )
    kafka_ssl_certificate_file: Path | None = Field(
        None, description="with SSL: PEM file of the certificate to show, where Kafka asks for one, and those between it and the authority"
    )
    kafka_ssl_key_file: Path | None = Field(
        None, description="with SSL: PEM file of that certificate's key, in PKCS #8, without a password"
    )

    @property
    def kafka_uses_sasl(self) -> bool:
        return self.kafka_security_protocol.startswith("SASL_")

    @property
    def kafka_uses_ssl(self) -> bool:
        return self.kafka_security_protocol.endswith("SSL")

    def contradictions(self) -> list[str]:
        """What is wrong with these settings together, though not with any alone."""
        protocol = "KAFKA_SECURITY_PROTOCOL"
        faults = []
        if self.kafka_security_protocol != "PLAINTEXT" and self.kafka_bootstrap_servers is None:
            faults.append(_fault(protocol, "is for a Kafka that LIVETALLY_KAFKA_BOOTSTRAP_SERVERS names; the embedded broker knows none"))
        for name in ("kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password"):
            if self.kafka_uses_sasl and not getattr(self, name):
                faults.append(_fault(name, f"is missing; {PREFIX}{protocol} is {self.kafka_security_protocol}"))
            elif not self.kafka_uses_sasl and getattr(self, name) is not None:
                faults.append(_fault(name, f"would not be used; {PREFIX}{protocol} is {self.kafka_security_protocol}, not one with SASL"))
        files = ("kafka_ssl_ca_file", "kafka_ssl_certificate_file", "kafka_ssl_key_file")
        for name in files:
            path: Path | None = getattr(self, name)
            if path is not None and not self.kafka_uses_ssl:
                faults.append(_fault(name, f"would not be used; {PREFIX}{protocol} is {self.kafka_security_protocol}, not one with SSL"))
            elif path is not None and (wrong := _wrong_with_pem(path, is_key=name == files[2])):
                faults.append(_fault(name, wrong))
        for name, other in (files[1:], files[:0:-1]):
            if getattr(self, name) is None and getattr(self, other) is not None:
                faults.append(_fault(name, f"is missing; {PREFIX}{other.upper()} is set, and one is of no use without the other"))
        return faults


def _fault(name: str, wrong: str) -> str:
    return f"{PREFIX}{name.upper()}: {wrong}"


def _told(fault: ErrorDetails) -> str:
    """What is wrong with one setting, and what it is, unless that is a secret."""
    name = str(fault["loc"][0])
    annotation = Settings.model_fields[name].annotation
    is_secret = SecretStr in (annotation, *get_args(annotation))
    return _fault(name, fault["msg"] if is_secret else f"{fault['msg']} (it is {fault['input']!r})")


def _wrong_with_database_url(url: str) -> str | None:
    """In words that repeat none of it: wherever the password begins and ends, it may be anywhere in a wrong one."""
    if not url.startswith(DATABASE_SCHEMES):
        return f"it begins with none of {' and '.join(DATABASE_SCHEMES)}; an address is {DATABASE_URL}"
    if _takes_apart(url):
        return None
    return (
        f"it cannot be taken apart into {DATABASE_URL}. In user and password a blank is written as %20, and of other signs "
        "% as %25, / as %2F, ? as %3F, # as %23, @ as %40, [ as %5B, ] as %5D; the port is a number"
    )


def _takes_apart(url: str) -> bool:
    """Whether everybody reads the same parts in it: PostgreSQL takes the first @ for the end of the password, others the last one."""
    try:
        address = urlsplit(url)
        _ = address.port  # which raises it, too, unless it is a number
    except ValueError:
        return False
    behind = address.path + address.query + address.fragment
    return not (UNESCAPED.search(url) or address.netloc.count("@") > 1 or "@" in behind or address.fragment)


def _wrong_with_pem(path: Path, *, is_key: bool) -> str | None:
    wanted = "-----BEGIN PRIVATE KEY-----" if is_key else "-----BEGIN CERTIFICATE-----"
    try:
        text = path.read_text("ascii", "replace")
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    if wanted in text:
        return None
    hint = "; `openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW` makes it of another form" if is_key and "PRIVATE KEY" in text else ""
    return f"{path} holds no {wanted}{hint}"


class Settings(KafkaSettings):
    """The description of each field is the documentation; a test holds the README's table against it."""

    # Services: where one is set, it is used instead of an embedded one.
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL to use instead of the embedded one, `postgresql://user:password@host:port/voting`"
    )
    spark_master: str = Field("local[*]", description="where Spark runs: `local[*]`, or a cluster's `spark://host:port`")

    # Places
    data_dir: Path = Field(Path(".livetally"), description="all that is kept: database, topics, checkpoints, logs")
    cache_dir: Path | None = Field(
        None, description="downloaded JARs, shared by all data directories (default: `livetally` in the user's cache directory)"
    )
    checkpoint_url: str | None = Field(
        None, description="where Spark keeps its checkpoint, any URL that Spark accepts (default: in the data directory)"
    )
    maven_repository: str | None = Field(None, description="repository to fetch JARs from (default: Maven's own default)")
    python: str | None = Field(
        None, description="the Python that `./livetally` makes `.venv` with (default: the newest of python3.13, 3.12, 3.11 and python3)"
    )
    randomuser_url: str = Field("https://randomuser.me/api/1.4/", description="the API behind `register --source randomuser`")

    # Addresses of what livetally starts, always on loopback; a taken port is replaced by a free one
    kafka_port: Port = Field(9092, description="port of the embedded broker")
    postgres_port: Port = Field(5432, description="port of the embedded PostgreSQL")
    dashboard_port: Port = Field(8501, description="port of the page")
    dashboard_address: str = Field("127.0.0.1", description="address that the page listens on; beyond loopback it has conditions")
    api_port: Port = Field(8502, description="port of the API")
    api_address: str = Field("127.0.0.1", description="address that the API listens on; beyond loopback it has conditions")
    api_behind_tls: bool = Field(
        False, description="whether a proxy with TLS stands in front of the API and the page; `true` once one does"
    )
    api_proxy_address: str | None = Field(
        None, description="address of that proxy, as the API sees it: from there alone `X-Forwarded-For` is believed"
    )
    metrics_port: Annotated[int, Field(ge=1, le=65535 - 5)] = Field(
        9400, description="port of the metrics of *register*; *simulate*, *record*, *tally*, *dashboard* and *api* have the five behind it"
    )
    metrics_address: str = Field("127.0.0.1", description="address that the metrics of every stage listen on")
    postgres_password: SecretStr = Field(
        SecretStr("postgres"), description="password of `postgres` in the embedded PostgreSQL, taken when its data is made"
    )

    # Limits
    kafka_memory_mb: int = Field(512, ge=128, description="heap of the embedded broker")
    spark_memory_mb: int = Field(1024, ge=512, description="heap of Spark's driver; in local mode that is all of Spark")
    spark_executor_memory_mb: int = Field(512, ge=256, description="heap of one executor on a cluster")
    spark_driver_host: str | None = Field(
        None,
        description="the address under which a cluster's workers reach the driver (default: Spark's choice; loopback with a local master)",
    )
    ballot_partitions: int = Field(
        2, ge=1, le=1024, description="partitions of `ballots_topic` and its outcomes, taken when topics are made; never changes afterwards"
    )
    recorders: int = Field(2, ge=1, le=64, description="processes of *record* that `run` starts; they share the partitions")
    replication_factor: int = Field(1, ge=1, le=5, description="copies of each partition, taken when topics are made")
    record_batch_ballots_max: int = Field(10_000, ge=1, le=100_000, description="ballots that *record* decides in one transaction at most")
    tally_batch_votes_max: int = Field(200_000, ge=1, description="votes that one batch of *tally* takes at most")
    tally_interval_ms: int = Field(400, ge=0, le=60_000, description="time between the starts of two batches of *tally*")
    api_body_bytes_max: int = Field(262_144, ge=4096, description="size of a request to the API at most")
    api_request_s_max: float = Field(10.0, gt=0, le=600, description="time until the API has begun to answer a request at most")
    api_requests_per_s: float = Field(
        50.0,
        gt=0,
        description="requests a second that the API takes from one address, and with one token, session or voting code; ten times as many at once",
    )
    api_logins_per_minute: float = Field(
        10.0,
        gt=0,
        description="attempts to sign in that the API takes from one address, and for one user; half of that from one address for one user",
    )
    api_ballot_wait_ms: int = Field(
        3_000, ge=100, le=60_000, description="time in which Kafka has to acknowledge a ballot, before the API says that it has not"
    )
    api_public_url: str | None = Field(
        None, description="where voters reach the API, as letters and receipts name it (default: `http://` and its address and port)"
    )
    log_bytes_max: int = Field(5_000_000, ge=10_000, description="size at which a log is rotated; three old ones are kept")

    @field_validator("database_url")
    @classmethod
    def _is_an_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and (wrong := _wrong_with_database_url(url.get_secret_value())):
            raise PydanticCustomError("database_url", "{wrong}", {"wrong": wrong})
        return url


def read_settings() -> Settings:
    """The settings of this process. Raises UsageError that names every fault at once."""
    faults = [f"{name}: there is no such setting" for name in sorted(_unknown_variables())]
    try:
        settings = Settings()
    except ValidationError as error:
        faults += map(_told, error.errors())
    with suppress(ValidationError):  # told above
        faults += KafkaSettings().contradictions()
    if not faults:
        return settings
    raise UsageError(
        "\n  ".join([f"{len(faults)} of the settings cannot be used:", *faults])
        + f"\nSet them in the environment or in {ENV_FILE}; the README lists them all."
    )


def cache_dir_of(settings: Settings) -> Path:
    """Where downloads are kept for all data directories."""
    if settings.cache_dir:
        return settings.cache_dir.resolve()
    named = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    home = named if named.is_absolute() else Path("~/.cache").expanduser()  # a relative one is to be ignored, says its specification
    return home / "livetally"


def environment_with(**settings: str) -> dict[str, str]:
    """The environment of this process with some settings changed, for a child process."""
    return dict(os.environ) | {PREFIX + name.upper(): value for name, value in settings.items()}


def is_ci() -> bool:
    """Whether this is a continuous-integration run, where nothing may be left out."""
    return bool(os.environ.get("CI"))


def _unknown_variables() -> set[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    return {name for name in os.environ if name.startswith(PREFIX)} - known
