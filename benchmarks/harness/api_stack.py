"""What `bench api` casts on: a real election with codes, and the API in front of everything that counts."""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import cast
from urllib.error import URLError
from urllib.request import urlopen

from harness.api_clients import Ballot, cast_from
from harness.api_listeners import Seen, listen_from
from harness.cost import Cost, Meter, cost
from harness.recorder import end
from harness.stand import Stand
from livetally.adapters.acts import COMMAND_LINE, Actor
from livetally.adapters.codes import Codes, codes_key
from livetally.adapters.postgres import connect, explained
from livetally.adapters.roll import Roll
from livetally.core.elections import Candidate, Election
from livetally.core.errors import ServiceError
from livetally.settings import PREFIX

BENCHMARKS = Path(__file__).resolve().parents[1]
ELECTION = "bench"
CANDIDATES = ("b1", "b2", "b3", "b4")
STARTS_WITHIN_S = 60.0
ANSWERS_WITHIN_S = 60.0
NO_LIMIT_PER_S = 1_000_000.0  # all clients come from one address


@dataclass(frozen=True, slots=True)
class Served:
    """What clients were told, and what it cost."""

    acknowledged: Sequence[tuple[int, int, str]]  # sent, answered (nanoseconds), receipt
    refused: Sequence[str]
    seconds: float
    cost: Cost

    @property
    def ballots_per_s(self) -> float:
        return len(self.acknowledged) / self.seconds

    def delays_ms(self) -> list[float]:
        return sorted((answered - sent) / 1e6 for sent, answered, _ in self.acknowledged)


def hold_election(stand: Stand) -> list[Ballot]:
    """A real election of everybody registered, open, and a ballot of each of them with the code that they were sent."""
    with closing(connect(stand.roll_url, "bench", as_owner=True, bounded=False)) as connection, explained(stand.roll_url):
        draft = Election(ELECTION, "Benchmark", "real", "draft", 1, None, None)
        roll = Roll(connection)
        with roll.changing():
            roll.add_election(draft)
            roll.add_candidates([Candidate(one, f"Name {one}", f"Party {one}", "A life.", "A plan.", "", ELECTION) for one in CANDIDATES])
        connection.execute("UPDATE elections SET status = 'open', opens_at = clock_timestamp() WHERE election_id = %s", (ELECTION,))
        codes = Codes(connection, codes_key(connection, stand.data_dir))
        with connection.transaction():
            letters = [letter for some in codes.issue(ELECTION, Actor("bench", COMMAND_LINE)) for letter in some]
        connection.execute("VACUUM (ANALYZE) voting_codes")
    return [(CANDIDATES[number % len(CANDIDATES)], letter.code) for number, letter in enumerate(letters)]


@contextmanager
def api(stand: Stand, *, bare: bool = False) -> "Iterator[tuple[subprocess.Popen[bytes], int]]":
    """The process, and the port on which it answers."""
    port = stand.backing.choose_port("api", 8502)
    log = stand.data_dir / "logs" / ("bare.log" if bare else "api.log")
    environment = stand.environment(stand.roll_url) | {PREFIX + "API_REQUESTS_PER_S": str(NO_LIMIT_PER_S)}
    environment["PYTHONPATH"] = os.pathsep.join(part for part in (str(BENCHMARKS), environment.get("PYTHONPATH")) if part)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "harness.api_server", str(port), *(["--bare"] if bare else [])],
            env=environment,
            cwd=stand.data_dir,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            _await_answer(process, port, log)
            yield process, port
        finally:
            end(process)


def serve(process: "subprocess.Popen[bytes]", port: int, ballots: Sequence[Ballot], sizes: "Sizes", **programs: Sequence[int]) -> Served:
    """Clients cast these ballots, or as many as they can in the time."""
    with ExitStack() as until_the_end:
        clients = [
            until_the_end.enter_context(_client(port, ballots[number :: sizes.processes], sizes)) for number in range(sizes.processes)
        ]
        for pipe, _ in clients:
            pipe.recv()
        meter = Meter(api=[process.pid], clients=[pid for _, pid in clients], **programs)
        first = meter.read()
        for pipe, _ in clients:
            pipe.send("go")
        said = [pipe.recv() for pipe, _ in clients if pipe.poll(sizes.seconds + ANSWERS_WITHIN_S)]
        spent = cost(first, meter.read())
        for pipe, _ in clients:
            pipe.send("done")
    acknowledged = [one for some, _ in said for one in some]
    refused = [one for _, some in said for one in some]
    if not acknowledged:
        raise ServiceError(f"The API has acknowledged no ballot. It said: {refused[:3]}")
    took_s = (max(answered for _, answered, _ in acknowledged) - min(sent for sent, _, _ in acknowledged)) / 1e9
    return Served(acknowledged, refused, took_s, spent)


@dataclass(frozen=True, slots=True)
class Sizes:
    seconds: float
    processes: int
    connections: int  # of each process

    def lasting(self, seconds: float) -> "Sizes":
        return replace(self, seconds=seconds)


@contextmanager
def _client(port: int, ballots: Sequence[Ballot], sizes: Sizes) -> "Iterator[tuple[Pipe[object, object], int]]":
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    arguments = (port, ELECTION, ballots, sizes.connections, sizes.seconds, theirs)
    process = context.Process(target=cast_from, args=arguments, daemon=True)
    process.start()
    theirs.close()  # should they end, we notice
    try:
        yield ours, process.pid or 0
    finally:
        process.terminate()
        process.join()


@contextmanager
def listening(port: int, listeners: int) -> "Iterator[Callable[[], list[list[Seen]]]]":
    """So many listen to the stream of results; asked, what each has heard, and when. They stay until the end."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=listen_from, args=(port, ELECTION, listeners, theirs), daemon=True)
    process.start()
    theirs.close()

    def heard() -> list[list[Seen]]:
        ours.send("stop")
        return cast("list[list[Seen]]", _received(ours))

    try:
        _received(ours)
        yield heard
    finally:
        process.terminate()
        process.join()


def _received(pipe: "Pipe[object, object]") -> object:
    try:
        if pipe.poll(ANSWERS_WITHIN_S):
            return pipe.recv()
    except (EOFError, OSError) as error:
        raise ServiceError("The listeners of the stream have ended; what they said stands above.") from error
    raise ServiceError(f"Not all listeners of the stream have heard something within {ANSWERS_WITHIN_S:.0f} s.")


def _await_answer(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            urlopen(f"http://127.0.0.1:{port}/ballots/00000000000000000000000000", timeout=2)
        except URLError as error:
            if getattr(error, "code", 0) in (404, 422):
                return
        time.sleep(0.05)  # nothing tells this process
    raise ServiceError(f"The API has not answered within {STARTS_WITHIN_S:.0f} s:\n{log.read_text('utf-8', errors='replace')[-2000:]}")
