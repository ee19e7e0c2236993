"""Real services for the whole run, a clean pipeline on them for each test."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from livetally.adapters.postgres import Connection, connect
from pipeline import SHARED, Pipeline, Servers, clean_database, clean_pipeline


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with SHARED.use() as shared:
        yield shared


@pytest.fixture
def pipeline(servers: Servers, tmp_path: Path) -> Iterator[Pipeline]:
    with clean_pipeline(servers, tmp_path) as clean:
        yield clean


@pytest.fixture
def database_url(servers: Servers) -> Iterator[str]:
    with clean_database(servers) as url:
        yield url


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with closing(connect(database_url, "tests", bounded=False, as_owner=True)) as ours:
        yield ours
