"""Real services for the whole run, a clean pipeline on them for each test."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline import SHARED, Pipeline, Servers, Spark, clean_pipeline


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with SHARED.use() as shared:
        yield shared


@pytest.fixture
def pipeline(servers: Servers, tmp_path: Path) -> Iterator[Pipeline]:
    with clean_pipeline(servers, tmp_path) as clean:
        yield clean


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    with closing(Spark(tmp_path_factory.mktemp("spark"))) as ours:
        yield ours
