"""Do ballots, ledger, votes topic and tallies agree? As sets, at one cut, in bounded memory.

All of them know each vote by the partition and offset of its ballot, and all can be read in that
order. So the audit walks along the four side by side and looks at one ballot at a time. The plain
Python tally counts along the way and is held against what Spark has counted and announced.

The cut: the ballots whose votes the tally has passed. What comes behind it is on the way, not a difference.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from livetally.adapters.cells import Cells
from livetally.adapters.kafka import Consumer, Message, reader
from livetally.adapters.outcomes import Outcomes
from livetally.adapters.postgres import Connection, connect, explained
from livetally.adapters.queries import queries
from livetally.adapters.reading import Record, Tail, bounds, headers_of, partitions_of, read_range
from livetally.core.ballots import Ballot, parse
from livetally.core.errors import AuditError, LedgerError
from livetally.core.tally import VIEWS, Cell, Totals, cell_of, roll_up
from livetally.core.wire import BALLOTS, REJECTED, VOTES, ballot_of, decode, ms_text

DIFFERENCES_MAX = 100  # named one by one; the rest are counted
PUBLISHED_WITHIN_S = 10.0  # the tally publishes a batch right after it stores it


@dataclass
class Report:
    """What the audit saw. `ok` if there is no difference; `behind` is what was still on the way."""

    ok: bool = True
    ballots: int = 0
    accepted: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    ledger: int = 0
    published: int = 0
    tallied: int = 0
    behind: int = 0
    differences_total: int = 0
    differences: list[str] = field(default_factory=list)

    def differ(self, text: str) -> None:
        self.ok = False
        self.differences_total += 1
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(text)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Said(NamedTuple):
    """What one witness says of one ballot."""

    election_id: str
    voter_id: str
    candidate_id: str
    voting_time: str


class Refused(NamedTuple):
    reason: str
    value: bytes | None = None  # the ballot's own bytes, where the witness has them


Key = tuple[str, str, tuple[str, ...]]  # view, election, group
Version = tuple[int, int]  # generation and batch
NEVER: Version = (0, 0)

Testimony = tuple[int, Any]  # ballot offset, what the witness says


def audit(bootstrap_servers: str, database_url: str) -> Report:
    """Compare everything at the tally's cut. Raises AuditError if there is nothing that could be compared."""
    report = Report()
    with (
        closing(connect(database_url, "audit", bounded=False)) as connection,
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
        decided: dict[int, int] = dict(connection.execute(queries("ledger")["positions"]).fetchall())
        counted: Counter[Cell] = Counter()
        partitions = partitions_of(ends_client, BALLOTS)
        for partition in partitions:
            votes_end = positions.get(partition, 0)
            cut = _cut(report, outcomes, ends_client, partition, votes_end, decided.get(partition, 0))
            _audit_partition(report, bootstrap_servers, connection, partition, cut, votes_end, counted)
            report.behind += max(0, bounds(ends_client, BALLOTS, partition)[1] - cut)
        _audit_strays(report, connection)
        stored = cells.cells(shown.number)
        report.tallied = sum(stored.values())
        _audit_cells(report, counted, stored)
        parties: dict[str, str] = dict(connection.execute(queries("audit")["parties"]).fetchall())
        _audit_topics(report, bootstrap_servers, database_url, (shown.number, shown.batch), roll_up(stored, parties))
    report.rejected = dict(sorted(report.rejected.items()))
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
    report: Report, bootstrap_servers: str, connection: Connection, partition: int, cut: int, votes_end: int, counted: Counter[Cell]
) -> None:
    with (
        closing(reader(bootstrap_servers)) as ballots,
        closing(reader(bootstrap_servers)) as votes,
        closing(reader(bootstrap_servers)) as refusals,
    ):
        witnesses = (
            _ballots(ballots, partition, cut),
            _ledger(connection, partition, cut),
            _votes(report, votes, partition, votes_end, counted),
            _refusals(report, refusals, partition, cut),
        )
        for offset, (ballot, ledger, vote, refusal) in side_by_side(*witnesses):
            _compare(report, f"{BALLOTS}[{partition}] offset {offset}", ballot, ledger, vote, refusal)


def _compare(report: Report, where: str, ballot: Any, ledger: Any, vote: Any, refusal: Any) -> None:
    """One ballot, and what the ledger and the two topics of outcomes say of it; None for a witness that is silent."""
    report.ballots += ballot is not None
    report.ledger += isinstance(ledger, Said)
    report.published += vote is not None
    if isinstance(ledger, Said):
        report.accepted += 1
    elif isinstance(ledger, Refused):
        report.rejected[ledger.reason] = report.rejected.get(ledger.reason, 0) + 1
    if ballot is None:
        report.differ(f"{where}: there is no such ballot, but an outcome of it ({_name(ledger or vote or refusal)})")
        return
    if ledger is None:
        report.differ(f"{where}: the ledger has no verdict on this ballot")
    content, time_text, raw = ballot
    if isinstance(ledger, Said):
        _compare_vote(report, where, content, time_text, ledger, vote, refusal)
    elif isinstance(ledger, Refused):
        _compare_refusal(report, where, raw, ledger, vote, refusal)


def _compare_vote(report: Report, where: str, content: Any, time_text: str, ledger: Said, vote: Any, refusal: Any) -> None:
    if not isinstance(content, Ballot) or ledger != Said(content.election_id, content.voter_id, content.candidate_id, time_text):
        report.differ(f"{where}: the ledger says {_name(ledger)}, the ballot says {_name(content)} at {time_text}")
    if vote != ledger:
        report.differ(f"{where}: the ledger says {_name(ledger)}, {VOTES} says {_name(vote)}")
    if refusal is not None:
        report.differ(f"{where}: a vote in the ledger, yet in {REJECTED} ({refusal.reason})")


def _compare_refusal(report: Report, where: str, raw: bytes | None, ledger: Refused, vote: Any, refusal: Any) -> None:
    if vote is not None:
        report.differ(f"{where}: rejected in the ledger ({ledger.reason}), yet {VOTES} says {_name(vote)}")
    if refusal is None or refusal.reason != ledger.reason:
        report.differ(f"{where}: rejected in the ledger ({ledger.reason}), {REJECTED} says {_name(refusal)}")
    elif refusal.value != raw:
        report.differ(f"{where}: {REJECTED} does not hold the ballot as it was cast")


def side_by_side(*witnesses: Iterator[Testimony]) -> Iterator[tuple[int, list[Any]]]:
    """Merge witnesses that each speak in the order of offsets: per offset, what each says, None for silence."""
    heads = [next(witness, None) for witness in witnesses]
    while (offset := min((head[0] for head in heads if head is not None), default=None)) is not None:
        said: list[Any] = [None] * len(heads)
        for number, head in enumerate(heads):
            if head is not None and head[0] == offset:
                said[number] = head[1]
                heads[number] = next(witnesses[number], None)
        yield offset, said


def _ballots(client: Consumer, partition: int, cut: int) -> Iterator[Testimony]:
    for message in read_range(client, BALLOTS, partition, 0, cut):
        yield message.offset() or 0, (parse(message.key(), message.value()), ms_text(message.timestamp()[1]), message.value())


def _ledger(connection: Connection, partition: int, cut: int) -> Iterator[Testimony]:
    sql = queries("audit")
    with connection.cursor(f"votes_{partition}") as votes, connection.cursor(f"rejections_{partition}") as rejections:
        votes.itersize = rejections.itersize = 10_000
        votes.execute(sql["votes"], (partition, cut))
        rejections.execute(sql["rejections"], (partition, cut))
        accepted: Iterator[Testimony] = (
            (offset, Said(election_id, voter_id, candidate_id, _time_text(voting_time)))
            for offset, election_id, voter_id, candidate_id, voting_time in votes
        )
        refused: Iterator[Testimony] = ((offset, Refused(reason)) for offset, reason in rejections)
        for offset, (vote, refusal) in side_by_side(accepted, refused):
            yield offset, vote or refusal  # both cannot be: the primary keys and the verdicts see to that


def _votes(report: Report, client: Consumer, partition: int, end: int, counted: Counter[Cell]) -> Iterator[Testimony]:
    """The votes topic, which must be in the ballots' order without repetition."""
    last = -1
    for message in read_range(client, VOTES, partition, 0, end):
        where = f"{VOTES}[{partition}] offset {message.offset()}"
        offset = _ballot_offset(report, message, partition, where)
        if offset is None:
            continue
        if offset <= last:
            report.differ(f"{where}: the vote of ballot {offset} again, or out of order (after {last})")
            continue
        last = offset
        try:
            vote = decode(message.value() or b"")
            said = Said(vote["election_id"], vote["voter_id"], vote["candidate_id"], vote["voting_time"])
        except (ValueError, KeyError, TypeError):
            report.differ(f"{where}: not a vote")
            continue
        counted[cell_of(vote)] += 1
        yield offset, said


def _refusals(report: Report, client: Consumer, partition: int, cut: int) -> Iterator[Testimony]:
    """The rejected ballots, likewise in the ballots' order without repetition."""
    last = -1
    for message in read_range(client, REJECTED, partition, 0, bounds(client, REJECTED, partition)[1]):
        where = f"{REJECTED}[{partition}] offset {message.offset()}"
        offset = _ballot_offset(report, message, partition, where)
        if offset is None:
            continue
        if offset <= last:
            report.differ(f"{where}: the rejection of ballot {offset} again, or out of order (after {last})")
            continue
        last = offset
        if last < cut:
            headers = dict(headers_of(message))
            yield last, Refused((headers.get("reason") or b"").decode(errors="replace"), message.value())


def _ballot_offset(report: Report, message: Message, partition: int, where: str) -> int | None:
    try:
        ballot = ballot_of(headers_of(message))
    except ValueError:
        ballot = None
    if ballot is None or ballot[0] != partition:
        report.differ(f"{where}: a message that *record* did not write")
        return None
    return ballot[1]


def _audit_strays(report: Report, connection: Connection) -> None:
    """Rows behind the end of what was decided: the walk along the ballots does not come by there."""
    for table, partition, offset in connection.execute(queries("audit")["strays"], (DIFFERENCES_MAX,)):
        report.differ(f"{BALLOTS}[{partition}] offset {offset}: a row in `{table}`, but no ballot has been decided there")


def _audit_cells(report: Report, counted: Mapping[Cell, int], stored: Mapping[Cell, int]) -> None:
    for cell in sorted(counted.keys() | stored.keys()):
        if counted.get(cell, 0) != stored.get(cell, 0):
            report.differ(f"cell {' · '.join(cell)}: {VOTES} has {counted.get(cell, 0)} votes, the tally has {stored.get(cell, 0)}")


def _audit_topics(report: Report, bootstrap_servers: str, database_url: str, version: Version, expected: Totals) -> None:
    """Every announced total, at the version of the cut. A number that was stored after the cut is not judged."""
    announced: dict[Key, tuple[Version, object]] = {}
    deadline = time.monotonic() + PUBLISHED_WITHIN_S
    with closing(Tail(bootstrap_servers, [view.topic for view in VIEWS])) as tail:
        while True:
            for record in tail.read(0.2):
                if (total := _announced(record)) is None:
                    report.differ(f"{record.topic}[{record.partition}] offset {record.offset}: a message that *tally* did not write")
                elif total[1] >= announced.get(total[0], (NEVER, None))[0]:
                    announced[total[0]] = total[1:]
            newest = max((said for said, _ in announced.values()), default=NEVER)
            if tail.caught_up and (newest >= version or not expected):
                break
            if time.monotonic() > deadline:
                report.differ(f"the aggregated topics are at version {list(newest)}, the tally has stored {list(version)}")
                return
    with closing(connect(database_url, "audit")) as later:  # outside of our transaction: batches are stored before they are announced
        shown = Cells(later).shown()
    stored = (shown.number, shown.batch) if shown else version
    for key in sorted(expected.keys() | announced.keys()):
        said, votes = announced.get(key, (NEVER, None))
        name = f"{key[0]} {' · '.join(key[2])} of {key[1]}"
        if said > stored:
            report.differ(f"{name}: announced at version {list(said)}, and the tally has stored {list(stored)}: it did not write that")
        elif said <= version and votes != expected.get(key, 0) and (key in expected or said[0] == version[0]):
            report.differ(f"{name}: announced are {votes}, the cells add up to {expected.get(key, 0)}")


def _announced(record: Record) -> tuple[Key, Version, object] | None:
    """Which total a message announces, its version and number; None if it is no message of the tally's."""
    view = next(view for view in VIEWS if view.topic == record.topic)
    try:
        value = decode(record.value or b"")
        key = (view.name, str(value["election_id"]), tuple(str(value[name]) for name in view.group))
        return key, (int(value["version"][0]), int(value["version"][1])), value[view.total]
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _time_text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"


def _name(said: object) -> str:
    match said:
        case None:
            return "nothing"
        case Said(election_id, voter_id, candidate_id, voting_time):
            return f"{voter_id} for {candidate_id} in {election_id} at {voting_time}"
        case Ballot(election_id, voter_id, candidate_id):
            return f"{voter_id} for {candidate_id} in {election_id}"
        case Refused(reason, _):
            return f"rejected: {reason}"
        case _:
            return str(said)
