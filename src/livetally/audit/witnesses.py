"""Ballots, ledger, votes and rejections of one partition, each in the order of the ballots."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from livetally.adapters.kafka import Consumer, Message
from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries
from livetally.adapters.reading import bounds, headers_of, read_range
from livetally.audit.detail import fault_of_detail
from livetally.audit.report import Refused, Report, Said, Testimony
from livetally.core.ballots import parse
from livetally.core.elections import Detail
from livetally.core.tally import Cell, cell_of
from livetally.core.wire import BALLOTS, REJECTED, VOTES, ballot_of, decode, ms_text


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


def ballots(client: Consumer, partition: int, cut: int) -> Iterator[Testimony]:
    for message in read_range(client, BALLOTS, partition, 0, cut):
        yield message.offset() or 0, (parse(message.key(), message.value()), ms_text(message.timestamp()[1]), message.value())


def ledger(connection: Connection, partition: int, cut: int) -> Iterator[Testimony]:
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


def votes(
    report: Report, client: Consumer, partition: int, end: int, counted: Counter[Cell], details: Mapping[str, Detail]
) -> Iterator[Testimony]:
    """The votes topic, which must be in the ballots' order without repetition, and tell no more of voters than each election's detail allows."""
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
        if details.get(said.election_id) == "group" and (fault := fault_of_detail(vote)):
            report.differ(f"{where}: the vote of ballot {offset} {fault}", said.election_id)
        counted[cell_of(vote)] += 1
        yield offset, said


def refusals(report: Report, client: Consumer, partition: int, cut: int) -> Iterator[Testimony]:
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


def _time_text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"
