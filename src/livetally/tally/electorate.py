"""Who is on the roll, per group of every election: read by Spark from PostgreSQL, so that an age group is defined in one place."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from livetally.adapters.rights import Rights
from livetally.core.errors import ServiceError
from livetally.tally.frames import registered

RegisteredGroup = tuple[str, str, str, str, int]  # election_id, view, group_1, group_2, voters

REFRESH_S = 10.0  # while people are being registered; asking whether they are costs 2 ms
REFRESH_SHARE = 0.1  # of the time, at most: where rolls are lists or states, the people themselves are read

PLACES = "SELECT roll, state, city, gender, voters FROM roll_places"
BIRTHS = "SELECT roll, date_of_birth, voters FROM roll_births"
ELECTIONS = "SELECT election_id, roll, opens_on FROM roll_elections"


@dataclass(frozen=True, slots=True)
class Electorate:
    """PostgreSQL through Spark's JDBC source, under the tally's own role."""

    spark: SparkSession
    database_url: str

    def groups(self) -> list[RegisteredGroup]:
        try:
            found = registered(
                self._ask(PLACES, "roll STRING, state STRING, city STRING, gender STRING, voters BIGINT"),
                self._ask(BIRTHS, "roll STRING, date_of_birth STRING, voters BIGINT"),
                self._ask(ELECTIONS, "election_id STRING, roll STRING, opens_on STRING"),
            ).collect()
        except (Py4JJavaError, PySparkException) as error:
            first_line = next((line for line in str(error).splitlines() if line.strip()), "no reason given")
            raise ServiceError(f"Spark could not read from PostgreSQL who is registered: {first_line[:500]}") from error
        return [(row[0], row[1], row[2], row[3], row[4]) for row in found]

    def _ask(self, query: str, schema: str) -> DataFrame:
        url = urlsplit(self.database_url)
        options = {
            "url": f"jdbc:postgresql://{url.netloc.rpartition('@')[2]}{url.path}" + (f"?{url.query}" if url.query else ""),
            "user": unquote(url.username or ""),
            "password": unquote(url.password or ""),
            "driver": "org.postgresql.Driver",
            "options": f"-c role={Rights.TALLY}",  # PostgreSQL's own; Spark's statement for a session comes too late for its first question
            "query": query,
            "customSchema": schema,
        }
        return self.spark.read.format("jdbc").options(**options).load()


class Refresh:
    """Keeps the registered up to date: looks from time to time whether there are more, and only then reads them again.

    Reading them takes no more than REFRESH_SHARE of the time, however long it takes.
    """

    def __init__(
        self,
        mark: Callable[[], object],
        groups: Callable[[], Collection[RegisteredGroup]],
        note: Callable[[Collection[RegisteredGroup]], None],
        clock: Callable[[], float],
    ) -> None:
        self._mark = mark
        self._groups = groups
        self._note = note
        self._clock = clock
        self._due_s = clock()
        self._known: object = None

    def when_due(self) -> None:
        if self._clock() < self._due_s:
            return
        began_s = self._clock()
        mark = self._mark()  # asked first: whoever is registered meanwhile is found the next time
        if mark != self._known:
            self._note(self._groups())
            self._known = mark
        ended_s = self._clock()
        self._due_s = ended_s + max(REFRESH_S, (ended_s - began_s) / REFRESH_SHARE)
