"""The ledger as it lies in its tables: for those who look, and for those who tamper."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from livetally.adapters.postgres import Connection
from livetally.core.chain import beginning, link, rejection_entry, vote_entry

ADDED_TO = ("votes", "rejections", "chain")  # what rows are only ever added to

Place = tuple[int, int]  # partition and offset of a ballot
Outcomes = dict[Place, str]  # "accepted", or the reason

ENTRIES = """
SELECT ballot_partition, ballot_offset, (extract(epoch FROM voting_time AT TIME ZONE 'UTC') * 1000)::bigint,
       NULL, NULL, election_id, voter_id, candidate_id
FROM votes
UNION ALL
SELECT ballot_partition, ballot_offset, (extract(epoch FROM appended_at) * 1000)::bigint, reason, detail, election_id, voter_id, NULL
FROM rejections
ORDER BY 1, 2
"""


class Link(NamedTuple):
    """A row of `chain`."""

    partition: int
    first_offset: int
    next_offset: int
    accepted: int
    rejected: int
    head_before: bytes
    head: bytes


def tamper(connection: Connection, statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> None:
    """Change the ledger as somebody does who owns its tables and does not respect it: who leaves no trace but the rows themselves."""
    with connection.transaction():
        for table in ADDED_TO:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER only_added_to")
        connection.execute(statement, parameters)
        for table in ADDED_TO:
            connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER only_added_to")


def forge(connection: Connection) -> None:
    """Make links and heads fit whatever the rows are now, as a tamperer does who knows the chain."""
    found = entries(connection)
    with connection.transaction():
        heads = {
            partition: beginning(partition) for partition, *_ in connection.execute("SELECT ballot_partition FROM recorded").fetchall()
        }
        reached = {
            one.partition: max(other.next_offset for other in links(connection) if other.partition == one.partition)
            for one in links(connection)
        }
        tamper(connection, "DELETE FROM chain")
        for partition, before in heads.items():
            rows = found[partition]
            end = max([reached.get(partition, 0), *(offset + 1 for offset, _ in rows)])
            accepted = sum(entry.split(b"\0")[1] == b"vote" for _, entry in rows)
            counts = (accepted, len(rows) - accepted)
            head = head_after(before, [entry for _, entry in rows])
            connection.execute(
                "INSERT INTO chain (ballot_partition, first_offset, next_offset, accepted, rejected, head_before, head) VALUES (%s, 0, %s, %s, %s, %s, %s)",
                (partition, end, *counts, before, head),
            )
            connection.execute(
                "UPDATE recorded SET next_offset = %s, accepted = %s, rejected = %s, head = %s WHERE ballot_partition = %s",
                (end, *counts, head, partition),
            )


def stored(connection: Connection) -> Outcomes:
    """What the ledger says of each ballot."""
    rows = connection.execute(
        "SELECT ballot_partition, ballot_offset, 'accepted' FROM votes UNION ALL SELECT ballot_partition, ballot_offset, reason FROM rejections"
    ).fetchall()
    assert len(rows) == len({row[:2] for row in rows}), "two outcomes of one ballot"
    return {(partition, offset): outcome for partition, offset, outcome in rows}


def everything_in(connection: Connection) -> list[list[tuple[Any, ...]]]:
    """All rows of the ledger, without the links: how a ledger was cut into them is not part of what it says."""
    return [sorted(connection.execute(f"TABLE {table}").fetchall(), key=repr) for table in ("votes", "rejections", "recorded")]


def links(connection: Connection) -> list[Link]:
    """In the order in which they were made."""
    return [
        Link(*row)
        for row in connection.execute(
            "SELECT ballot_partition, first_offset, next_offset, accepted, rejected, head_before, head FROM chain ORDER BY number"
        )
    ]


def entries(connection: Connection) -> dict[int, list[tuple[int, bytes]]]:
    """Per partition, offset and entry of each verdict that is stored, in order."""
    found: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
    for partition, offset, ms, reason, detail, election_id, voter_id, candidate_id in connection.execute(ENTRIES):
        if reason is None:
            entry = vote_entry(offset, ms, election_id, voter_id, candidate_id)
        else:
            entry = rejection_entry(offset, ms, reason, detail, election_id, voter_id)
        found[partition].append((offset, entry))
    return found


def assert_chained(connection: Connection) -> None:
    """Links tile every partition without a gap, each holds what its rows add up to, and the last one is where the partition stands."""
    recorded = connection.execute("SELECT ballot_partition, next_offset, accepted, rejected, head FROM recorded").fetchall()
    found = entries(connection)
    assert found.keys() <= {partition for partition, *_ in recorded}, "rows in a partition where nothing was decided"
    for partition, next_offset, accepted, rejected, head in recorded:
        own = sorted(link for link in links(connection) if link.partition == partition)
        rows = found.get(partition, [])
        reached, so_far = 0, beginning(partition)
        for one in own:
            assert (one.first_offset, one.head_before) == (reached, so_far), one
            inside = [entry for offset, entry in rows if one.first_offset <= offset < one.next_offset]
            assert one.accepted + one.rejected == len(inside), one
            assert one.accepted == sum(entry.split(b"\0")[1] == b"vote" for entry in inside), one
            reached, so_far = one.next_offset, head_after(so_far, inside)
            assert one.head == so_far, one
        assert (reached, so_far) == (next_offset, head), f"partition {partition} does not stand where its last link ends"
        assert (accepted, rejected) == (sum(one.accepted for one in own), sum(one.rejected for one in own))
        assert all(offset < reached for offset, _ in rows), "rows behind the last link"


def head_after(before: bytes, entries: Sequence[bytes]) -> bytes:
    for entry in entries:
        before = link(before, entry)
    return before
