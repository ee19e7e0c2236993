"""The facts of a page, asked from PostgreSQL."""

from livetally.adapters.database import Database
from livetally.show.result import Facts


class DatabaseFacts:
    """Raises ServiceError, when it is made and when it reads, while PostgreSQL does not answer."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def read(self) -> Facts:
        elections = tuple(self._database.elections())
        recount = self._database.recounting()
        return Facts(
            elections,
            registered=self._database.registered(),
            candidates={one.election_id: self._database.candidate_count(one.election_id) for one in elections},
            recounting=recount.reason if recount else None,
            recounted_percent=recount.percent if recount else 0,
            rejected=self._database.rejected(),
            stages=self._database.stages(),
            rolls=self._database.rolls(),
        )

    def close(self) -> None:
        self._database.close()
