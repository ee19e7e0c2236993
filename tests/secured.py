"""A broker that lets nobody in who does not say who they are: the embedded one, with listeners that ask, and certificates made here."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livetally.adapters.access import secured
from livetally.embedded.broker import Broker, properties
from livetally.embedded.jars import fetch, read_lock
from livetally.embedded.java import make_java_home
from livetally.embedded.logs import RotatingLog
from livetally.embedded.process import Command
from livetally.settings import KafkaSettings, Settings, cache_dir_of
from servers import free_port, kafka_answers
from waiting import wait_for

LISTENERS = ("PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL", "SSL")  # the first is the broker's own
USER = "ann"
SCRAM_PASSWORD = "only-for-scram-4711"
PLAIN_PASSWORD = 'of "PLAIN" \\ 0815'  # what has a meaning in the configuration of logins
LOGIN = "org.apache.kafka.common.security"


class SecuredBroker(Broker):
    """On a port for each kind of listener."""

    def __init__(self, directory: Path, certificates: Path, ports: dict[str, int], **others: Any) -> None:
        super().__init__(directory, port=ports["PLAINTEXT"], **others)
        self._certificates = certificates
        self._listeners = ports

    def _write_properties(self, name: str, data: Path) -> Path:
        path = self._directory / name
        lines = (f"{key}={value}\n".replace("\\", "\\\\") for key, value in (self._usual(data) | self._secured()).items())
        path.write_text("".join(lines))
        return path

    def _run(self, main_class: str, *arguments: str, heap_mb: int, is_preparation: bool = False) -> Command:
        if is_preparation:
            users = [f"{mechanism}=[name={USER},password={SCRAM_PASSWORD}]" for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")]
            arguments = (*arguments, *(word for user in users for word in ("--add-scram", user)))
        return super()._run(main_class, *arguments, heap_mb=heap_mb, is_preparation=is_preparation)

    def _usual(self, data: Path) -> dict[str, str]:
        return properties(data, *self._ports)

    def _secured(self) -> dict[str, str]:
        listeners = [f"{name}://127.0.0.1:{port}" for name, port in self._listeners.items()]
        plain_user = PLAIN_PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
        found = {
            "listeners": ",".join([*listeners, f"CONTROLLER://127.0.0.1:{self._ports[1]}"]),
            "advertised.listeners": ",".join(listeners),
            "listener.security.protocol.map": ",".join(f"{name}:{name}" for name in LISTENERS) + ",CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._certificates / "server-with-key.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._certificates / "ca.pem"),
            "listener.name.ssl.ssl.client.auth": "required",
        }
        for name in ("sasl_plaintext", "sasl_ssl"):
            found |= {
                f"listener.name.{name}.plain.sasl.jaas.config": f'{LOGIN}.plain.PlainLoginModule required user_{USER}="{plain_user}";',
                f"listener.name.{name}.scram-sha-256.sasl.jaas.config": f"{LOGIN}.scram.ScramLoginModule required;",
                f"listener.name.{name}.scram-sha-512.sasl.jaas.config": f"{LOGIN}.scram.ScramLoginModule required;",
            }
        return found


@dataclass(frozen=True)
class Secured:
    """Where it is, and what a person has to know to be let in."""

    ports: dict[str, int]
    certificates: Path

    @property
    def plain(self) -> str:
        """The listener that asks nothing, for the tests' own eyes."""
        return f"127.0.0.1:{self.ports['PLAINTEXT']}"

    def settings(
        self, protocol: str, mechanism: str | None = None, password: str | None = None, *, shows: str | None = None
    ) -> dict[str, str]:
        """By the names that settings have, without their prefix."""
        found = {"kafka_bootstrap_servers": f"127.0.0.1:{self.ports[protocol]}", "kafka_security_protocol": protocol}
        if mechanism is not None:
            right = PLAIN_PASSWORD if mechanism == "PLAIN" else SCRAM_PASSWORD
            found |= {"kafka_sasl_mechanism": mechanism, "kafka_sasl_username": USER, "kafka_sasl_password": password or right}
        if protocol.endswith("SSL"):
            found["kafka_ssl_ca_file"] = str(self.certificates / "ca.pem")
        if shows is not None:
            found |= {
                "kafka_ssl_certificate_file": str(self.certificates / f"{shows}.pem"),
                "kafka_ssl_key_file": str(self.certificates / f"{shows}.key"),
            }
        return found

    def servers(self, protocol: str, mechanism: str | None = None, password: str | None = None, *, shows: str | None = None) -> str:
        """What stages are given."""
        return servers_of(self.settings(protocol, mechanism, password, shows=shows))


def servers_of(settings: dict[str, str]) -> str:
    return secured(settings["kafka_bootstrap_servers"], KafkaSettings.model_validate(settings))


@contextmanager
def secured_broker(directory: Path) -> Iterator[Secured]:
    certificates = make_certificates(directory / "certificates")
    ports = {name: free_port() for name in LISTENERS}
    jars: Sequence[Path] = fetch({"kafka": read_lock()["kafka"]}, cache_dir_of(Settings()))["kafka"]
    java = make_java_home(directory / "java") / "bin" / "java"
    place = directory / "kafka"
    place.mkdir()
    broker = SecuredBroker(
        place,
        certificates,
        ports,
        log=RotatingLog(place / "unused.log", 1_000_000),
        controller_port=free_port(),
        memory_mb=384,
        java=java,
        jars=jars,
        probe=kafka_answers,
    )
    said = (place / "kafka.log").open("wb")
    with said:
        child = None
        for command in broker.steps():
            environment = {**os.environ, **(command.env or {})}
            child = subprocess.Popen(command.argv, env=environment, cwd=command.cwd, stdout=said, stderr=said)
            if command.is_preparation:
                assert child.wait(60) == 0, (place / "kafka.log").read_text()
        assert child is not None
        running = child
        try:
            wait_for(lambda: kafka_answers(broker.bootstrap_servers) or running.poll() is not None, "the broker answers")
            assert running.poll() is None, (place / "kafka.log").read_text()
            yield Secured(ports, certificates)
        finally:
            running.kill()
            running.wait()


def make_certificates(directory: Path) -> Path:
    """An authority, and what it has signed: a server on loopback, a client. And a client that another authority has signed."""
    directory.mkdir(parents=True)
    openssl = shutil.which("openssl")
    assert openssl is not None, "the tests make certificates with openssl"

    def run(*arguments: str) -> None:
        done = subprocess.run([openssl, *arguments], cwd=directory, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    (directory / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for authority in ("ca", "other-ca"):
        run("req", "-x509", *new_key, "-keyout", f"{authority}.key", "-out", f"{authority}.pem", "-days", "2", "-subj", f"/CN={authority}")
    for name, authority in (("server", "ca"), ("client", "ca"), ("stranger", "other-ca")):
        run("req", *new_key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signing = ("-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        run("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signing)
    (directory / "server-with-key.pem").write_text((directory / "server.key").read_text() + (directory / "server.pem").read_text())
    return directory
