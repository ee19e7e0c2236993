"""`livetally rejected --cast-again`: what was rejected for a reason that has been mended gets another chance."""

import argparse
import threading

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from livetally.commands.backing import services_of
from livetally.commands.output import print_json
from livetally.commands.stage import EXIT_INTERRUPTED, run_stage
from livetally.core.ballots import Reason
from livetally.core.wire import BALLOTS
from livetally.record.cast_again import CastAgain, cast_again, check_hope
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
            with _progress() as progress:
                task = progress.add_task("", total=None)
                cast_again(
                    backing.kafka_bootstrap_servers,
                    backing.database_url,
                    reason,
                    done,
                    stop,
                    dry_run=arguments.dry_run,
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
