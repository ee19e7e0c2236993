"""Candidates in places, now and at an earlier moment, for those who look at one of them. Over one connection of the caller's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from livetally.adapters.history import EVERYWHERE
from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries
from livetally.core.tally import REGION, STATE

ByCandidate = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class City:
    name: str
    votes: int
    registered: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """A county, or a city in it, at one moment. `cities`: of a county."""

    votes: ByCandidate
    registered: int | None
    cities: tuple[City, ...] = ()


class Places:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("places")

    def best(self, election_id: str) -> Mapping[str, ByCandidate]:
        """The two best of each county, and all who are level with them, most votes first."""
        best: dict[str, dict[str, int]] = {}
        for state, candidate_id, votes in self._connection.execute(self._sql["ahead"], {"election_id": election_id}):
            best.setdefault(state, {})[candidate_id] = votes
        return best

    def county(self, election_id: str, state: str) -> Place:
        where = {"election_id": election_id, "state": state}
        with self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            votes: dict[str, int] = dict(self._connection.execute(self._sql["in_state"], where).fetchall())
            cities = tuple(City(*row) for row in self._connection.execute(self._sql["cities"], where))
            return Place(votes, self._registered(election_id, STATE.name, state, ""), cities)

    def city(self, election_id: str, state: str, city: str) -> Place:
        where = {"election_id": election_id, "state": state, "city": city}
        votes: dict[str, int] = dict(self._connection.execute(self._sql["in_city"], where).fetchall())
        return Place(votes, self._registered(election_id, REGION.name, city, state))

    def before(self, election_id: str, moment: datetime) -> tuple[ByCandidate, Mapping[str, ByCandidate]]:
        """Votes from ballots cast before a moment, over all counties and in each: exact at a full minute, or hour where the past is kept so."""
        states: dict[str, dict[str, int]] = {}
        for state, candidate_id, votes in self._connection.execute(self._sql["before"], {"election_id": election_id, "moment": moment}):
            states.setdefault(state, {})[candidate_id] = votes
        everywhere = states.pop(EVERYWHERE, {})
        return everywhere, states

    def _registered(self, election_id: str, view: str, group_1: str, group_2: str) -> int | None:
        where = {"election_id": election_id, "view": view, "group_1": group_1, "group_2": group_2}
        row = self._connection.execute(self._sql["registered"], where).fetchone()
        return int(row[0]) if row else None
