"""A whole election on Spark's standalone cluster: a master and two workers, one of which is killed on the way."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from commandline import ROOT, Begun, Livetally, wait_until

EXECUTOR = "CoarseGrainedExecutorBackend"
FIRST, ALL, MORE = 300, 5000, 5300  # people who are registered; those who come later vote later
BALLOTS_PER_S = 250
VENV = Path(sys.executable).parent
SUBMIT = ROOT / "src/livetally/submit.py"


@pytest.fixture(scope="module")
def here(livetally: Livetally, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Livetally]:
    """The command line of somebody who is told where Kafka, PostgreSQL and the cluster are."""
    livetally("up", "--spark-workers", "2")
    found = {one["service"]: one["address"] for one in livetally.json("status")["services"]}
    data_dir = tmp_path_factory.mktemp("cluster") / "data"
    yield Livetally(data_dir, KAFKA_BOOTSTRAP_SERVERS=found["kafka"], DATABASE_URL=found["database"], SPARK_MASTER=found["spark"])
    livetally("down")


def test_an_election_on_two_workers_of_which_one_is_killed(livetally: Livetally, here: Livetally) -> None:
    tally = here.begin("tally")
    here("register", "--voters", str(FIRST))
    record = here.begin("record")
    here("simulate")
    wait_until(lambda: _has_counted(livetally, 1), f"the first votes are counted\n{tally.said()}")
    workers = [_pid_of(livetally, f"spark-worker-{number}") for number in (1, 2)]
    executors = [one for worker in workers for one in psutil.Process(worker or 0).children() if EXECUTOR in " ".join(one.cmdline())]
    assert len(executors) == 2, "each worker has an executor"

    here("register", "--voters", str(ALL))
    simulate = here.begin("simulate", "--rate", str(BALLOTS_PER_S))
    wait_until(lambda: _has_counted(livetally, FIRST + 1), f"votes are counted as they come\n{tally.said()}")
    os.kill(workers[0] or 0, signal.SIGKILL)
    wait_until(lambda: not executors[0].is_running(), "its executor dies with it")
    assert simulate.process.poll() is None, "it was killed while people voted"
    assert simulate.wait() == 0
    wait_until(lambda: _is_settled(livetally), f"all votes are counted\n{tally.said()}")
    wait_until(lambda: _pid_of(livetally, "spark-worker-1") not in (None, workers[0]), "a worker is started in its place")
    assert [tally.end(), record.end()] == [0, 0]

    audit, results = here.json("audit"), here.json("results")
    assert audit["ok"]
    assert audit["tallied"] == audit["accepted"] == results["total_votes"] > ALL / 2
    (checkpoint,) = (here.data_dir / "checkpoints").iterdir()
    assert not (checkpoint / "state").exists(), "executors keep nothing, so no worker has to reach the checkpoint"


def test_the_same_job_as_spark_submit_takes_it(livetally: Livetally, here: Livetally) -> None:
    """People who come late; the count goes on where it was."""
    counted = here.json("audit")["tallied"]
    here("register", "--voters", str(MORE))
    environment = here.environment | {"PYSPARK_PYTHON": sys.executable, "JAVA_HOME": str(here.data_dir / "java")}
    master = here.environment["LIVETALLY_SPARK_MASTER"]
    jars = Livetally(here.data_dir, (sys.executable, str(SUBMIT)))("--jars").stdout.strip()
    submitted = Begun([str(VENV / "spark-submit"), "--master", master, "--jars", jars, str(SUBMIT)], environment, here.data_dir.parent)
    record = here.begin("record")
    here("simulate")
    try:
        wait_until(lambda: _has_counted(livetally, counted + 1) and _is_settled(livetally), f"all is counted\n{submitted.said()}")
    finally:
        os.killpg(submitted.process.pid, signal.SIGINT)  # as a terminal does
        submitted.wait()
        assert record.end() == 0
    assert here.json("audit")["ok"]


def _has_counted(livetally: Livetally, votes: int) -> bool:
    return int(livetally.json("status")["counts"]["tallied"]) >= votes


def _is_settled(livetally: Livetally) -> bool:
    return bool(livetally.json("status")["settled"])


def _pid_of(livetally: Livetally, process: str) -> int | None:
    found = livetally.json("status")["processes"].get(process)
    return None if found is None else int(found)
