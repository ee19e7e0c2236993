"""How long an announced number takes to the page, and what viewers cost, beside an election at a steady pace.

    ./livetally bench show [--json] [--quick] [options]

docs/benchmarks.md says what each figure means. Exit code 1 if a viewer was shown something wrong. Needs Chromium.
"""

import argparse
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, cast

from harness.announcements import Announcements, Seen, delays
from harness.backlog import Backlog
from harness.browser import Browser, Looking, browser
from harness.cost import Meter, cost
from harness.electorate import register
from harness.holding import hold
from harness.latency import cast_steadily
from harness.process_tree import usage
from harness.recorder import end, recorders
from harness.saying import Phases
from harness.show_figures import BROWSER, Found, document, rows
from harness.spark_process import SparkProcess, spark_process
from harness.stand import Stand
from harness.viewers import look_from
from livetally.commands.backing import LIVETALLY
from livetally.core.elections import DEFAULT_SEED
from livetally.core.errors import ServiceError
from livetally.embedded.services import EVERYTHING
from livetally.show import dashboard
from livetally.show.live import PAGES, REFRESH_S_MIN

FULL = {"seconds": 60.0, "viewers": 20, "first_views": 5}
QUICK = {"seconds": 15.0, "viewers": 4, "first_views": 1}
REFRESH_S = float(REFRESH_S_MIN)  # what a page does that nobody has told anything else
SETTLE_S = 3 * REFRESH_S  # everybody has come and refreshed: what is allocated once is there
LAST_S = 2 * REFRESH_S  # what is announced at the very end must have the time to be shown
FIRST_VIEW_ALLOWANCE_S = 8.0  # of the pace goes on while one view is measured
START_S = 30.0  # the first view of all, and viewers that come
FIRST_BALLOTS, FIRST_PER_S = 1_000, 500.0  # Spark generates its code
WITHIN_S = 180.0  # everything starts meanwhile
PAGE_WITHIN_S = 60.0
LOOK_S = 0.2
SAMPLE_EVERY_S = 2.0
BYTES_PER_VOTER, BYTES_BESIDES = 5_500, 3_000_000_000


@dataclass(frozen=True, slots=True)
class Stack:
    """What runs while the page is looked at."""

    announcements: Announcements
    tally: SparkProcess
    page: "subprocess.Popen[bytes]"
    address: str

    def memory_bytes(self) -> int:
        return sum(one.pss_bytes for one in usage(self.page.pid).values())

    def check(self) -> None:
        self.tally.check()
        if self.page.poll() is not None:
            raise ServiceError(f"The page ended with exit code {self.page.returncode}; its log says why.")
        if self.announcements.fault is not None:
            raise ServiceError(f"The announced totals cannot be read: {self.announcements.fault}")


class ShowBench:
    """All stages, each as a process of its own, and viewers."""

    def __init__(self, options: argparse.Namespace, on: Stand, phases: Phases) -> None:
        self._options = options
        self._stand = on
        self._phase = phases.phase
        self.found = Found(options.viewers, REFRESH_S, options.rate)

    def run(self) -> Found:
        options, on = self._options, self._stand
        steady = round(options.rate * _pace_s(options))
        with self._phase("register", f"registering {FIRST_BALLOTS + steady:,} people"):
            backlog = Backlog(register(on, options.seed, FIRST_BALLOTS + steady), FIRST_BALLOTS + steady)
            on.settle("voters")
        with ExitStack() as until_the_end:
            recording = until_the_end.enter_context(recorders(on, on.roll_url))
            tally = until_the_end.enter_context(spark_process(on, "tally", [*LIVETALLY, "tally"], on.environment(on.roll_url)))
            announcements = until_the_end.enter_context(Announcements(on.kafka))
            page, address = until_the_end.enter_context(_page(on))
            stack = Stack(announcements, tally, page, address)
            chromium = until_the_end.enter_context(browser(f"http://{address}/"))
            with self._phase("start", "everything starts, and counts the first ballots"):
                self._cast_first(stack, backlog)
            with self._phase("pace", f"{options.rate:,.0f} ballots a second, {options.viewers} viewers for {options.seconds:.0f} s"):
                meter = Meter(recorders=recording.pids, spark=[tally.java_pid()], page=[page.pid])
                with self._casting(backlog, steady, options.rate):
                    first = meter.read()
                    self._view(stack, chromium)
                    spent = cost(first, meter.read())
            self.found.cores_busy, self.found.others_share = spent.cores(), spent.others_share
        return self.found

    def _cast_first(self, stack: Stack, backlog: Backlog) -> None:
        with self._casting(backlog, FIRST_BALLOTS, FIRST_PER_S):
            deadline_s = time.monotonic() + WITHIN_S
            while stack.announcements.total < FIRST_BALLOTS or not dashboard.answers(f"http://{stack.address}"):
                stack.check()
                if time.monotonic() > deadline_s:
                    raise ServiceError(f"The first ballots have not been announced, or the page does not answer, within {WITHIN_S:.0f} s.")
                time.sleep(LOOK_S)  # nothing tells this process; it looks again

    def _view(self, stack: Stack, chromium: Browser) -> None:
        """One view that nobody measures, then all viewers at once, then first views while they go on looking."""
        options, found = self._options, self.found
        with chromium.look():
            pass
        found.alone_bytes = stack.memory_bytes()
        with _sessions(stack.address, options.viewers - 1) as sessions, chromium.look() as looking:
            self._watch(stack, SETTLE_S)
            first_ns = time.monotonic_ns()
            found.samples = self._watch(stack, options.seconds)
            last_ns = time.monotonic_ns()
            for page in PAGES * options.first_views:
                with chromium.look(page.path) as fresh:
                    found.first_views_s.setdefault(page.title, []).append(fresh.first_view_s)
                    found.live_s.setdefault(page.title, []).append(fresh.live_s)
            self._watch(stack, LAST_S)
            self._judge(stack, looking, sessions, (first_ns, last_ns))

    def _watch(self, stack: Stack, seconds: float) -> list[tuple[float, int]]:
        """The server's memory, every few seconds."""
        samples = []
        end_s = time.monotonic() + seconds
        while (now_s := time.monotonic()) < end_s:
            stack.check()
            samples.append((now_s, stack.memory_bytes()))
            time.sleep(max(0.0, min(SAMPLE_EVERY_S, end_s - time.monotonic())))  # the time in which people look is what is measured
        return samples

    def _judge(self, stack: Stack, looking: Looking, sessions: "Pipe[object, object]", span_ns: tuple[int, int]) -> None:
        found = self.found
        seen = {BROWSER: looking.seen()}
        answers = _told(sessions)
        seen |= {f"session {number}": shown for number, (shown, _) in enumerate(answers, 1)}
        announced, end_ns = stack.announcements.seen, time.monotonic_ns()
        possible = {total for _, total in announced}
        for name, shown in seen.items():
            found.delays[name] = delays(announced, shown, *span_ns, end_ns)
            if not shown:
                found.faults.append(f"{name} was never shown a number")
            if [total for _, total in shown] != sorted(total for _, total in shown):
                found.faults.append(f"{name} was shown a number that was smaller than the one before")
            if too_many := [total for _, total in shown if total > max(possible)]:
                found.faults.append(f"{name} was shown {too_many[0]:,} votes, and they were never announced")
        refreshes = sum(len(shown) for shown, _ in answers)
        found.bytes_per_refresh = sum(size for _, size in answers) / refreshes if refreshes else 0.0

    @contextmanager
    def _casting(self, backlog: Backlog, count: int, per_s: float) -> Iterator[None]:
        """Ballots from a process of its own, as long as this lasts."""
        context = multiprocessing.get_context("spawn")
        _, theirs = context.Pipe()
        election_id = backlog.contest.election.election_id
        arguments = (self._stand.kafka, election_id, backlog.good(count), per_s, theirs)
        caster = context.Process(target=cast_steadily, args=arguments, daemon=True)
        caster.start()
        try:
            yield
        finally:
            caster.terminate()
            caster.join()


@contextmanager
def _page(on: Stand) -> "Iterator[tuple[subprocess.Popen[bytes], str]]":
    """The page's server, and its address."""
    port = on.backing.choose_port("dashboard", 8501)
    log = on.data_dir / "logs" / "page.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            dashboard.command(on.settings, port, "127.0.0.1"),
            env=on.environment(on.roll_url),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=on.data_dir,
            start_new_session=True,
        )
        try:
            yield process, f"127.0.0.1:{port}"
        finally:
            end(process)


@contextmanager
def _sessions(address: str, count: int) -> "Iterator[Pipe[object, object]]":
    """Viewers without a browser; told to stop, they say what they have seen."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=look_from, args=(address, count, REFRESH_S, theirs), daemon=True)
    process.start()
    theirs.close()  # the other end is theirs alone: should they end, we notice
    try:
        yield ours
    finally:
        process.terminate()
        process.join()


def _told(sessions: "Pipe[object, object]") -> list[tuple[list[Seen], int]]:
    """What the viewers without a browser have seen, and how many bytes they were sent."""
    try:
        sessions.send("stop")
        if sessions.poll(WITHIN_S):
            return cast("list[tuple[list[Seen], int]]", sessions.recv())
    except (EOFError, OSError) as error:
        raise ServiceError(f"The viewers without a browser have ended: {error!r}") from error
    raise ServiceError("The viewers without a browser do not answer.")


def main() -> int:
    options = _options()
    voters = FIRST_BALLOTS + round(options.rate * _pace_s(options))

    def measure(on: Stand, phases: Phases) -> tuple[dict[str, Any], float]:
        found = ShowBench(options, on, phases).run()
        return document(found), found.others_share

    return hold("show", options, voters * BYTES_PER_VOTER + BYTES_BESIDES, EVERYTHING, measure, rows)


def _pace_s(options: argparse.Namespace) -> float:
    """How long ballots are cast: until the last first view has been measured."""
    return float(START_S + SETTLE_S + options.seconds + len(PAGES) * options.first_views * FIRST_VIEW_ALLOWANCE_S + LAST_S)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="livetally bench show", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output and nothing else")
    parser.add_argument("--quick", action="store_true", help="fewer viewers for a shorter time: for trying, not for telling")
    parser.add_argument("--viewers", type=int, metavar="N", help="one with Chromium, the others plain WebSocket sessions (default: 20)")
    parser.add_argument("--rate", type=float, default=1_000.0, metavar="R", help="ballots a second (default: 1000)")
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="how long they look on (default: 60); from 1800 on it is judged whether memory grows"
    )
    parser.add_argument(
        "--first-views", type=int, metavar="N", help="how often each of the pages is opened for the first time (default: 5)"
    )
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="S", help="who the people are (default: %(default)s)")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the temporary directory is made (default: where temporary files go)")
    options = parser.parse_args()
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.viewers < 2 or options.rate <= 0:  # noqa: PLR2004 (one browser and one session)
        parser.error("there must be at least 2 viewers, and some ballots a second")
    return options


if __name__ == "__main__":
    sys.exit(main())
