"""A whole election on a Kafka that asks for a password and speaks TLS: every stage, Spark too, by the settings of the environment."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from commandline import Livetally, wait_until
from secured import SCRAM_PASSWORD, Secured, secured_broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Secured]:
    with secured_broker(tmp_path) as broker:
        yield broker


def test_a_whole_election_and_nobody_who_looks_sees_the_password(broker: Secured, tmp_path: Path) -> None:
    settings = {name.upper(): value for name, value in broker.settings("SASL_SSL", "SCRAM-SHA-512").items()}
    here = Livetally(tmp_path / "data", **settings)
    run = here.begin("run", "--voters", "500", "--rate", "max", "--exit-when-done")
    seen: set[str] = set()

    def is_over() -> bool:
        for process in here.processes():
            try:
                seen.add(" ".join(process.cmdline()))
            except psutil.Error:
                continue  # it has just ended
        return run.process.poll() is not None

    wait_until(is_over, "the election has been held")
    assert run.wait() == 0, run.said()
    assert {"record", "tally", "dashboard"} <= {word for line in seen for word in line.split()}, seen
    assert not any("kafka.Kafka" in line for line in seen), "a broker of its own was started"
    assert here.json("audit")["ok"]
    status = here("status", expect=1)  # the database ended with the run
    logs = "".join(path.read_text("utf-8", "replace") for path in (here.data_dir / "logs").iterdir())
    assert "recording" in logs
    for told in (*seen, run.said(), logs, status.stdout, status.stderr):
        assert SCRAM_PASSWORD not in told
    wrong = Livetally(here.data_dir, **settings | {"KAFKA_SASL_PASSWORD": "guessed"})("topics", expect=1).stderr
    assert "Authentication failed" in wrong, wrong
