"""`livetally topics`, `peek`, `sql`: look inside without any other client."""

import argparse
import json
import sys
from contextlib import closing
from typing import Any

from livetally.adapters.kafka import Consumer, reader
from livetally.adapters.postgres import ask_read_only
from livetally.adapters.reading import Record, Tail, bounds, partitions_of, read_range, record_of
from livetally.adapters.topics import Topics
from livetally.commands.backing import database_of, services_of
from livetally.commands.output import print_json, print_table, say
from livetally.core.errors import UsageError
from livetally.core.wire import ms_text
from livetally.core.wire import topics as all_topics
from livetally.settings import read_settings

NUMBERS = frozenset({"partitions", "from", "up to"})
CONTROL_RECORDS_PER_MESSAGE = 4  # transactions leave marks that take offsets; look back this much further than asked


def topics(arguments: argparse.Namespace) -> int:
    settings = read_settings()
    with services_of(settings, looks_only=True) as backing, closing(reader(backing.kafka_bootstrap_servers)) as client:
        existing = Topics(backing.kafka_bootstrap_servers).existing()
        ours = {topic.name: topic for topic in all_topics(settings.ballot_partitions)}
        rows = []
        for name in [*ours, *sorted(existing.keys() - ours.keys())]:
            limits = [bounds(client, name, partition) for partition in range(existing.get(name, 0))]
            about = ours[name].about if name in ours else "not livetally's"
            keep = ours[name].keep if name in ours else ""
            rows.append((name, existing.get(name), sum(low for low, _ in limits), sum(high for _, high in limits), keep, about))
    columns = ("topic", "partitions", "from", "up to", "keep", "about")
    if arguments.json:
        print_json([dict(zip(("topic", "partitions", "from_offset", "end_offset", "keep", "about"), row, strict=True)) for row in rows])
    else:
        print_table(columns, rows, NUMBERS)
        say("“from” and “up to” are sums of offsets; marks of transactions take some, so they are no counts of messages.")
    return 0


def peek(arguments: argparse.Namespace) -> int:
    """The newest messages, oldest first, one JSON object a line."""
    with services_of(read_settings(), looks_only=True) as backing:
        existing = Topics(backing.kafka_bootstrap_servers).existing()
        if arguments.topic not in existing:
            raise UsageError(f"There is no topic {arguments.topic!r}. There are: {', '.join(sorted(existing))}.")
        with closing(reader(backing.kafka_bootstrap_servers)) as client:
            newest: list[Record] = []
            for partition in partitions_of(client, arguments.topic):
                newest += _last(client, arguments.topic, partition, arguments.n)
        newest.sort(key=lambda record: (record.timestamp_ms, record.partition, record.offset))
        for record in newest[-arguments.n :] if arguments.n else []:
            _print_record(record)
        if arguments.follow:
            sys.stdout.flush()
            _follow(backing.kafka_bootstrap_servers, arguments.topic)
    return 0


def sql(arguments: argparse.Namespace) -> int:
    query = arguments.query if arguments.query is not None else sys.stdin.read()
    if not query.strip():
        raise UsageError("There is no query: give one, as in `./livetally sql 'SELECT count(*) FROM votes'`, or pipe one in.")
    with database_of(read_settings()) as database_url:
        columns, rows = ask_read_only(database_url, query)
    if arguments.json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(
            columns, rows, frozenset(name for name, cell in zip(columns, rows[0] if rows else (), strict=False) if isinstance(cell, int))
        )
        say(f"{len(rows):,} row{'' if len(rows) == 1 else 's'}")
    return 0


def _last(client: Consumer, topic: str, partition: int, count: int) -> list[Record]:
    low, high = bounds(client, topic, partition)
    look = CONTROL_RECORDS_PER_MESSAGE * max(count, 1)
    while True:
        first = max(low, high - look)
        found = [record_of(message) for message in read_range(client, topic, partition, first, high)]
        if len(found) >= count or first == low:
            return found[-count:] if count else []
        look *= 8


def _follow(bootstrap_servers: str, topic: str) -> None:
    with closing(Tail(bootstrap_servers, [topic], from_end=True)) as tail:
        while True:
            for record in tail.read(0.5):
                _print_record(record)
            sys.stdout.flush()


def _print_record(record: Record) -> None:
    document = {
        "partition": record.partition,
        "offset": record.offset,
        "time": ms_text(record.timestamp_ms),
        "key": _readable(record.key),
        "headers": {name: _readable(value) for name, value in record.headers},
        "value": _readable(record.value),
    }
    print(json.dumps(document, ensure_ascii=False))


def _readable(raw: bytes | None) -> Any:
    """JSON as what it means, other text as it is, other bytes as Python writes them."""
    if raw is None:
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return repr(raw)
    try:
        return json.loads(text) if text[:1] in "[{" else text
    except (ValueError, RecursionError):
        return text
