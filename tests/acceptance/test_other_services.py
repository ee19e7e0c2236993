"""Services that somebody else runs: one data directory's `up` is somebody else to another."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from commandline import Begun, Livetally, wait_until
from composefile import VARIABLES, our_services
from livetally.show.dashboard import answers


@pytest.fixture(scope="module")
def addresses(livetally: Livetally) -> Iterator[dict[str, str]]:
    """A broker, a database and a Spark cluster of one worker."""
    livetally("up", "--spark-workers", "1")
    found = {one["service"]: one["address"] for one in livetally.json("status")["services"]}
    assert found["spark"].startswith("spark://")
    yield {"KAFKA_BOOTSTRAP_SERVERS": found["kafka"], "DATABASE_URL": found["database"], "SPARK_MASTER": found["spark"]}
    livetally("down")


def test_an_election_on_services_of_somebody_else_starts_none_of_its_own(addresses: dict[str, str], tmp_path: Path) -> None:
    here = Livetally(tmp_path / "data", **addresses)
    run = here.begin("run", "--voters", "1000", "--rate", "max", "--exit-when-done", "--no-dashboard")
    wait_until(lambda: "tallied" in run.said() or run.process.poll() is not None, "the election is under way")
    names = {" ".join(process.cmdline()) for process in here.processes()}
    assert run.wait() == 0, run.said()
    assert not any("kafka.Kafka" in name or "postgres" in name.split(" ")[0] for name in names), names
    assert not {"kafka", "postgres", "postgres-is-in"} & {entry.name for entry in here.data_dir.iterdir()}
    assert here.json("audit")["ok"]
    assert here.json("results")["total_votes"] > 500
    assert "somebody else's" in here("run", "--fresh", expect=2).stderr


def test_every_service_of_the_compose_file_does_its_work(addresses: dict[str, str], tmp_path: Path) -> None:
    """Each with its command and environment as a process here; only the containers' addresses are replaced by real ones."""
    replaced = {f"LIVETALLY_{name}": address for name, address in addresses.items()} | {
        "LIVETALLY_SPARK_DRIVER_HOST": "127.0.0.1",
        "LIVETALLY_CHECKPOINT_URL": (tmp_path / "checkpoints").as_uri(),
        "LIVETALLY_DASHBOARD_ADDRESS": "127.0.0.1",
        "LIVETALLY_DATA_DIR": str(tmp_path / "data"),
    }
    services = our_services({**VARIABLES, "VOTERS": "700", "RATE": "max"})
    assert services.keys() == {"register", "simulate", "record", "tally", "dashboard"}
    commands: dict[str, tuple[Livetally, list[str]]] = {}
    for name, service in services.items():
        commands[name] = (Livetally(tmp_path / "data"), service.command)
        commands[name][0].environment |= {key: replaced.get(key, value) for key, value in service.environment.items()}

    def begin(name: str) -> Begun:
        here, command = commands[name]
        return here.begin(*command)

    register, arguments = commands["register"]
    before = _tallied(register)
    register(*arguments)
    record, tally, page = begin("record"), begin("tally"), begin("dashboard")
    simulate, arguments = commands["simulate"]
    simulate(*arguments)
    try:
        wait_until(lambda: _tallied(register) > before + 300, f"votes are tallied\n{record.said()}\n{tally.said()}")
        url = re.search(r"http://\S+", page.said())
        assert url is not None
        wait_until(lambda: answers(url.group()), "the page answers")
    finally:
        ended = [one.end() for one in (page, tally, record)]
    assert ended == [0, 0, 0]
    assert register.json("audit")["ok"]


def _tallied(livetally: Livetally) -> int:
    return int(
        livetally.json(
            "sql",
            "SELECT coalesce(sum(votes), 0) AS votes FROM cells JOIN tally_generations USING (generation) WHERE tally_generations.state = 'shown'",
        )[0]["votes"]
    )
