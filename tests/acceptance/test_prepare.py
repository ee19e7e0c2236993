"""What `livetally prepare` has made is used, and does no harm when it does not fit."""

import subprocess
from pathlib import Path

import psutil
import pytest

from livetally.embedded import java
from livetally.embedded.java import missing_head_starts


@pytest.mark.usefixtures("pipeline")
def test_the_broker_has_begun_with_its_head_start() -> None:
    assert missing_head_starts() == []  # `livetally test` has prepared, as anybody may
    running = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    assert any(f"-XX:AOTCache={java.head_starts()}/kafka.aot" in line and "kafka.Kafka" in line for line in running)


@pytest.mark.parametrize("content", [b"", b"no head start" * 1000])
def test_a_file_that_is_none_is_passed_over(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spark.aot").write_bytes(content)
    monkeypatch.setattr(java, "head_starts", lambda: tmp_path)
    home = java.make_java_home(tmp_path / "java")
    done = subprocess.run(
        [home / "bin" / "java", "-cp", str(tmp_path), "org.apache.spark.deploy.SparkSubmit"], capture_output=True, text=True, check=False
    )
    assert "ClassNotFoundException: org.apache.spark.deploy.SparkSubmit" in done.stderr  # Java has begun, and looked for what is not there
