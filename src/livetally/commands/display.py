"""One progress display for all stages: a few lines that redraw themselves on a terminal, one line now and then elsewhere."""

import sys
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from livetally.adapters.pulse import Pulse

LINE_EVERY_S = 5.0  # where nothing can be redrawn
RATE_OVER_S = 5.0


class Rate:
    """Votes per second over the last few seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def per_s(self, count: int) -> float:
        now = self._clock()
        self._seen.append((now, count))
        while len(self._seen) > 2 and self._seen[0][0] < now - RATE_OVER_S:  # noqa: PLR2004 (a rate needs two points)
            self._seen.popleft()
        (began, first), (ended, last) = self._seen[0], self._seen[-1]
        return (last - first) / (ended - began) if ended > began else 0.0


class Display:
    def __init__(self, voters: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._voters = voters
        self._clock = clock
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True) if sys.stderr.isatty() else None
        self._rate = Rate(clock)
        self._last_line = ""
        self._next_line_s = 0.0

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text)

    def show(self, pulse: Pulse) -> None:
        per_s = self._rate.per_s(pulse.tallied)
        if self._live is not None:
            self._live.update(_table(pulse, self._voters, per_s), refresh=True)
            return
        line = (
            f"registered {pulse.registered:,} · cast {pulse.cast:,} · recorded {pulse.recorded:,} · tallied {pulse.tallied:,} · "
            f"{per_s:,.0f} votes/s · behind {_behind(pulse):,}"
        )
        now = self._clock()
        if line != self._last_line and now >= self._next_line_s:
            self._console.print(line)
            self._last_line, self._next_line_s = line, now + LINE_EVERY_S


def _behind(pulse: Pulse) -> int:
    """Ballots that are cast and not yet either rejected or tallied."""
    return max(0, pulse.cast - pulse.recorded) + max(0, pulse.accepted - pulse.tallied)


def _table(pulse: Pulse, voters: int, per_s: float) -> Table:
    table = Table.grid(padding=(0, 3))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    table.add_row("registered", f"{pulse.registered:,}", f"of {voters:,}" if pulse.registered < voters else "")
    table.add_row("cast", f"{pulse.cast:,}", "ballots")
    table.add_row(
        "recorded", f"{pulse.recorded:,}", f"{pulse.recorded - pulse.accepted:,} rejected" if pulse.recorded > pulse.accepted else ""
    )
    table.add_row("tallied", f"{pulse.tallied:,}", f"{per_s:,.0f} votes/s")
    table.add_row("behind", f"{_behind(pulse):,}", "ballots cast and not yet counted")
    return table
