"""`livetally run` as anybody runs it, in a data directory of its own, watched from outside: how far, how fast, how large."""

import itertools
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from harness.database import owner, row
from harness.footprint import directory_bytes, table_bytes
from harness.process_tree import Usage, usage
from harness.recorder import end
from harness.saying import progress
from harness.views import SIX, Sample, Views
from livetally.adapters.kafka import reader
from livetally.adapters.reading import partitions_of, read_range
from livetally.commands.backing import LIVETALLY
from livetally.core.errors import ServiceError
from livetally.core.wire import BALLOTS
from livetally.embedded import state
from livetally.embedded.services import DATABASE, KAFKA
from livetally.settings import PREFIX, environment_with

LOOK_S = 0.1
MEASURE_EVERY_S = 2.0  # takes some 50 ms: the kernel walks through every page of every process
STARTS_WITHIN_S = 180.0  # a machine that has never run it fetches JARs first
STUCK_AFTER_S = 180.0  # the audit of a million votes takes most of a minute
ENDS_WITHIN_S = 90.0  # behind the end of its services
SERVICES_OF_OTHERS = ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL")
LOG_LINES = 30

COUNTS = """
SELECT (SELECT coalesce(sum(voters), 0)::bigint FROM electorate), coalesce(sum(next_offset), 0)::bigint, coalesce(sum(accepted), 0)::bigint
FROM recorded
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What everything together used at a moment."""

    at_s: float
    programs: Mapping[str, Usage]

    @property
    def pss_bytes(self) -> int:
        return sum(one.pss_bytes for one in self.programs.values())


@dataclass
class Watched:
    """What was seen. The clock runs from the broker's time of the first ballot to the moment at which every view showed the last vote."""

    shown: list[Sample] = field(default_factory=list)  # one per change
    measured: list[Measured] = field(default_factory=list)
    first_ballot_s: float = 0.0  # of this process' monotonic clock
    ballots: int = 0
    accepted: int = 0
    exit_code: int = -1
    table_bytes: Mapping[str, int] = field(default_factory=dict)  # at the last look before the services were stopped
    checkpoint_bytes: int = 0  # at the end, as is the next
    state_bytes: int = 0  # of the checkpoint: what Spark keeps of the votes that it has seen
    about: Mapping[str, object] = field(default_factory=dict)

    @property
    def last_vote_s(self) -> float:
        return next(one.at_s for one in self.shown if one.least >= self.accepted)


Describe = Callable[["psycopg.Connection[tuple[Any, ...]]"], Mapping[str, object]]


def watch(data_dir: Path, voters: int, seed: int, describe: Describe) -> Watched:
    """Run it to its end. `describe` is asked about the database while it lives."""
    log = data_dir.parent / "run.log"
    environment = environment_with(data_dir=str(data_dir))
    for name in SERVICES_OF_OTHERS:
        environment.pop(PREFIX + name, None)
    argv = [*LIVETALLY, "run", "--voters", str(voters), "--seed", str(seed), "--rate", "max", "--exit-when-done"]
    seen = Watched()
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv, env=environment, cwd=data_dir.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            kafka, url = _services(process, data_dir)
            with Views(kafka, {view.name: view.topic for view in SIX}) as views, owner(url) as connection:
                seen.about = describe(connection)
                _follow(process, kafka, views, connection, voters, seen)
            seen.exit_code = process.wait(ENDS_WITHIN_S)
            checkpoints = data_dir / "checkpoints"
            seen.checkpoint_bytes = directory_bytes(checkpoints)
            seen.state_bytes = sum(directory_bytes(path) for path in checkpoints.glob("*/state"))
        except (ServiceError, subprocess.TimeoutExpired) as error:
            raise ServiceError(f"{error}\n{_last_words(log)}") from error
        finally:
            end(process)
    if not seen.accepted or not seen.shown or seen.shown[-1].least < seen.accepted:
        raise ServiceError(f"`livetally run` ended with exit code {seen.exit_code} and votes that were not tallied:\n{_last_words(log)}")
    return seen


def _services(process: "subprocess.Popen[bytes]", data_dir: Path) -> tuple[str, str]:
    """Where Kafka and PostgreSQL are, when they are up."""
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline_s and process.poll() is None:
        running = state.running(data_dir)
        if running is not None and running.connections:
            return running.connections[KAFKA], running.connections[DATABASE]
        time.sleep(LOOK_S)
    raise ServiceError(f"`livetally run` has not started its services within {STARTS_WITHIN_S:.0f} s, or has ended.")


def _follow(
    process: "subprocess.Popen[bytes]",
    kafka: str,
    views: Views,
    connection: "psycopg.Connection[tuple[Any, ...]]",
    voters: int,
    seen: Watched,
) -> None:
    """Until it stops its services, which ends our connection."""
    tell_registered, tell_tallied = progress("registered", voters), progress("tallied", voters)
    changed_s = measure_again_s = time.monotonic()
    registered = 0
    while process.poll() is None:
        now = views.look(LOOK_S)
        if now.votes != (seen.shown[-1].votes if seen.shown else 0):
            seen.shown.append(now)
            changed_s = now.at_s
            tell_tallied(now.least)
        if now.at_s < measure_again_s:
            continue
        seen.measured.append(Measured(now.at_s, usage(process.pid)))
        measure_again_s = now.at_s + MEASURE_EVERY_S
        try:
            before, (registered, seen.ballots, seen.accepted) = registered, row(connection, COUNTS)
            seen.table_bytes = table_bytes(connection)
        except psycopg.OperationalError:
            return
        if registered != before:
            changed_s = now.at_s
            tell_registered(registered)
        if seen.ballots and not seen.first_ballot_s:
            seen.first_ballot_s = _first_ballot_s(kafka)
        if now.at_s > changed_s + STUCK_AFTER_S:
            raise ServiceError(f"Nothing has been registered or tallied for {STUCK_AFTER_S:.0f} s.")


def _first_ballot_s(kafka: str) -> float:
    """When the broker appended the first ballot, by this process' monotonic clock: both tell the time of the same machine."""
    with closing(reader(kafka)) as client:
        first_ms = min(
            message.timestamp()[1]
            for partition in partitions_of(client, BALLOTS)
            for message in itertools.islice(read_range(client, BALLOTS, partition, 0, 1), 1)
        )
    return first_ms / 1000 - time.time() + time.monotonic()


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-LOG_LINES:])
