"""When nothing is on its way: the topics, every table and the past are what SQL says of the ledger. Each vote once, nowhere less or more."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from faults.comparison import _differences as differences
from livetally.adapters.postgres import Connection
from livetally.core.wire import ALERTS
from outsider import read_to_end
from recovery.alarms import Alarms
from recovery.ledger import Ledger
from recovery.shown import Shown
from recovery.views import MINUTES, TOPICS, Group, Votes
from recovery.watcher import Watcher

Row = tuple[Any, ...]

# What the tables of the generation that is shown hold, group by group; zeros aside.
CELLS = """
    SELECT c.election_id, c.candidate_id, c.state, c.city, c.gender, c.age_group, c.votes
    FROM cells c JOIN tally_generations g USING (generation) WHERE g.state = 'shown'
"""
TOTALS = """
    SELECT t.election_id, t.view, t.group_1, t.group_2, t.candidate_id, t.votes
    FROM group_totals t JOIN tally_generations g USING (generation) WHERE g.state = 'shown'
"""
HISTORY = """
    SELECT h.election_id, h.candidate_id, to_char(h.from_time, 'YYYY-MM-DD HH24:MI:SS.MS'), h.state, h.votes + h.late
    FROM history h JOIN tally_generations g USING (generation) WHERE g.state = 'shown'
"""
LATE = """
    SELECT h.election_id, h.candidate_id, to_char(h.from_time, 'YYYY-MM-DD HH24:MI:SS.MS'), h.late
    FROM history h JOIN tally_generations g USING (generation) WHERE g.state = 'shown' AND h.state = ''
"""
GENERATIONS = "SELECT count(*), count(*) FILTER (WHERE state = 'shown') FROM tally_generations"


def compare(ledger: Ledger, watcher: Watcher) -> list[str]:
    """Every difference, in words."""
    rows = ledger.from_the_beginning()
    return [
        *_topics_differ(watcher.shown, rows, ledger.connection),
        *_tables_differ(ledger.connection, rows),
        *watcher.alarms.differ(ledger.connection),
    ]


def topics_differ(ledger: Ledger, watcher: Watcher) -> list[str]:
    """Where what is shown is not what the ledger holds."""
    return [*_topics_differ(watcher.shown, ledger.from_the_beginning(), ledger.connection)]


def compare_anew(bootstrap_servers: str, ledger: Ledger) -> list[str]:
    """The same for somebody who comes late: reads what lies on the topics now, of which the broker has thrown old messages away."""
    shown = Shown()
    faults = [
        fault for topic in TOPICS for message in sorted(read_to_end(bootstrap_servers, topic)) for fault in shown.take(topic, message)[1]
    ]
    alarms = Alarms()
    faults += [fault for message in sorted(read_to_end(bootstrap_servers, ALERTS)) for fault in alarms.take(message)]
    return [*faults, *_topics_differ(shown, ledger.from_the_beginning(), ledger.connection), *alarms.differ(ledger.connection)]


def _topics_differ(shown: Shown, rows: list[Votes], connection: Connection) -> Iterable[str]:
    late = _counted(connection, LATE)
    for topic, looks in TOPICS.items():
        expected = looks.counted(rows)
        if topic == MINUTES:
            expected -= late
        yield from differences(topic, expected, +shown.totals(topic))


def _tables_differ(connection: Connection, rows: list[Votes]) -> Iterable[str]:
    yield from differences("cells", _cells(rows), _counted(connection, CELLS))
    yield from differences("group_totals", _totals(rows), _counted(connection, TOTALS))
    yield from differences("history", _history(rows), _counted(connection, HISTORY))
    if (found := connection.execute(GENERATIONS).fetchone()) != (1, 1):
        yield f"tally_generations: {found} instead of one, which is shown"


def _counted(connection: Connection, query: str) -> Counter[Row]:
    found: Counter[Row] = Counter()
    for *group, votes in connection.execute(query):
        found[tuple(group)] += votes  # more than one row of a group would show
    return +found


def _cells(rows: Iterable[Votes]) -> Counter[Row]:
    found: Counter[Row] = Counter()
    for row in rows:
        found[row.election_id, row.candidate_id, row.state, row.city, row.gender, row.age_group] += row.votes
    return found


def _totals(rows: Iterable[Votes]) -> Counter[Row]:
    found: Counter[Row] = Counter()
    for row in rows:
        groups: tuple[Group, ...] = (
            ("state", row.state, ""),
            ("region", row.city, row.state),
            ("gender", row.gender, ""),
            ("age", row.age_group, ""),
        )
        found[row.election_id, "candidate", row.candidate_id, "", ""] += row.votes
        for group in groups:
            for candidate_id in ("", row.candidate_id):
                found[row.election_id, *group, candidate_id] += row.votes
    return found


def _history(rows: Iterable[Votes]) -> Counter[Row]:
    found: Counter[Row] = Counter()
    for row in rows:
        for state in ("", row.state):
            found[row.election_id, row.candidate_id, row.minute, state] += row.votes
    return found
