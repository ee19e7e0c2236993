"""The audit itself: partition by partition along the ballots, then the totals."""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing

from livetally.adapters import past
from livetally.adapters.cells import Cells
from livetally.adapters.kafka import Consumer, reader
from livetally.adapters.outcomes import Outcomes
from livetally.adapters.postgres import Connection, connect, explained
from livetally.adapters.queries import queries
from livetally.adapters.reading import bounds, partitions_of
from livetally.adapters.rights import Rights
from livetally.audit import witnesses
from livetally.audit.chain import Kept, audit_chain
from livetally.audit.compare import compare
from livetally.audit.report import DIFFERENCES_MAX, Report
from livetally.audit.tables import audit_tables
from livetally.audit.totals import audit_cells, audit_topics
from livetally.core.elections import Detail
from livetally.core.errors import AuditError, LedgerError
from livetally.core.tally import Cell, roll_up
from livetally.core.wire import BALLOTS, VOTES


def audit(bootstrap_servers: str, database_url: str, kept: Mapping[int, Kept] | None = None) -> Report:
    """Compare everything at the tally's cut, and the ledger with its chain, and that with heads kept elsewhere (by partition).

    Raises AuditError if there is nothing that could be compared.
    """
    report = Report()
    with (
        closing(connect(database_url, "audit", Rights.LOOK, bounded=False)) as connection,
        explained(database_url),
        closing(Outcomes(bootstrap_servers)) as outcomes,
        closing(reader(bootstrap_servers)) as ends_client,
        connection.transaction(),
    ):
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")  # one moment for all that PostgreSQL is asked
        cells = Cells(connection)
        shown = cells.shown()
        if shown is None:
            raise AuditError(
                "Nothing has been tallied yet, so there is nothing to compare. Start `./livetally tally`, or `./livetally run`."
            )
        positions = cells.positions(shown.number)
        decided: dict[int, int] = past.positions(connection)
        heads = {head.partition: head for head in past.heads(connection)}
        report.heads = [
            {"partition": head.partition, "next_offset": head.next_offset, "digest": head.digest.hex()} for head in heads.values()
        ]
        counted: Counter[Cell] = Counter()
        details: dict[str, Detail] = dict(connection.execute(queries("audit")["details"]).fetchall())
        partitions = partitions_of(ends_client, BALLOTS)
        for partition in partitions:
            votes_end = positions.get(partition, 0)
            cut = _cut(report, outcomes, ends_client, partition, votes_end, decided.get(partition, 0))
            _audit_partition(report, bootstrap_servers, connection, partition, cut, votes_end, counted, details)
            audit_chain(report, connection, partition, heads.get(partition), (kept or {}).get(partition, {}))
            report.behind += max(0, bounds(ends_client, BALLOTS, partition)[1] - cut)
        for partition in sorted((kept or {}).keys() - set(partitions)):
            report.differ(f"{BALLOTS}: a head was kept of partition {partition}, and there is no such partition")
        _audit_strays(report, connection)
        _audit_strangers(report, connection)
        stored = cells.cells(shown.number)
        report.tallied = sum(stored.values())
        for cell, votes in stored.items():
            report.count(cell.election_id, "tallied", votes)
        audit_cells(report, counted, stored)
        audit_tables(report, connection, shown.number, stored)
        parties: dict[str, str] = dict(connection.execute(queries("audit")["parties"]).fetchall())
        changed = (shown.number, cells.last_change(shown.number))
        audit_topics(report, bootstrap_servers, database_url, (shown.number, shown.batch), changed, roll_up(stored, parties))
    report.rejected = dict(sorted(report.rejected.items()))
    report.elections = dict(sorted(report.elections.items()))
    return report


def _cut(report: Report, outcomes: Outcomes, client: Consumer, partition: int, votes_end: int, decided: int) -> int:
    """The ballots of a partition whose votes the tally has passed. Where it has passed all votes, rejections behind the last one count too."""
    try:
        published = outcomes.next_ballot(partition)  # asked before the end of the votes: every vote up to here lies before that end
        if votes_end >= bounds(client, VOTES, partition)[1]:
            return min(published, decided)
        return 1 + outcomes.last_ballot(VOTES, partition, before=votes_end)
    except LedgerError as error:  # somebody else has written there
        report.differ(str(error))
        return decided


def _audit_partition(
    report: Report,
    bootstrap_servers: str,
    connection: Connection,
    partition: int,
    cut: int,
    votes_end: int,
    counted: Counter[Cell],
    details: Mapping[str, Detail],
) -> None:
    with (
        closing(reader(bootstrap_servers)) as ballots_client,
        closing(reader(bootstrap_servers)) as votes_client,
        closing(reader(bootstrap_servers)) as refusals_client,
    ):
        testimonies = (
            witnesses.ballots(ballots_client, partition, cut),
            witnesses.ledger(connection, partition, cut),
            witnesses.votes(report, votes_client, partition, votes_end, counted, details),
            witnesses.refusals(report, refusals_client, partition, cut),
        )
        for offset, (ballot, ledger, vote, refusal) in witnesses.side_by_side(*testimonies):
            compare(report, f"{BALLOTS}[{partition}] offset {offset}", ballot, ledger, vote, refusal)


def _audit_strays(report: Report, connection: Connection) -> None:
    """Rows behind the end of what was decided: the walk along the ballots does not come by there."""
    for table, partition, offset in connection.execute(queries("audit")["strays"], (DIFFERENCES_MAX,)):
        report.differ(f"{BALLOTS}[{partition}] offset {offset}: a row in `{table}`, but no ballot has been decided there")


def _audit_strangers(report: Report, connection: Connection) -> None:
    """Votes of people who were not on the roll of their election when they cast them."""
    for partition, offset, election_id, voter_id in connection.execute(queries("audit")["strangers"], (DIFFERENCES_MAX,)):
        report.differ(
            f"{BALLOTS}[{partition}] offset {offset}: a vote of {voter_id} in {election_id}, on whose roll they were not at that time",
            election_id,
        )
