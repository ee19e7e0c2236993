"""`livetally results --watch`: the board in the terminal, drawn again as it changes, until Ctrl+C."""

import argparse
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live

from livetally.commands.backing import services_of
from livetally.commands.board_view import chosen, drawing, line
from livetally.core.errors import ElectionError, UsageError
from livetally.settings import read_settings
from livetally.show.result import Snapshot
from livetally.show.serving import serve

REDRAW_S = 1.0  # the age of the numbers is told in seconds
LINE_EVERY_S = 5.0  # where nothing can be redrawn: not more often, and only if something has changed


def watch(arguments: argparse.Namespace) -> int:
    """On a terminal the drawing is renewed in its place; elsewhere, in a file or a pipe, a line is added when the numbers have changed."""
    if arguments.json or arguments.at is not None:
        raise UsageError("--watch shows what happens now, to people: it goes with neither --json nor --at. `results --json` tells it once.")
    with (
        services_of(read_settings(), looks_only=True) as backing,
        closing(serve(backing.kafka_bootstrap_servers, backing.database_url)) as serving,
    ):
        try:
            follow(lambda: serving.snapshot, arguments.election, Console(highlight=False, markup=False), threading.Event())
        except KeyboardInterrupt:  # how one ends it: nothing went wrong
            return 0
    return 0


def follow(look: Callable[[], Snapshot], election_id: str | None, console: Console, stop: threading.Event) -> None:
    """Until `stop` is set. Raises ElectionError if the election that was named does not exist."""
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=False) as live:
            while True:
                snapshot = look()
                _check(snapshot, election_id)
                live.update(drawing(snapshot, election_id, datetime.now(UTC), console.width, console.height), refresh=True)
                if stop.wait(REDRAW_S):
                    return
    last = ""
    while True:
        snapshot = look()
        _check(snapshot, election_id)
        is_known = snapshot.results is not None and snapshot.facts is not None
        if is_known and (said := line(snapshot, election_id)) != last:
            print(said, flush=True, file=console.file)
            last = said
        if stop.wait(LINE_EVERY_S if is_known else REDRAW_S):
            return


def _check(snapshot: Snapshot, election_id: str | None) -> None:
    election, result = chosen(snapshot, election_id)
    if election_id is not None and snapshot.facts is not None and election is None and result is None:
        known = ", ".join(one.election_id for one in snapshot.facts.elections) or "none"
        raise ElectionError(f"There is no election {election_id!r}. There are: {known}.")
