"""The hash chain, made again from the ledger's rows: what does not fit was changed, added or removed after it was decided.

That holds as long as nobody rewrites the rows *and* every link behind them. A head that was kept elsewhere tells even that.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from livetally.adapters.past import Head
from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries
from livetally.audit.report import Report
from livetally.core.chain import beginning, link, rejection_entry, vote_entry
from livetally.core.errors import UsageError
from livetally.core.wire import BALLOTS

Kept = Mapping[int, str]  # heads that somebody kept elsewhere: the digest, by how many ballots of a partition it stands for


class Entry(NamedTuple):
    """A row of the ledger as the chain has it."""

    offset: int
    is_vote: bool
    text: bytes


def audit_chain(report: Report, connection: Connection, partition: int, recorded: Head | None, kept: Kept) -> None:
    """Compare one partition's rows with its links, its links with each other, and both with heads kept elsewhere."""
    entries = _entries(connection, partition)
    entry = next(entries, None)
    end, head = 0, beginning(partition)
    own = head  # from the rows alone, whatever the links say
    unseen = dict(kept)
    with connection.cursor(f"links_{partition}") as links:
        links.itersize = 10_000
        links.execute(queries("audit")["links"], (partition,))
        for number, first, next_offset, accepted, rejected, head_before, head_after in links:
            where = f"chain of {BALLOTS}[{partition}], link {number} (ballots {first} to {next_offset - 1})"
            if (first, head_before) != (end, head):
                report.differ(f"{where}: it does not follow the link before it; a link was changed, added or removed")
            found, counts = head_before, [0, 0]
            while entry is not None and entry.offset < next_offset:
                counts[not entry.is_vote] += 1
                is_in_step = found == own
                own = link(own, entry.text)
                found = own if is_in_step else link(found, entry.text)
                _hold_against(report, partition, entry.offset + 1, own, unseen)
                entry = next(entries, None)
            if (found, counts) != (head_after, [accepted, rejected]):
                report.differ(
                    f"{where}: its verdicts are not those that were stored ({accepted} votes and {rejected} rejections then, {counts[0]} and "
                    f"{counts[1]} now); rows were changed, added or removed"
                )
            end, head = next_offset, head_after
    if entry is not None:
        report.differ(f"{BALLOTS}[{partition}] offset {entry.offset}: a row behind the end of the chain, which no link stands for")
    if recorded is not None and (recorded.next_offset, recorded.digest) != (end, head):
        report.differ(
            f"chain of {BALLOTS}[{partition}]: it ends after ballot {end - 1}, the ledger was decided up to {recorded.next_offset - 1}"
        )
    for next_offset in sorted(unseen):
        report.differ(
            f"{BALLOTS}[{partition}]: a head was kept of {next_offset} ballots, and the ledger has no verdict on the last of them"
        )


def read_heads(path: Path) -> dict[int, dict[int, str]]:
    """The heads in a file that `audit --json` wrote: per partition, digest by offset. Raises UsageError if there are none."""
    try:
        document = json.loads(path.read_text("utf-8"))
        heads: dict[int, dict[int, str]] = {}
        for head in document["heads"]:
            heads.setdefault(int(head["partition"]), {})[int(head["next_offset"])] = str(head["digest"])
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} holds no heads. Keep what `./livetally audit --json` prints; nothing was compared.") from error
    if not heads:
        raise UsageError(f"{path} holds an empty list of heads: nothing had been decided when it was written.")
    return heads


def _hold_against(report: Report, partition: int, next_offset: int, own: bytes, unseen: dict[int, str]) -> None:
    kept = unseen.pop(next_offset, None)
    if kept is not None and kept != own.hex():
        report.differ(
            f"{BALLOTS}[{partition}]: the first {next_offset} ballots have the head {own.hex()}, and {kept} was kept: "
            "among their verdicts one was changed, added or removed since then"
        )


def _entries(connection: Connection, partition: int) -> Iterator[Entry]:
    with connection.cursor(f"chained_{partition}") as rows:
        rows.itersize = 10_000
        rows.execute(queries("audit")["chained"], {"partition": partition})
        for row in rows:
            yield _entry(*row)


def _entry(offset: int, appended_us: int, election_id: Any, voter_id: Any, candidate_id: Any, reason: Any, detail: Any) -> Entry:
    ms, rest = divmod(appended_us, 1000)
    appended_ms = appended_us / 1000 if rest else ms  # no broker's time has a rest: such a row is not as it was stored
    if reason is None:
        return Entry(offset, is_vote=True, text=vote_entry(offset, appended_ms, election_id, voter_id, candidate_id))
    return Entry(offset, is_vote=False, text=rejection_entry(offset, appended_ms, reason, detail, election_id, voter_id))
