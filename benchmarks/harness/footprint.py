"""How many bytes lie where: the ledger, every table, the write-ahead log, the topics, a directory."""

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


def table_bytes(connection: "psycopg.Connection[tuple[Any, ...]]") -> dict[str, int]:
    """Every table with its indexes, and the write-ahead log written so far."""
    found = connection.execute(
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
        "UNION ALL SELECT 'wal', pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
    )
    return dict(found.fetchall())


def directory_bytes(directory: Path) -> int:
    """All files in it; none if it is not there."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def topic_bytes(kafka_logs: Path, topic: str) -> int:
    """The log segments of all partitions; indexes, which are made in advance, are left out."""
    partitions = (path for path in kafka_logs.glob(f"{topic}-*") if path.name.removeprefix(f"{topic}-").isdigit())  # none that was deleted
    return sum(segment.stat().st_size for path in partitions for segment in path.glob("*.log"))


def grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - before[name] for name in after}
