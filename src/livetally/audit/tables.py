"""The tally's other tables, held against its cells: the totals of every group, the past, and how many people there are to vote."""

from collections import Counter
from collections.abc import Mapping

from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries
from livetally.audit.report import Report
from livetally.core.tally import GENDER, PARTY, REGION, STATE, Cell, by_candidate, roll_up

GROUPED = frozenset({STATE.name, REGION.name, GENDER.name})  # their members do not change with time

Key = tuple[str, str, tuple[str, ...], str]  # view, election, group, candidate; no candidate where all are meant


def audit_tables(report: Report, connection: Connection, generation: int, cells: Mapping[Cell, int]) -> None:
    sql = queries("audit")
    totals: dict[Key, int] = {
        (view, election_id, _group(view, group_1, group_2), candidate_id): votes
        for view, election_id, group_1, group_2, candidate_id, votes in connection.execute(sql["group_totals"], (generation,))
    }
    _compare(report, "group_totals", totals, _expected_totals(cells))
    past: dict[Key, int] = {
        ("by minute", election_id, (state,), candidate_id): votes
        for election_id, state, candidate_id, votes in connection.execute(sql["history"], (generation,))
    }
    _compare(report, "history", past, _expected_past(cells))
    registered: dict[Key, int] = {
        (view, election_id, _group(view, group_1, group_2), ""): voters
        for view, election_id, group_1, group_2, voters in connection.execute(sql["electorate"])
    }
    elections = {election_id for _, election_id, _, _ in registered}
    for key, votes in totals.items():
        view, election_id, group, candidate_id = key
        if view in GROUPED and not candidate_id and election_id in elections and votes > registered.get(key, 0):
            report.differ(
                f"{view} {' · '.join(group)} of {election_id}: {votes} votes, and only {registered.get(key, 0)} people are registered there",
                election_id,
            )


def _expected_totals(cells: Mapping[Cell, int]) -> dict[Key, int]:
    sums = {(view, election_id, group, ""): votes for (view, election_id, group), votes in roll_up(cells, {}).items() if view != PARTY.name}
    return {**sums, **by_candidate(cells)}


def _expected_past(cells: Mapping[Cell, int]) -> Mapping[Key, int]:
    """Over all states, and for each."""
    past: Counter[Key] = Counter()
    for cell, votes in cells.items():
        past["by minute", cell.election_id, ("",), cell.candidate_id] += votes
        past["by minute", cell.election_id, (cell.state,), cell.candidate_id] += votes
    return past


def _compare(report: Report, table: str, stored: Mapping[Key, int], expected: Mapping[Key, int]) -> None:
    for key in sorted(stored.keys() | expected.keys()):
        if stored.get(key, 0) != expected.get(key, 0):
            view, election_id, group, candidate_id = key
            where = " · ".join(part for part in (view, *group, candidate_id) if part)
            report.differ(
                f"{table}: {where} of {election_id}: there are {stored.get(key, 0)} votes, the cells add up to {expected.get(key, 0)}",
                election_id,
            )


def _group(view: str, group_1: str, group_2: str) -> tuple[str, ...]:
    return (group_1, group_2) if view == REGION.name else (group_1,)
