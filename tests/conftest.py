"""Real services for the whole run, a clean pipeline on them for each test. Who needs none of this does not load it."""

import logging
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from livetally.commands.output import speech
from livetally.observe.log import Logfmt

if TYPE_CHECKING:
    from livetally.adapters.postgres import Connection
    from pipeline import Pipeline, Servers, Spark

# The machines are shared and noisy: how long an example takes says nothing about the code.
settings.register_profile("livetally", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("livetally")


@pytest.fixture(autouse=True)
def _speech_as_before() -> Iterator[None]:
    """A stage's command that was called in this process made its log of all that is said: not for the tests behind it."""
    root, hook = logging.getLogger(), sys.excepthook
    level = root.level
    yield
    sys.excepthook = hook
    root.setLevel(level)
    speech.propagate = True
    for logger in (root, speech):
        for handler in [one for one in logger.handlers if isinstance(one.formatter, Logfmt)]:
            logger.removeHandler(handler)


@pytest.fixture(scope="session")
def servers() -> "Iterator[Servers]":
    from servers import started

    with started() as servers:
        yield servers


@pytest.fixture
def pipeline(servers: "Servers", tmp_path: Path) -> "Iterator[Pipeline]":
    from pipeline import clean_pipeline

    with clean_pipeline(servers, tmp_path) as clean:
        yield clean


@pytest.fixture
def database_url(servers: "Servers") -> Iterator[str]:
    from servers import clean_database

    with clean_database(servers) as url:
        yield url


@pytest.fixture
def connection(database_url: str) -> "Iterator[Connection]":
    """The owner's."""
    from livetally.adapters.postgres import connect

    with closing(connect(database_url, "tests", bounded=False, as_owner=True)) as ours:
        yield ours


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Spark]":
    from pipeline import Spark

    with closing(Spark(tmp_path_factory.mktemp("spark"))) as ours:
        yield ours
