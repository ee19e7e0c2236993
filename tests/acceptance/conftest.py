from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from commandline import Livetally
from livetally.embedded import placing


def _ending_alone(commands: Livetally) -> Iterator[Livetally]:
    yield commands
    left = commands.processes()
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    placing.remove(commands.data_dir)  # as root it may lie elsewhere
    assert not left, f"left running: {left}"


@pytest.fixture(scope="module")
def livetally(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Livetally]:
    """A data directory for all tests of a file; nothing may be left running at the end."""
    yield from _ending_alone(Livetally(tmp_path_factory.mktemp("acceptance") / "data of tests"))


@pytest.fixture
def other_livetally(tmp_path: Path) -> Iterator[Livetally]:
    """A second data directory, for one test."""
    yield from _ending_alone(Livetally(tmp_path / "data of a test"))
