"""The stage that begins it all: elections, candidates and voters are stored, then announced.

Storing comes first and says in the same transaction how far it went; announcing comes second and
is marked afterwards. A crash repeats at most one batch of announcements, and doing it all again
with the same seed changes nothing.
"""

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from livetally.adapters.kafka import Announcer
from livetally.adapters.roll import Roll
from livetally.core.elections import Candidate, Election, Voter
from livetally.core.errors import ElectionError
from livetally.core.wire import CANDIDATES, VOTERS, candidate_message, voter_message
from livetally.register.candidates import make_candidates
from livetally.register.meter import Meter

BATCH_VOTERS = 10_000
CANDIDATES_DEFAULT = 3
SEEDS = 2**63  # as many as PostgreSQL's bigint has that are not negative

People = Callable[[int, int, int], Iterable[Voter]]  # seed, first, count


@dataclass(frozen=True, slots=True)
class Registered:
    """What a registration did."""

    new: int
    total: int


def new_simulated_elections(before: Collection[Election], count: int, seed: int, now: datetime) -> list[Election]:
    """So many beside those that there are. Each has a seed of its own, so that people do not vote alike in two of them."""
    taken = {one.election_id for one in before}
    numbers = (number for number in itertools.count(1 + sum(one.simulated for one in before)) if f"simulation-{number}" not in taken)
    return [
        Election(f"simulation-{number}", f"Simulated election {number}", "simulated", "open", (seed + further) % SEEDS, now, None)
        for further, number in enumerate(itertools.islice(numbers, count))
    ]


def open_simulated_elections(roll: Roll, announcer: Announcer, seed: int, voters: int, now: datetime, count: int = 1) -> list[Election]:
    """The simulated elections that are open, the oldest first; if there are none, so many new ones.

    One that has no candidates gets three, of three parties.
    """
    elections = roll.elections()
    found = [one for one in reversed(elections) if one.simulated and one.status_at(now) == "open"]
    if not found and (real := next((one for one in elections if not one.simulated and one.status_at(now) == "open"), None)):
        raise ElectionError(
            f"The real election {real.election_id!r} is open; a simulated one beside it would mislead everybody who looks. "
            "Use another data directory for simulations (LIVETALLY_DATA_DIR), or say that it is meant: "
            "`./livetally election create ID --kind simulated`, and register with --election ID."
        )
    with roll.changing():
        for election in new_simulated_elections(elections, 0 if found else count, seed, now):
            roll.add_election(election)
            found.append(election)
        for election in found:
            if not roll.candidate_count(election.election_id):
                roll.add_candidates(make_candidates(election.seed, election.election_id, CANDIDATES_DEFAULT))
    for election in found:
        roll.plan(election.election_id, voters)
        announce_candidates(announcer, roll.candidates(election.election_id))
    return found


def announce_candidates(announcer: Announcer, candidates: Iterable[Candidate]) -> None:
    """Compacted by candidate, so announcing them again is harmless."""
    for candidate in candidates:
        announcer.send(CANDIDATES, candidate.candidate_id.encode(), candidate_message(candidate))
    announcer.flush()


def register_voters(
    roll: Roll,
    announcer: Announcer,
    people: People,
    source: str,
    seed: int,
    voters: int,
    progress: Callable[[int], None],
    stop: threading.Event,
    *,
    meter: Meter | None = None,
) -> Registered:
    """Make sure that `voters` people of this source are stored and announced; `progress` is told how many are."""
    meter = meter or Meter()
    stored, announced = roll.registration(source, seed)
    meter.ready()
    first = sent = announced
    began_s = time.monotonic()
    for batch in _batches(people(seed, first, max(voters - first, 0))):
        messages = [voter_message(voter) for voter in batch]
        known = min(max(stored - first, 0), len(batch))  # stored before a crash, announced perhaps not
        if known < len(batch):
            roll.store_voters(source, seed, first + known, batch[known:], messages[known:])
            meter.stored(len(batch) - known)
        _mark_delivered(roll, announcer, source, seed, first)  # the batch before: Kafka took it while PostgreSQL took this one
        meter.announced(first - sent)
        sent = first
        for voter, message in zip(batch, messages, strict=True):
            announcer.send(VOTERS, voter.voter_id.encode(), message)
        first += len(batch)
        progress(first)
        meter.alive()
        ended_s = time.monotonic()
        meter.took(ended_s - began_s)
        began_s = ended_s
        if stop.is_set():
            break
    _mark_delivered(roll, announcer, source, seed, first)
    meter.announced(first - sent)
    return Registered(new=first - announced, total=roll.registered())


def _mark_delivered(roll: Roll, announcer: Announcer, source: str, seed: int, announced: int) -> None:
    """Everybody before person number `announced` has been sent; say so once Kafka has acknowledged it."""
    announcer.flush()
    roll.mark_announced(source, seed, announced)


def _batches(people: Iterable[Voter]) -> Iterator[list[Voter]]:
    iterator = iter(people)
    while batch := list(itertools.islice(iterator, BATCH_VOTERS)):
        yield batch
