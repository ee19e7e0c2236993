"""`livetally rejected`: which ballots do not count, and why; or cast them again, once that has been mended."""

import argparse
import base64
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any

from livetally.adapters.kafka import Consumer, reader
from livetally.adapters.postgres import connect, explained
from livetally.adapters.reading import Record
from livetally.adapters.rejected import Rejection, Rejections, with_ballots
from livetally.adapters.rights import Rights
from livetally.adapters.topics import Topics
from livetally.commands.backing import Backing, services_of
from livetally.commands.cast_again import run_cast_again
from livetally.commands.output import PIPE_COLUMNS, print_table, say
from livetally.commands.plain import cut, safe, safe_bytes
from livetally.core.ballots import Ballot, Reason, parse
from livetally.core.errors import UsageError
from livetally.core.wire import BALLOTS, utc_text
from livetally.settings import read_settings

LISTED = 20  # for a person who has said no number
LISTED_AT_ONCE = 500  # lines that are put in order of time together: enough to be quick, few enough for any memory
INDENT = "      "


def rejected(arguments: argparse.Namespace) -> int:
    reason = None if arguments.reason is None else _reason(arguments.reason)
    if arguments.cast_again is not None:
        if reason is not None or arguments.n is not None:
            raise UsageError("--reason and -n choose what is listed. --cast-again names its own reason, and takes all there are.")
        return run_cast_again(_reason(arguments.cast_again), arguments)
    if arguments.dry_run:
        raise UsageError("--dry-run says what --cast-again would do: name the reason, as in `--cast-again unknown_candidate --dry-run`.")
    with services_of(read_settings(), looks_only=True) as backing, _rejections(backing) as (rejections, client):
        if arguments.json:
            _print_document(rejections, client, reason, arguments.n)
        else:
            _print_for_people(rejections, client, reason, LISTED if arguments.n is None else arguments.n)
    return 0


@contextmanager
def _rejections(backing: Backing) -> Iterator[tuple[Rejections, Consumer]]:
    url = backing.database_url
    with (
        closing(connect(url, "rejected", Rights.LOOK, bounded=False)) as connection,
        explained(url),
        closing(reader(backing.kafka_bootstrap_servers)) as client,
    ):
        rejections = Rejections(connection)
        with rejections.at_one_moment(Topics(backing.kafka_bootstrap_servers).identity(BALLOTS)):
            yield rejections, client


def _print_document(rejections: Rejections, client: Consumer, reason: Reason | None, newest: int | None) -> None:
    """Piece by piece: there may be millions. In ASCII, for what strangers have cast shall not steer a terminal."""
    counts = rejections.counts(reason)
    write = sys.stdout.write
    write(f'{{\n"total": {sum(counts.values())},\n"counts": {json.dumps(counts)},\n"rejections": [')
    between = "\n"
    for rejection, ballot in with_ballots(client, rejections.newest("by_place", reason, newest)):
        write(between + json.dumps(_document(rejection, ballot)))
        between = ",\n"
    write("\n]\n}\n")


def _document(rejection: Rejection, ballot: Record | None) -> dict[str, Any]:
    content = None if ballot is None else parse(ballot.key, ballot.value)
    read = content if isinstance(content, Ballot) else None
    key, key_encoding = _as_text(None if ballot is None else ballot.key)
    value, value_encoding = _as_text(None if ballot is None else ballot.value)
    return {
        "partition": rejection.partition,
        "offset": rejection.offset,
        "appended_at": utc_text(rejection.appended_at),
        "reason": rejection.reason,
        "detail": rejection.detail,
        "election_id": read.election_id if read else rejection.election_id,
        "voter_id": read.voter_id if read else rejection.voter_id,
        "candidate_id": read.candidate_id if read else None,
        "key": key,
        "key_encoding": key_encoding,
        "value": value,
        "value_encoding": "missing" if ballot is None else value_encoding,  # the topic has the ballot no more
    }


def _as_text(raw: bytes | None) -> tuple[str | None, str]:
    if raw is None:
        return None, "none"
    try:
        return raw.decode(), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), "base64"


def _print_for_people(rejections: Rejections, client: Consumer, reason: Reason | None, newest: int) -> None:
    counts = rejections.counts(reason)
    if not counts:
        say("No ballot has been rejected." if reason is None else f"No ballot has been rejected as {reason}.")
        return
    print_table(("reason", "ballots"), counts.items(), frozenset({"ballots"}))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPE_COLUMNS
    rows = rejections.newest("by_time", reason, newest)
    while some := list(islice(rows, LISTED_AT_ONCE)):
        lines = {one[:2]: _lines(one, ballot, width) for one, ballot in with_ballots(client, sorted(some))}
        for one in some:
            print(lines[one[:2]])
    total = sum(counts.values())
    if newest < total:
        say(f"the newest {newest:,} of {total:,}; -n shows more or fewer")


def _lines(rejection: Rejection, ballot: Record | None, width: int) -> str:
    """A rejection in two lines: what is known of it, and its bytes."""
    said = f"{rejection.partition}/{rejection.offset}  {utc_text(rejection.appended_at)}  {rejection.reason}"
    said += f": {rejection.detail}" if rejection.detail else ""
    content = None if ballot is None else parse(ballot.key, ballot.value)
    if isinstance(content, Ballot):
        said += f"  voter {safe(content.voter_id)}, candidate {safe(content.candidate_id)}, election {safe(content.election_id)}"
    elif ballot is not None and ballot.key is not None:
        said += f"  key {safe_bytes(ballot.key, width)}"
    if ballot is None:
        return f"{cut(said, width)}\n{INDENT}(no longer in {BALLOTS})"
    if ballot.value is None:
        return f"{cut(said, width)}\n{INDENT}(no value)"
    size = f" ({len(ballot.value):,} bytes)"
    value = safe_bytes(ballot.value, width)
    whole = cut(value, width - len(INDENT))
    return f"{cut(said, width)}\n{INDENT}{value if whole == value else cut(value, width - len(INDENT) - len(size)) + size}"


def _reason(text: str) -> Reason:
    try:
        return Reason(text)
    except ValueError:
        raise UsageError(f"There is no reason {text!r}. The reasons are: {', '.join(Reason)}.") from None
