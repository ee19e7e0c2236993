"""Whether what was counted is what had to be: by the plain count that was made along with the votes, not by what *tally* says of itself.

Looked at as an outsider would: every table of the tally's with SQL, every topic with a plain consumer.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from typing import Any, LiteralString, TypeVar

import psycopg

from harness.database import owner
from harness.views import Views
from harness.votes import Known
from livetally.adapters.kafka import reader
from livetally.adapters.reading import ends, read_range
from livetally.core.tally import AGE, CANDIDATE, GENDER, PARTY, REGION, STATE, Totals, roll_up
from livetally.core.wire import PER_MINUTE, decode

Key = TypeVar("Key")

CELLS = """
SELECT election_id, candidate_id, c.state, city, gender, age_group, votes
FROM cells c JOIN tally_generations g USING (generation) WHERE g.state = 'shown'
"""
# Totals over all candidates, then for each of them.
TOTALS = """
SELECT view, election_id, group_1, group_2, votes
FROM group_totals JOIN tally_generations g USING (generation) WHERE g.state = 'shown' AND candidate_id = ''
"""
SHARES = """
SELECT view, election_id, candidate_id, sum(votes)::bigint
FROM group_totals JOIN tally_generations g USING (generation) WHERE g.state = 'shown' AND candidate_id <> '' GROUP BY 1, 2, 3
"""
# A vote that came after its minute was closed is late: in every total, but not in what is announced of the minute.
MINUTES = """
SELECT candidate_id, to_char(from_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS'), votes, late
FROM history h JOIN tally_generations g USING (generation) WHERE g.state = 'shown' AND h.state = '' AND span_minutes = 1
"""
PLACES = """
SELECT candidate_id, h.state, sum(votes + late)::bigint
FROM history h JOIN tally_generations g USING (generation) WHERE g.state = 'shown' AND h.state <> '' GROUP BY 1, 2
"""


def faults(kafka: str, database_url: str, known: Known, views: Views) -> list[str]:
    """What differs between the plain count, the tables, and the topics."""
    totals = roll_up(known.cells, known.party_of)
    places: Counter[tuple[str, str]] = Counter()
    for cell, votes in known.cells.items():
        places[cell.candidate_id, cell.state] += votes
    with owner(database_url) as connection:
        minutes = connection.execute(MINUTES).fetchall()
        found = [
            *_differences("cells in PostgreSQL", {tuple(cell): votes for cell, votes in known.cells.items()}, _by_key(connection, CELLS)),
            *_differences("totals in PostgreSQL", _without_parties(totals), _totals(connection)),
            *_differences("totals of candidates in PostgreSQL", _shares(totals), _by_key(connection, SHARES)),
            *_differences("votes by place in the history", places, _by_key(connection, PLACES)),
        ]
    stored = {(candidate_id, minute): votes + late for candidate_id, minute, votes, late in minutes}
    in_time = {(candidate_id, minute): votes for candidate_id, minute, votes, _ in minutes}
    return [
        *found,
        *_differences("votes by minute in the history", known.minutes, stored),
        *_differences("votes by minute on the topic", in_time, _announced_minutes(kafka)),
        *topic_faults(known, views),
    ]


def topic_faults(known: Known, views: Views) -> list[str]:
    return _differences("totals on the topics", roll_up(known.cells, known.party_of), views.totals_of(known.election_id))


def _by_key(connection: "psycopg.Connection[tuple[Any, ...]]", query: LiteralString) -> dict[tuple[Any, ...], int]:
    return {row[:-1]: row[-1] for row in connection.execute(query)}


def _totals(connection: "psycopg.Connection[tuple[Any, ...]]") -> Totals:
    return {
        (view, election_id, (group_1, group_2) if group_2 else (group_1,)): votes
        for view, election_id, group_1, group_2, votes in connection.execute(TOTALS)
    }


def _without_parties(totals: Totals) -> Totals:
    """Those of the parties are sums of their candidates', and kept nowhere."""
    return {key: votes for key, votes in totals.items() if key[0] != PARTY.name}


def _shares(totals: Totals) -> dict[tuple[Any, ...], int]:
    """What each candidate's totals in all groups of a view must add up to."""
    of_candidates = {(election_id, group[0]): votes for (view, election_id, group), votes in totals.items() if view == CANDIDATE.name}
    return {
        (view, election_id, candidate_id): votes
        for (election_id, candidate_id), votes in of_candidates.items()
        for view in (STATE.name, REGION.name, GENDER.name, AGE.name)
    }


def _announced_minutes(kafka: str) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    with closing(reader(kafka)) as client:
        for partition, end in ends(client, PER_MINUTE).items():
            for message in read_range(client, PER_MINUTE, partition, 0, end):
                said = decode(message.value() or b"")
                found[said["candidate_id"], said["window_start"]] = said["total_votes"]
    return found


def _differences(what: str, wanted: Mapping[Key, int], is_there: Mapping[Key, int]) -> list[str]:
    """A zero is as good as nothing. One is named, and how many there are."""
    wrong = [key for key in wanted.keys() | is_there.keys() if wanted.get(key, 0) != is_there.get(key, 0)]
    if not wrong:
        return []
    first = min(wrong, key=str)
    return [f"{what}: {len(wrong):,} are wrong, among them {first}: {is_there.get(first, 0):,}, and must be {wanted.get(first, 0):,}"]
