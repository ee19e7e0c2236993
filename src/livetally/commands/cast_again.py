"""`livetally rejected --cast-again`: what was rejected for a reason that has been mended gets another chance."""

import argparse
import threading
from collections.abc import Sequence
from contextlib import closing

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from livetally.adapters.acts import Acts
from livetally.adapters.postgres import Connection, connect, explained
from livetally.adapters.rejected import Rejections
from livetally.adapters.rights import Rights
from livetally.commands.actor import actor
from livetally.commands.backing import services_of
from livetally.commands.output import print_json
from livetally.commands.stage import EXIT_INTERRUPTED, run_stage
from livetally.core.ballots import Reason
from livetally.core.following import Place
from livetally.core.wire import BALLOTS
from livetally.record.cast_again import CastAgain, Casting, cast_again, check_hope
from livetally.settings import read_settings

STILL = {
    Reason.MALFORMED: "cannot be read",
    Reason.UNKNOWN_ELECTION: "are for an election that still does not exist",
    Reason.NOT_OPEN: "are for an election that is not open now, and a ballot counts only if it is cast while it is",
    Reason.UNKNOWN_CANDIDATE: "are for a candidate who is still not on the list",
    Reason.UNKNOWN_VOTER: "are of somebody who is still not registered",
}


def run_cast_again(reason: Reason, arguments: argparse.Namespace) -> int:
    check_hope(reason)  # before any service is started for it
    done = CastAgain()
    with services_of(read_settings(), looks_only=True) as backing:

        def work(stop: threading.Event) -> str:
            with _progress() as progress, closing(_Trace(backing.database_url, reason)) as trace:
                task = progress.add_task("", total=None)
                cast_again(
                    backing.kafka_bootstrap_servers,
                    backing.database_url,
                    reason,
                    done,
                    stop,
                    dry_run=arguments.dry_run,
                    before_casting=trace.note,
                    on_progress=lambda: progress.update(task, completed=done.seen),
                )
            return _summary(reason, done, dry_run=arguments.dry_run)

        run_stage("rejected", work)
    if arguments.json:
        print_json(
            {
                "reason": reason,
                "dry_run": arguments.dry_run,
                "complete": done.is_complete,
                "cast_again": done.cast,
                "skipped": {"voted": done.voted, "cast_before": done.cast_before, "missing": done.missing},
                "would_be_rejected": done.refused,
            }
        )
    return 0 if done.is_complete else EXIT_INTERRUPTED


class _Trace:
    """What is written down before ballots are cast again: the act, once; and with each receipt that its vote may come from the copy."""

    def __init__(self, database_url: str, reason: Reason) -> None:
        self._url = database_url
        self._reason = reason
        self._connection: Connection | None = None

    def note(self, castings: Sequence[Casting]) -> None:
        with explained(self._url):
            is_first = self._connection is None
            self._connection = self._connection or connect(self._url, "cast again", Rights.ORGANISE)
            with self._connection.transaction():
                if is_first:
                    who = actor()
                    Acts(self._connection).note(who.who, "rejected cast-again", self._reason, None, {}, who.came_from)
                Rejections(self._connection).mark_receipts([(one.content, Place(one.partition, one.offset)) for one in castings])

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _summary(reason: Reason, done: CastAgain, *, dry_run: bool) -> str:
    if not done.seen:
        return f"no ballot has been rejected as {reason}; nothing was cast"
    verb = "would be" if dry_run else "have been"
    lines = [f"{done.cast:,} of {done.seen:,} ballots that were rejected as {reason} {verb} cast again"]
    if done.voted:
        lines.append(f"{done.voted:,} not: their voters have a vote in that election by now")
    if done.cast_before:
        lines.append(
            f"{done.cast_before:,} not: they have been cast again before. That copy waits for its verdict, or is a rejected ballot itself"
        )
    if done.missing:
        lines.append(f"{done.missing:,} not: {BALLOTS} holds them no more")
    for why, count in done.refused.most_common():
        lines.append(f"{count:,} not: they would be rejected again, as {why}. They {STILL[why]}")
    if done.refused and not done.cast:
        lines.append("As things stand, casting them again cannot help.")
    if not done.is_complete:
        lines.append("Stopped before the end. The same command goes on there.")
    return "\n  ".join(lines)


def _progress() -> Progress:
    return Progress(TextColumn("cast again"), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True), transient=True)
