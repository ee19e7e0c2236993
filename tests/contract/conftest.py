from collections.abc import Iterator
from contextlib import closing

import pytest

from livetally.adapters.postgres import Connection, connect
from servers import Servers, clean_database
from small_world import populate


@pytest.fixture(scope="module")
def world(servers: Servers) -> Iterator[Connection]:
    """The owner's connection to a database with the elections and voters of `rules.py`."""
    with clean_database(servers) as url, closing(connect(url, "tests", bounded=False, as_owner=True)) as connection:
        populate(connection)
        yield connection
