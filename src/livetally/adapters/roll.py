"""Elections, candidates and voters in PostgreSQL."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from datetime import datetime
from typing import Any

import psycopg

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
        """A transaction that changes who may vote for whom. *record* waits for it before it calls anybody unknown.

        So it must not wait itself: an election is locked before it begins, since somebody else may hold that one for a minute. The times of
        the change are read within.
        """
        with self._connection.transaction():
            self._connection.execute(self._sql["announce_change"], (ROLL_LOCK,))
            yield

    def elections(self) -> list[Election]:
        """All of them, the newest first."""
        return [_election(row) for row in self._connection.execute(self._sql["elections"])]

    def election(self, election_id: str) -> Election:
        return self._one("election", election_id)

    def lock_election(self, election_id: str) -> Election:
        """As it is, and as it stays until the transaction ends."""
        return self._one("lock_election", election_id)

    def add_election(self, election: Election) -> None:
        fields = {field: getattr(election, field) for field in election.__slots__} | {"roll_states": [*election.roll_states]}
        if not self._connection.execute(self._sql["add_election"], [*fields.values()]).rowcount:
            raise ElectionError(
                f"There is an election {election.election_id!r} already. Give another id; `./livetally election list` lists all."
            )

    def open_election(self, election_id: str) -> datetime:
        """It takes ballots from the time that is returned. To be called while `changing`, on one that was locked before."""
        row = self._connection.execute(self._sql["open_election"], (election_id,)).fetchone()
        if row is None:
            raise ElectionError(f"There is no election {election_id!r}. `./livetally election list` lists them.")
        opens_at: datetime = row[0]
        return opens_at

    def certify_election(self, election_id: str) -> None:
        self._connection.execute(self._sql["certify_election"], (election_id,))

    def publish_election(self, election_id: str) -> None:
        self._connection.execute(self._sql["publish_election"], (election_id,))

    def on_roll(self, election_id: str) -> int:
        """How many people may vote in it."""
        row = self._connection.execute(self._sql["on_roll"], (election_id,)).fetchone()
        return int(row[0]) if row else 0

    def rolls(self) -> dict[str, int]:
        """How many people may vote in each election."""
        return dict(self._connection.execute(self._sql["rolls"]).fetchall())

    def states(self) -> list[str]:
        return [state for (state,) in self._connection.execute(self._sql["states"])]

    def now(self) -> datetime:
        """By the clock that registrations and closings go by."""
        (now,) = self._connection.execute(self._sql["now"]).fetchone() or (None,)
        if not isinstance(now, datetime):
            raise TypeError("PostgreSQL gave no time")
        return now

    def plan(self, election_id: str, voters: int) -> None:
        """Remember how many people a simulation asks for, so that an interrupted one goes on with as many."""
        self._connection.execute(self._sql["plan"], (voters, election_id))

    def planned(self, election_id: str) -> int | None:
        row = self._connection.execute(self._sql["planned"], (election_id,)).fetchone()
        return row[0] if row else None

    def close_election(self, election_id: str) -> datetime:
        """Set the moment from which ballots no longer count, a little ahead, and return it."""
        with self._connection.transaction():
            election = self.lock_election(election_id)  # first: *record* would wait until whoever holds it lets go
            self._connection.execute(self._sql["wait_for_batches"], (HOURS_LOCK,))
            row = self._connection.execute(self._sql["close_election"], (election_id,)).fetchone()
            if row is None:
                raise ElectionError(f"Election {election_id!r} is not open but {election.status}, so it cannot be closed.")
        closes_at: datetime = row[0]
        return closes_at

    def _one(self, query: str, election_id: str) -> Election:
        row = self._connection.execute(self._sql[query], (election_id,)).fetchone()
        if row is None:
            raise ElectionError(f"There is no election {election_id!r}. `./livetally election list` lists them.")
        return _election(row)

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

    def replace_candidates(self, election_id: str, candidates: Sequence[Candidate]) -> None:
        """From now on these stand in it, in this order, and nobody else."""
        self._connection.execute(self._sql["forget_candidates"], (election_id,))
        self.add_candidates(candidates)

    def taken_candidates(self, candidate_ids: Sequence[str], election_id: str) -> dict[str, str]:
        """Of these ids, those that stand in another election, and in which."""
        return dict(self._connection.execute(self._sql["taken_candidates"], ([*candidate_ids], election_id)).fetchall())

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
            try:
                with self._connection.cursor().copy(self._sql["copy_voters"]) as copy:
                    for voter, message in zip(voters, messages, strict=True):
                        copy.write_row((*voter, registered_at, message.decode()))
            except psycopg.errors.UniqueViolation as error:
                raise ElectionError(
                    f"Somebody of this source is registered already, perhaps with the list of an election: {error.diag.message_detail} "
                    "Nobody can be two people; register another source or seed."
                ) from error
            groups = Counter((voter.address_state, voter.address_city, voter.gender) for voter in voters)
            births = Counter(voter.date_of_birth for voter in voters)
            with self._connection.cursor() as cursor:
                cursor.executemany(self._sql["add_to_electorate"], [(*group, count) for group, count in sorted(groups.items())])
                cursor.execute(self._sql["add_births"], ([*births.keys()], [*births.values()]))
            self.mark_stored(source, seed, first + len(voters))

    def mark_stored(self, source: str, seed: int, stored: int) -> None:
        """To be called in the transaction that stores them."""
        self._connection.execute(self._sql["mark_stored"], (source, seed, stored))

    def mark_announced(self, source: str, seed: int, announced: int) -> None:
        self._connection.execute(self._sql["mark_announced"], (announced, source, seed))


def _election(row: Sequence[Any]) -> Election:
    fields = dict(zip(Election.__slots__, row, strict=True))
    return Election(**fields | {"roll_states": tuple(fields["roll_states"])})
