"""How votes add up, in plain Python: the definition that Spark's result is held against.

Every vote falls into one cell. All other totals are sums of cells, so one pass over the votes
serves every view.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from livetally.core import wire

UNKNOWN = "unknown"  # the group of a vote that does not say its group: shown, never dropped

# Lowest age of each group, and its name. The names are part of the messages.
AGE_GROUPS: tuple[tuple[int, str], ...] = (
    (0, "under 18"),
    (18, "18-24"),
    (25, "25-34"),
    (35, "35-44"),
    (45, "45-54"),
    (55, "55-64"),
    (65, "65+"),
)
DAY_CHARS = len("2007-05-03")
AGE_YEARS_MAX = 150  # an older person is a typing error
TEXT_BYTES_MAX = 512  # in UTF-8; the five texts of a cell have to fit into a key of PostgreSQL's, which takes 2,704 bytes

# As *record* writes it; means the same in Java. Not before 1970, nor from 9000 on: a minute or an hour has an end, and Python knows none behind 9999.
VOTING_TIME = r"(?:19[7-9]|[2-8][0-9]{2})[0-9]-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}"

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(VOTING_TIME, re.ASCII)


class Cell(NamedTuple):
    """The finest group that is counted."""

    election_id: str
    candidate_id: str
    state: str
    city: str
    gender: str
    age_group: str


@dataclass(frozen=True, slots=True)
class View:
    """One aggregated topic: which groups it counts, and what its messages call them and their total."""

    name: str
    topic: str
    group: tuple[str, ...]  # fields of the message that name the group, besides election_id
    total: str = "total_votes"

    def key(self, election_id: str, group: Iterable[str]) -> bytes:
        return wire.composite_key(election_id, *group)


CANDIDATE = View("candidate", wire.PER_CANDIDATE, ("candidate_id",))
PARTY = View("party", wire.BY_PARTY, ("party_affiliation",))
STATE = View("state", wire.BY_LOCATION, ("state",), total="count")  # `count` is the reference's name for it
REGION = View("region", wire.BY_REGION, ("city", "state"))
GENDER = View("gender", wire.BY_GENDER, ("gender",))
AGE = View("age", wire.BY_AGE, ("age_group",))
VIEWS = (CANDIDATE, PARTY, STATE, REGION, GENDER, AGE)

Totals = dict[tuple[str, str, tuple[str, ...]], int]  # (view, election_id, group) -> votes


def age_group(date_of_birth: object, voted_on: object) -> str:
    """The group of somebody born on one day who votes on another; both are ISO 8601 days, or times that start with one."""
    if not isinstance(date_of_birth, str) or not isinstance(voted_on, str):
        return UNKNOWN
    return _age_group(date_of_birth[:DAY_CHARS], voted_on[:DAY_CHARS])


@lru_cache(maxsize=65_536)  # a day of voting, and all the days on which those who live were born
def _age_group(born_on: str, voted_on: str) -> str:
    born, voted = _day(born_on), _day(voted_on)
    if born is None or voted is None:
        return UNKNOWN
    years = voted.year - born.year - ((voted.month, voted.day) < (born.month, born.day))
    if not 0 <= years <= AGE_YEARS_MAX:
        return UNKNOWN
    return next(name for lowest, name in reversed(AGE_GROUPS) if years >= lowest)


def cell_of(vote: Mapping[str, Any]) -> Cell:
    """The cell of a message of `votes_topic`."""
    address = vote.get("address")
    address = address if isinstance(address, Mapping) else {}
    return Cell(
        _text(vote.get("election_id")),
        _text(vote.get("candidate_id")),
        _text(address.get("state")),
        _text(address.get("city")),
        _text(vote.get("gender")),
        age_group(vote.get("date_of_birth"), vote.get("voting_time")),
    )


def second_of(voting_time: object) -> int | None:
    """Seconds from 1970 to a time of voting; None if it is none."""
    if not isinstance(voting_time, str) or not _TIME.fullmatch(voting_time):
        return None
    try:
        return int(datetime.fromisoformat(voting_time).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def roll_up(cells: Mapping[Cell, int], party_of: Mapping[str, str]) -> Totals:
    """Every total of every view. `party_of` gives the party of a candidate_id."""
    totals: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
    for cell, votes in cells.items():
        party = party_of.get(cell.candidate_id) or UNKNOWN
        for view, group in (
            (CANDIDATE, (cell.candidate_id,)),
            (PARTY, (party,)),
            (STATE, (cell.state,)),
            (REGION, (cell.city, cell.state)),
            (GENDER, (cell.gender,)),
            (AGE, (cell.age_group,)),
        ):
            totals[view.name, cell.election_id, group] += votes
    return dict(totals)


def by_candidate(cells: Mapping[Cell, int]) -> Mapping[tuple[str, str, tuple[str, ...], str], int]:
    """Votes of each candidate in each group of a view: (view, election, group, candidate) -> votes."""
    totals: Counter[tuple[str, str, tuple[str, ...], str]] = Counter()
    for cell, votes in cells.items():
        for view, group in (
            (STATE, (cell.state,)),
            (REGION, (cell.city, cell.state)),
            (GENDER, (cell.gender,)),
            (AGE, (cell.age_group,)),
        ):
            totals[view.name, cell.election_id, group, cell.candidate_id] += votes
    return totals


def _text(field: object) -> str:
    """No text that PostgreSQL could not hold: for U+0000 stands the sign of a character that is none, and no name is longer than TEXT_BYTES_MAX."""
    text = field.replace("\0", "\ufffd") if isinstance(field, str) else ""
    return text if 0 < len(text.encode()) <= TEXT_BYTES_MAX else UNKNOWN


def _day(field: str) -> date | None:
    if not _DAY.fullmatch(field):
        return None
    try:
        return date.fromisoformat(field)
    except ValueError:
        return None
