"""`livetally register`, `simulate`, `record`, `tally`, `dashboard`: each stage as a process of its own."""

import argparse
import subprocess
import threading
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from livetally.adapters.kafka import Announcer
from livetally.adapters.postgres import connect, explained
from livetally.adapters.roll import Roll
from livetally.commands.backing import services_of
from livetally.commands.output import say, start_logging
from livetally.commands.stage import run_stage
from livetally.core.elections import Election, Voter
from livetally.core.errors import ElectionError
from livetally.settings import Settings, read_settings


def register(arguments: argparse.Namespace) -> int:
    """Stopped between two batches by Ctrl+C; the next call goes on there."""
    settings = read_settings()
    with services_of(settings) as backing:
        return run_stage(
            "register", lambda stop: _register(arguments, settings, backing.kafka_bootstrap_servers, backing.database_url, stop)
        )


def simulate(arguments: argparse.Namespace) -> int:
    from livetally.cast.simulate import simulate as cast

    start_logging("simulate")
    with services_of(read_settings()) as backing:
        election, candidate_ids = _simulated_election(backing.database_url)
        seed = election.seed if arguments.seed is None else arguments.seed

        def work(stop: threading.Event) -> str:
            done = cast(backing.kafka_bootstrap_servers, election, candidate_ids, seed, arguments.rate, stop)
            return f"{done.ballots:,} ballots cast by {done.voters:,} people in {election.election_id}"

        return run_stage("simulate", work)


def record(_arguments: argparse.Namespace) -> int:
    from livetally.record.record import record as decide

    start_logging("record")
    settings = read_settings()
    with services_of(settings) as backing:

        def work(stop: threading.Event) -> str:
            done = decide(backing.kafka_bootstrap_servers, backing.database_url, settings.record_batch_ballots_max, stop)
            return f"left the group after {done.ballots:,} ballots in {done.batches:,} batches"

        return run_stage("record", work)


def tally(_arguments: argparse.Namespace) -> int:
    from livetally.tally.tally import tally as count

    start_logging("tally")
    with services_of(read_settings(), spark=True) as backing:

        def work(stop: threading.Event) -> str:
            count(backing.settings, backing.kafka_bootstrap_servers, backing.database_url, backing.java_home, backing.spark_jars, stop)
            return "stopped after the last batch; the next tally goes on there"

        return run_stage("tally", work)


def dashboard(_arguments: argparse.Namespace) -> int:
    from livetally.show.dashboard import command

    settings = read_settings()
    with services_of(settings) as backing:
        port = backing.choose_port("dashboard", settings.dashboard_port)
        say(f"dashboard: http://{settings.dashboard_address}:{port}")
        child = subprocess.Popen(command(settings, port, settings.dashboard_address), env=backing.environment())

        def work(stop: threading.Event) -> str:
            while child.poll() is None and not stop.wait(0.2):
                pass
            child.terminate()
            return f"stopped (exit code {child.wait()})"

        return run_stage("dashboard", work)


def _register(arguments: argparse.Namespace, settings: Settings, bootstrap_servers: str, database_url: str, stop: threading.Event) -> str:
    from livetally.register.register import open_simulated_election, register_voters

    def people(seed: int, first: int, count: int) -> Iterable[Voter]:
        return _people(arguments.source, settings, seed, first, count)

    progress = Progress(
        TextColumn("register"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True
    )
    with closing(connect(database_url, "register")) as connection, explained(database_url), progress:
        task = progress.add_task("register", total=arguments.voters)
        roll, announcer = Roll(connection), Announcer(bootstrap_servers)
        election = open_simulated_election(roll, announcer, arguments.seed, arguments.voters, datetime.now(UTC))
        done = register_voters(
            roll,
            announcer,
            people,
            arguments.source,
            arguments.seed,
            arguments.voters,
            lambda count: progress.update(task, completed=count),
            stop,
        )
    return f"{done.new:,} people newly registered, {done.total:,} in all; {election.name} ({election.election_id}) is open"


def _people(source: str, settings: Settings, seed: int, first: int, count: int) -> Iterable[Voter]:
    if source == "randomuser":
        from livetally.register.randomuser import fetch_people

        return fetch_people(settings.randomuser_url, seed, first, count, _say_note)
    from livetally.register.people import people

    return people(seed, first, count)


def _say_note(_done: int, note: str) -> None:
    """The API limits how much it gives; a wait of a minute wants an explanation."""
    if note:
        say(f"register: {note}")


def _simulated_election(database_url: str) -> tuple[Election, list[str]]:
    with closing(connect(database_url, "simulate")) as connection, explained(database_url):
        roll = Roll(connection)
        election = next((one for one in roll.elections() if one.status == "open"), None)
        if election is None:
            raise ElectionError("No election is open, so nobody can vote. `./livetally register` creates one and registers people.")
        if not election.simulated:
            raise ElectionError(f"{election.election_id!r} is a real election; nobody votes there but real people.")
        candidate_ids = [candidate.candidate_id for candidate in roll.candidates(election.election_id)]
    if not candidate_ids:
        raise ElectionError(f"{election.election_id!r} has no candidates. `./livetally register` adds three.")
    return election, candidate_ids
