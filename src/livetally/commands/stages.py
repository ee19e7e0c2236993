"""`livetally register`, `simulate`, `record`, `tally`, `dashboard`: each stage as a process of its own."""

import argparse
import gc
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from livetally.adapters.kafka import Announcer
from livetally.adapters.postgres import connect, explained
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.commands.backing import services_of
from livetally.commands.exposure import check_page
from livetally.commands.output import start_stage_log
from livetally.commands.simulations import chosen_simulation, open_draft, simulated_draft
from livetally.commands.stage import run_watched
from livetally.core.elections import Election, Voter
from livetally.core.errors import ElectionError, ServiceError, UsageError
from livetally.observe.health import ROUND_WITHIN_S
from livetally.observe.lately import Lately
from livetally.register.meter import Meter as RegisterMeter
from livetally.settings import Settings, read_settings

log = logging.getLogger(__name__)


# Batches are a million small objects that live for a second and hold no cycles; looking through them for some took a quarter of *record*'s
# processor time. Objects that are no longer used are freed at once in any case.
GARBAGE_AFTER = 1_000_000


def register(arguments: argparse.Namespace) -> int:
    """Stopped between two batches by Ctrl+C; the next call goes on there."""
    start_stage_log("register")
    from livetally.register.randomuser import RETRY_AFTER_MAX_S

    settings = read_settings()
    meter = RegisterMeter(ROUND_WITHIN_S + (RETRY_AFTER_MAX_S if arguments.source == "randomuser" else 0.0))
    with services_of(settings) as backing:
        return run_watched(
            meter, backing, lambda stop: _register(arguments, settings, backing.kafka_bootstrap_servers, backing.database_url, stop, meter)
        )


def simulate(arguments: argparse.Namespace) -> int:
    start_stage_log("simulate")
    from livetally.cast.meter import Meter
    from livetally.cast.simulate import planted
    from livetally.cast.simulate import simulate as cast

    if arguments.plant and arguments.rate is None:
        raise UsageError("--plant needs a --rate: where everybody votes as fast as it goes, no place has a pace of its own.")
    meter = Meter()
    gc.set_threshold(GARBAGE_AFTER)
    with services_of(read_settings()) as backing:
        election, candidate_ids = _simulated_election(backing.database_url, arguments.election)
        seed = election.seed if arguments.seed is None else arguments.seed

        def work(stop: threading.Event) -> str:
            kafka = backing.kafka_bootstrap_servers
            planting = planted(kafka, election, candidate_ids, seed, arguments.plant) if arguments.plant else None
            done = cast(kafka, election, candidate_ids, seed, arguments.rate, stop, meter, planting)
            return f"{done.ballots:,} ballots cast by {done.voters:,} people in {election.election_id}"

        return run_watched(meter, backing, work)


def record(_arguments: argparse.Namespace) -> int:
    start_stage_log("record")
    from livetally.record.meter import Meter
    from livetally.record.record import record as decide

    settings = read_settings()
    meter = Meter()
    gc.set_threshold(GARBAGE_AFTER)
    with services_of(settings) as backing:

        def work(stop: threading.Event) -> str:
            ballots_max = settings.record_batch_ballots_max
            done = decide(backing.kafka_bootstrap_servers, backing.database_url, ballots_max, stop, meter=meter)
            return f"left the group after {done.ballots:,} ballots in {done.batches:,} batches"

        return run_watched(meter, backing, work)


def tally(_arguments: argparse.Namespace) -> int:
    start_stage_log("tally")
    from livetally.tally.meter import Meter
    from livetally.tally.tally import tally as count

    meter = Meter()
    with services_of(read_settings(), spark=True) as backing:

        def work(stop: threading.Event) -> str:
            kafka, database, jars = backing.kafka_bootstrap_servers, backing.database_url, backing.spark_jars
            count(backing.settings, kafka, database, backing.java_home, jars, stop, meter)
            return "stopped after the last batch; the next tally goes on there"

        return run_watched(meter, backing, work)


def dashboard(_arguments: argparse.Namespace) -> int:
    start_stage_log("dashboard")
    from livetally.show.dashboard import answers, command
    from livetally.show.meter import Meter

    settings = read_settings()
    meter = Meter()
    with services_of(settings) as backing:
        check_page(settings, backing.database_url)
        port = backing.choose_port("dashboard", settings.dashboard_port)
        url = f"http://{settings.dashboard_address}:{port}"
        log.info("the page is served", extra={"page": url})
        # Its standard output would say the address once more, and a wrong one at that where it listens on all of them.
        child = subprocess.Popen(command(settings, port, settings.dashboard_address), env=backing.environment(), stdout=subprocess.DEVNULL)
        page_answers = Lately(lambda: answers(url))
        meter.watches(lambda: child.poll() is None, page_answers)

        def work(stop: threading.Event) -> str:
            meter.ready()
            while child.poll() is None and not stop.wait(0.2):
                meter.alive()
            if child.poll() is not None and not stop.wait(1.0):  # a terminal's Ctrl+C reaches both of us, and the page may be the faster
                raise ServiceError(f"The page has ended by itself, with exit code {child.returncode}.")
            child.terminate()
            return f"stopped (exit code {child.wait()})"

        return run_watched(meter, backing, work, lambda: None if page_answers() else f"the page at {url} does not answer")


def _register(
    arguments: argparse.Namespace,
    settings: Settings,
    bootstrap_servers: str,
    database_url: str,
    stop: threading.Event,
    meter: RegisterMeter,
) -> str:
    from livetally.register.register import open_simulated_elections, register_voters

    def people(seed: int, first: int, count: int) -> Iterable[Voter]:
        return _people(arguments.source, settings, seed, first, count, noted)

    def noted(_done: int, note: str) -> None:
        """The API limits how much it gives; a wait of a minute wants an explanation, and is no reason to look dead."""
        meter.alive()
        if note:
            log.warning("the API of people keeps us waiting", extra={"why": note})

    progress = Progress(
        TextColumn("register"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with closing(connect(database_url, "register", Rights.REGISTER)) as connection, explained(database_url), progress:
        task = progress.add_task("register", total=arguments.voters)
        roll, announcer = Roll(connection), Announcer(bootstrap_servers)
        if arguments.election is None:
            elections = open_simulated_elections(roll, announcer, arguments.seed, arguments.voters, datetime.now(UTC), arguments.elections)
        else:
            elections = [simulated_draft(database_url, arguments.election, arguments.voters)]
        done = register_voters(
            roll,
            announcer,
            people,
            arguments.source,
            arguments.seed,
            arguments.voters,
            lambda count: progress.update(task, completed=count),
            stop,
            meter=meter,
        )
        if arguments.election is not None and not stop.is_set():
            elections = [open_draft(database_url, announcer, arguments.election)]
    named = ", ".join(f"{one.name} ({one.election_id}) is {one.status}" for one in elections)
    return f"{done.new:,} people newly registered, {done.total:,} in all; {named}"


def _people(source: str, settings: Settings, seed: int, first: int, count: int, noted: Callable[[int, str], None]) -> Iterable[Voter]:
    if source == "randomuser":
        from livetally.register.randomuser import fetch_people

        return fetch_people(settings.randomuser_url, seed, first, count, noted)
    from livetally.register.people import people

    return people(seed, first, count)


def _simulated_election(database_url: str, election_id: str | None) -> tuple[Election, list[str]]:
    with closing(connect(database_url, "simulate", Rights.CAST)) as connection, explained(database_url):
        roll = Roll(connection)
        election = chosen_simulation(roll.elections() if election_id is None else [roll.election(election_id)], election_id, roll.now())
        candidate_ids = [candidate.candidate_id for candidate in roll.candidates(election.election_id)]
    if not candidate_ids:
        raise ElectionError(f"{election.election_id!r} has no candidates. `./livetally register` adds three.")
    return election, candidate_ids
