"""PostgreSQL for those who look at one place, one moment, or the votes over time: over one connection that heals."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from livetally.adapters.history import History, Series
from livetally.adapters.places import ByCandidate, Place, Places
from livetally.adapters.postgres import Connection, connect, explained
from livetally.adapters.queries import queries
from livetally.adapters.rights import Rights
from livetally.core.access import Person, Role
from livetally.core.errors import ServiceError


class Looking:
    """Every method raises ServiceError while PostgreSQL is away; the next call tries a new connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._people = queries("people")

    def series(self, election_id: str, place: str, points_max: int) -> Series:
        with self._healing() as connection:
            return History(connection).series(election_id, place, points_max)

    def best(self, election_id: str) -> Mapping[str, ByCandidate]:
        with self._healing() as connection:
            return Places(connection).best(election_id)

    def place(self, election_id: str, county: str, city: str) -> Place:
        """A city of a county, or the county itself where no city is named."""
        with self._healing() as connection:
            places = Places(connection)
            return places.city(election_id, county, city) if city else places.county(election_id, county)

    def before(self, election_id: str, moment: datetime) -> tuple[ByCandidate, Mapping[str, ByCandidate]]:
        with self._healing() as connection:
            return Places(connection).before(election_id, moment)

    def person(self, hashed: bytes, now: datetime) -> Person | None:
        """Whom a session stands for. Looking at a page does not keep it open: somebody may have left the machine."""
        with self._healing() as connection:
            row = connection.execute(self._people["person_of_session"], {"hash": hashed, "now": now}).fetchone()
        if row is None:
            return None
        name, role, elections = row
        return Person(name, Role[role.upper()], None if elections is None else frozenset(elections))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _healing(self) -> Iterator[Connection]:
        try:
            if self._connection is None:
                self._connection = connect(self._url, "looking", Rights.SHOW)
            with explained(self._url):
                yield self._connection
        except ServiceError:
            self.close()
            raise
