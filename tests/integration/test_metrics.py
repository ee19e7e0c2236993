"""What the stages show of themselves while they work on real services, each as a process of its own."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.error import HTTPError

import psycopg
from prometheus_client.parser import text_string_to_metric_families

from livetally.commands.endpoints import Endpoint, living
from livetally.core.ballots import Reason
from pipeline import PARTITIONS, WITHIN_S, Pipeline, ballot, wait_for

SPARK_WITHIN_S = 180.0  # Spark starts slowly on a machine that is busy with other tests


class Stage:
    """A stage that runs, and what it shows."""

    def __init__(self, pipeline: Pipeline, name: str, *options: str) -> None:
        self._data_dir = pipeline.data_dir
        self._name = name
        self._log = pipeline.data_dir / f"said-{name}-{id(self)}.log"
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "livetally", name, *options],
                env=pipeline.environment(),
                cwd=pipeline.data_dir,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def said(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def endpoint(self, within_s: float = WITHIN_S) -> Endpoint:
        def mine() -> list[Endpoint]:
            assert self.process.poll() is None, self.said()
            return [one for one in living(self._data_dir) if one.pid == self.process.pid]

        wait_for(mine, f"{self._name} can be watched\n{self.said()}", within_s)
        return mine()[0]

    def ask(self, page: str) -> tuple[int, str]:
        return get(f"{self.endpoint().url}/{page}")

    def await_ready(self, within_s: float = WITHIN_S) -> None:
        self.endpoint(within_s)
        wait_for(lambda: self.ask("readyz") == (200, "ready"), f"{self._name} is ready", within_s)

    def numbers(self) -> Counter[str]:
        """Every sample: its name, or with labels `name{reason=malformed}`; what is not there is 0."""
        found: Counter[str] = Counter()
        for family in text_string_to_metric_families(self.ask("metrics")[1]):
            for sample in family.samples:
                labels = ",".join(f"{name}={value}" for name, value in sample.labels.items() if name != "stage")
                found[sample.name + (f"{{{labels}}}" if labels else "")] += sample.value  # type: ignore[assignment]  # not all are whole
        return found

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(WITHIN_S)


@contextmanager
def started(pipeline: Pipeline, name: str, *options: str) -> Iterator[Stage]:
    stage = Stage(pipeline, name, *options)
    try:
        yield stage
    finally:
        if stage.process.poll() is None:
            stage.process.kill()
            stage.process.wait()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=WITHIN_S) as response:  # noqa: S310 (our own address)
            return response.status, response.read().decode().strip()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode().strip()


def cast_all_kinds(pipeline: Pipeline) -> None:
    pipeline.hold_election(voters=20)
    pipeline.cast_votes(range(25))  # five are not registered
    pipeline.cast_votes(range(10), candidate_id="c0")
    pipeline.cast(b"no ballot", ballot("v1", election_id="nowhere"), ballot("v1", "nobody"))


def test_recorders_say_where_they_can_be_watched_that_they_are_well_and_ready(pipeline: Pipeline) -> None:
    cast_all_kinds(pipeline)
    with started(pipeline, "record") as first, started(pipeline, "record") as second:
        for recorder in (first, second):
            recorder.await_ready()
            assert recorder.ask("healthz") == (200, "ok")
            assert recorder.ask("anything")[0] == 404
            numbers = recorder.numbers()
            assert numbers["livetally_ready"] == 1
            assert numbers["process_resident_memory_bytes"] > 1e6
            for reason in Reason:
                assert f"livetally_record_rejected_total{{reason={reason}}}" in numbers
        assert first.endpoint().url != second.endpoint().url
        assert f"metrics={first.endpoint().url}/metrics" in first.said()
        listed = json.loads(command(pipeline, "status", "--json"))["stages"]
        assert {(one["stage"], one["pid"], one["metrics"], one["healthy"], one["ready"]) for one in listed} == {
            ("record", one.process.pid, f"{one.endpoint().url}/metrics", True, True) for one in (first, second)
        }
        pipeline.await_decided()
        assert (first.end(), second.end()) == (0, 0)
    assert living(pipeline.data_dir) == []


def test_a_recorder_counts_what_it_decides(pipeline: Pipeline) -> None:
    cast_all_kinds(pipeline)
    with started(pipeline, "record") as recorder:
        recorder.await_ready()
        pipeline.await_decided()
        wait_for(lambda: recorder.numbers()["livetally_record_ballots_total"] == 38, "all ballots are counted", 5.0)
        numbers = recorder.numbers()
        assert numbers["livetally_record_accepted_total"] == 20
        assert {reason: numbers[f"livetally_record_rejected_total{{reason={reason}}}"] for reason in Reason} == dict.fromkeys(
            Reason, 0
        ) | dict(pipeline.sql("SELECT reason, count(*) FROM rejections GROUP BY reason"))
        batches = numbers["livetally_record_batch_ballots_count"]
        assert numbers["livetally_record_batch_ballots_sum"] == 38
        assert batches >= 1
        assert numbers["livetally_record_step_seconds_count{step=decide}"] >= batches
        assert numbers["livetally_record_step_seconds_count{step=publish}"] >= batches
        assert numbers["livetally_record_step_seconds_sum{step=decide}"] > 0
        assert numbers["livetally_record_rebalances_total"] >= 1
        wait_for(
            lambda: all(f"livetally_record_lag_ballots{{partition={one}}}" in recorder.numbers() for one in range(PARTITIONS)),
            "lag is known",
        )
        assert all(recorder.numbers()[f"livetally_record_lag_ballots{{partition={one}}}"] == 0 for one in range(PARTITIONS))
        assert recorder.end() == 0


def test_the_other_stages_count_what_they_do(pipeline: Pipeline) -> None:
    """From the first voter to the page; a slow electorate leaves time to look at it."""
    with ExitStack() as stages:
        tally = stages.enter_context(started(pipeline, "tally"))  # first: Spark takes longest to start
        register = stages.enter_context(started(pipeline, "register", "--voters", "6000"))
        register.endpoint()
        assert register.process.wait(WITHIN_S) == 0, register.said()
        record = stages.enter_context(started(pipeline, "record"))
        page = stages.enter_context(started(pipeline, "dashboard"))
        simulate = stages.enter_context(started(pipeline, "simulate", "--rate", "400"))
        simulate.await_ready()
        wait_for(lambda: simulate.numbers()["livetally_simulate_ballots_total"] > 200, "ballots are cast")
        numbers = simulate.numbers()
        assert numbers["livetally_simulate_voters_total"] >= numbers["livetally_simulate_ballots_total"]
        tally.await_ready(SPARK_WITHIN_S)
        wait_for(lambda: tally.numbers()["livetally_tally_votes_total"] > 200, f"votes are tallied\n{tally.said()}", SPARK_WITHIN_S)
        assert simulate.end() == 0
        cast = simulate_ballots(simulate)
        wait_for(lambda: tally.numbers()["livetally_tally_votes_total"] == cast, "all votes are tallied", SPARK_WITHIN_S)
        wait_for(lambda: tally.numbers()["livetally_tally_behind_offsets"] == 0, "nothing is left")
        numbers = tally.numbers()
        assert numbers["livetally_tally_recounts_total"] == 1
        assert numbers["livetally_tally_batches_total"] == numbers["livetally_tally_batch_seconds_count"] >= 1
        page.await_ready()
        numbers = page.numbers()
        assert numbers["livetally_dashboard_page_running"] == numbers["livetally_dashboard_page_answers"] == 1
        assert [stage.end() for stage in (record, tally, page)] == [0, 0, 0]


def simulate_ballots(simulate: Stage) -> int:
    """What it says at its end that it has cast."""
    said = next(line for line in simulate.said().splitlines() if "ballots cast by" in line)
    return int(said.split('event="simulate: ', 1)[1].split(" ", 1)[0].replace(",", ""))


def test_a_stage_whose_database_is_away_is_well_and_not_ready(pipeline: Pipeline) -> None:
    pipeline.hold_election()
    with started(pipeline, "record") as recorder:
        recorder.await_ready()
        with closed(pipeline):
            wait_for(lambda: recorder.ask("readyz")[0] == 503, "it notices")
            assert "PostgreSQL at " in recorder.ask("readyz")[1]
            assert recorder.ask("healthz") == (200, "ok")
        recorder.await_ready()
        assert recorder.end() == 0


@contextmanager
def closed(pipeline: Pipeline) -> Iterator[None]:
    """The database takes no new connection."""
    name = pipeline.database_url.rpartition("/")[2]
    with psycopg.connect(pipeline.servers.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        try:
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")


def command(pipeline: Pipeline, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "livetally", *arguments], env=pipeline.environment(), capture_output=True, text=True, check=True
    )
    return done.stdout
