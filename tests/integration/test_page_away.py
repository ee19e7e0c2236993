"""The page's own process while Spark, Kafka and PostgreSQL are killed and come back: last numbers, what is missing and since when, recovery.

What it says is read as a browser without scripts would read it: from the first answer of its server.
"""

import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import pytest

from faults.ground import BROKER, POSTGRES, Ground, prepared
from livetally.embedded import datadir
from livetally.show import dashboard
from pipeline import Pipeline
from servers import Servers, free_port
from waiting import WITHIN_S, wait_for

VOTES = 12  # each time
WITHIN = WITHIN_S * 2  # Spark starts meanwhile
ANSWER_WITHIN_S = 10.0


@dataclass
class Looked:
    """What the page says now. `notices` are texts."""

    votes: int
    notices: list[str]


@dataclass
class Night:
    ground: Ground
    pipeline: Pipeline
    url: str
    cast: int = 0

    def vote(self) -> None:
        self.pipeline.cast_votes(range(self.cast, self.cast + VOTES))
        self.cast += VOTES

    def look(self) -> Looked:
        with urllib.request.urlopen(self.url, timeout=ANSWER_WITHIN_S) as answer:  # noqa: S310 (our own address)
            html = answer.read().decode()
        found = re.search(r'data-testid="total-votes" data-value="(\d+)"', html)
        notices = re.findall(r'data-testid="notice">(.*?)</div>', html, re.DOTALL)
        return Looked(int(found.group(1)) if found else -1, [re.sub(r"<[^>]*>", "", one) for one in notices])

    def await_votes(self) -> None:
        """All that were cast, and nothing that is missing any more."""
        wait_for(lambda: self.look() == Looked(self.cast, []), f"{self.cast} votes and no notice", WITHIN)

    def await_notice(self, service: str, words: str) -> None:
        """It says since when; the numbers are those from before."""
        before = self.look().votes

        def says() -> bool:
            looked = self.look()
            assert looked.votes == before, "the last numbers stay"
            return any(re.match(rf"{service} has not answered since \d\d:\d\d:\d\d", one) and words in one for one in looked.notices)

        wait_for(says, f"a notice about {service}", WITHIN)

    def revive(self, service: str) -> None:
        def is_back() -> bool:
            self.ground.look_after()
            return self.ground.answers(service)

        wait_for(is_back, f"{service} is back", WITHIN)


@contextmanager
def running(command: list[str], pipeline: Pipeline, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as output, subprocess.Popen(command, env=pipeline.environment(), stdout=output, stderr=output) as process:
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def stage(name: str) -> list[str]:
    return [sys.executable, "-m", "livetally", name]


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with prepared() as ground:
        datadir.prepare(tmp_path)
        pipeline = Pipeline(Servers(ground.kafka, ground.database_url, ground.admin), ground.database_url, tmp_path)
        ground.register(range(10 * VOTES))
        port = free_port()
        page = dashboard.command(pipeline.settings, port, "127.0.0.1")
        with (
            closing(pipeline),
            running(stage("record"), pipeline, tmp_path / "record.log"),
            running(page, pipeline, tmp_path / "page.log"),
        ):
            wait_for(lambda: dashboard.answers(f"http://127.0.0.1:{port}"), "the page answers", WITHIN)
            yield Night(ground, pipeline, f"http://127.0.0.1:{port}/?election=e")


def test_each_service_away_and_back(night: Night, tmp_path: Path) -> None:
    tally_log = tmp_path / "tally.log"
    with running(stage("tally"), night.pipeline, tally_log) as tally:
        night.vote()
        night.await_votes()
        tally.send_signal(signal.SIGKILL)
        tally.wait()
        night.vote()
        night.await_notice("Spark", "Nothing is being counted; these are the last numbers.")
    with running(stage("tally"), night.pipeline, tally_log):
        night.await_votes()

        night.ground.send(BROKER, signal.SIGKILL)
        night.await_notice("Kafka", "No new numbers come in; these are the last ones.")
        night.revive(BROKER)
        night.vote()
        night.await_votes()

        night.ground.send(POSTGRES, signal.SIGKILL)
        night.await_notice("PostgreSQL", "the last known")
        night.revive(POSTGRES)
        night.vote()
        night.await_votes()


def test_services_that_are_away_from_the_beginning(tmp_path: Path) -> None:
    """The server comes up all the same, and says what is missing."""
    datadir.prepare(tmp_path)
    nowhere = f"127.0.0.1:{free_port()}"
    pipeline = Pipeline(Servers(nowhere, "", None), f"postgresql://nobody:secret@{nowhere}/none", tmp_path)  # type: ignore[arg-type] # never asked
    port = free_port()
    with closing(pipeline), running(dashboard.command(pipeline.settings, port, "127.0.0.1"), pipeline, tmp_path / "page.log"):
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: dashboard.answers(url), "the page answers", WITHIN)
        night = Night(None, pipeline, url)  # type: ignore[arg-type] # there is nothing to kill
        with suppress(URLError):
            wait_for(lambda: len(night.look().notices) == 2, "both are named", WITHIN)
        assert night.look().votes == -1
