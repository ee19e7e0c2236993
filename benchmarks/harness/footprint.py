"""How many bytes lie where: the ledger, the write-ahead log, the topics."""

from pathlib import Path
from typing import Any

import psycopg

from harness.database import row


def ledger_bytes(connection: "psycopg.Connection[tuple[Any, ...]]") -> dict[str, int]:
    sizes = row(
        connection,
        "SELECT pg_relation_size('votes'), pg_indexes_size('votes'), pg_database_size(current_database()), "
        "pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint",
    )
    return dict(zip(("votes_heap", "votes_indexes", "database", "wal"), sizes, strict=True))


def topic_bytes(kafka_logs: Path, topic: str) -> int:
    """The log segments of all partitions; indexes, which are made in advance, are left out."""
    partitions = (path for path in kafka_logs.glob(f"{topic}-*") if path.name.removeprefix(f"{topic}-").isdigit())  # none that was deleted
    return sum(segment.stat().st_size for path in partitions for segment in path.glob("*.log"))


def grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - before[name] for name in after}
