"""Elections, candidates and voters in PostgreSQL."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from datetime import datetime

from livetally.adapters.postgres import HOURS_LOCK, ROLL_LOCK, Connection
from livetally.adapters.queries import queries
from livetally.core.elections import Candidate, Election, Voter
from livetally.core.errors import ElectionError


class Roll:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sql = queries("roll")

    @contextmanager
    def changing(self) -> Iterator[None]:
        """A transaction that changes who may vote for whom. *record* waits for it before it calls anybody unknown."""
        with self._connection.transaction():
            self._connection.execute(self._sql["announce_change"], (ROLL_LOCK,))
            yield

    def elections(self) -> list[Election]:
        """All of them, the newest first."""
        return [Election(*row) for row in self._connection.execute(self._sql["elections"])]

    def election(self, election_id: str) -> Election:
        row = self._connection.execute(self._sql["election"], (election_id,)).fetchone()
        if row is None:
            raise ElectionError(f"There is no election {election_id!r}. `./livetally sql 'TABLE elections'` lists them.")
        return Election(*row)

    def add_election(self, election: Election) -> None:
        self._connection.execute(self._sql["add_election"], astuple(election))

    def plan(self, election_id: str, voters: int) -> None:
        """Remember how many people a simulation asks for, so that an interrupted one goes on with as many."""
        self._connection.execute(self._sql["plan"], (voters, election_id))

    def planned(self, election_id: str) -> int | None:
        row = self._connection.execute(self._sql["planned"], (election_id,)).fetchone()
        return row[0] if row else None

    def close_election(self, election_id: str) -> datetime:
        """Set the moment from which ballots no longer count, a little ahead, and return it."""
        with self._connection.transaction():
            self._connection.execute(self._sql["wait_for_batches"], (HOURS_LOCK,))
            row = self._connection.execute(self._sql["close_election"], (election_id,)).fetchone()
        if row is None:
            raise ElectionError(f"Election {election_id!r} is not open, so it cannot be closed.")
        closes_at: datetime = row[0]
        return closes_at

    def candidates(self, election_id: str) -> list[Candidate]:
        return [Candidate(*row) for row in self._connection.execute(self._sql["candidates"], (election_id,))]

    def candidate_count(self, election_id: str) -> int:
        row = self._connection.execute(self._sql["candidate_count"], (election_id,)).fetchone()
        return int(row[0]) if row else 0

    def candidate(self, candidate_id: str) -> Candidate:
        row = self._connection.execute(self._sql["candidate"], (candidate_id,)).fetchone()
        if row is None:
            raise ElectionError(f"Candidate {candidate_id!r} has votes, but is not in the table `candidates` any more. Restore that row.")
        return Candidate(*row)

    def add_candidates(self, candidates: Sequence[Candidate]) -> None:
        for candidate in candidates:
            self._connection.execute(self._sql["add_candidate"], astuple(candidate))

    def registered(self) -> int:
        row = self._connection.execute(self._sql["registered"]).fetchone()
        return int(row[0]) if row else 0

    def registration(self, source: str, seed: int) -> tuple[int, int]:
        """How many people of a source are stored, and how many of them are announced."""
        row = self._connection.execute(self._sql["registration"], (source, seed)).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def other_registrations(self, source: str, seed: int) -> list[tuple[str, int, int]]:
        """Source, seed and number of people of every other registration."""
        return self._connection.execute(self._sql["other_registrations"], (source, seed)).fetchall()

    def store_voters(self, source: str, seed: int, first: int, voters: Sequence[Voter], messages: Sequence[bytes]) -> None:
        """Store people number `first` and following of a source, in one transaction with the marker that says so."""
        with self.changing():
            (registered_at,) = self._connection.execute(self._sql["now"]).fetchone() or (None,)
            with self._connection.cursor().copy(self._sql["copy_voters"]) as copy:
                for voter, message in zip(voters, messages, strict=True):
                    copy.write_row((*voter, registered_at, message.decode()))
            groups = Counter((voter.address_state, voter.address_city, voter.gender) for voter in voters)
            births = Counter(voter.date_of_birth for voter in voters)
            with self._connection.cursor() as cursor:
                cursor.executemany(self._sql["add_to_electorate"], [(*group, count) for group, count in sorted(groups.items())])
                cursor.execute(self._sql["add_births"], ([*births.keys()], [*births.values()]))
            self._connection.execute(self._sql["mark_stored"], (source, seed, first + len(voters)))

    def mark_announced(self, source: str, seed: int, announced: int) -> None:
        self._connection.execute(self._sql["mark_announced"], (announced, source, seed))
