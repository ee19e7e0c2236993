"""The simulated electorate: reads who has been registered, casts a ballot for each of those who vote.

Where it goes on after a stop is the group's committed offset, which is committed only after every
ballot before it was acknowledged: a crash casts a few ballots twice, and *record* counts them once.
"""

import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from livetally.adapters.kafka import ANSWER_TIMEOUT_S, Announcer, Consumer, Fault, Message, TopicPartition, consumer, fault_of
from livetally.adapters.reading import bounds, gather, partitions_of, patiently
from livetally.cast.choice import choose
from livetally.cast.meter import Meter
from livetally.core.elections import Election
from livetally.core.errors import ServiceError
from livetally.core.wire import BALLOTS, VOTERS, ballot_message, decode

BATCH_VOTERS_MAX = 5_000
TICK_S = 0.05  # ballots of a given rate are cast in portions of this length
WAIT_S = 0.2
PAUSE_S_MAX = 1.0  # one ballot an hour is a rate too, and no reason to look dead

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Simulated:
    voters: int
    ballots: int


def simulate(
    bootstrap_servers: str,
    election: Election,
    candidate_ids: Sequence[str],
    seed: int,
    ballots_per_s: float | None,
    stop: threading.Event,
    meter: Meter | None = None,
) -> Simulated:
    """Cast for everybody announced so far, then return. `ballots_per_s` None: as fast as it goes."""
    meter = meter or Meter()
    voters = ballots = 0
    group = f"livetally-simulate-{election.election_id}-{seed}"
    announcer = Announcer(bootstrap_servers)
    pace = Pace(ballots_per_s, time.monotonic)
    with closing(consumer(bootstrap_servers, group)) as client:
        for messages in _announced(client, BATCH_VOTERS_MAX if ballots_per_s is None else max(1, int(ballots_per_s * TICK_S)), stop, meter):
            now, before = datetime.now(UTC), ballots
            for message in messages:
                ballot = _ballot_of(message, election, candidate_ids, seed, now)
                if ballot is not None:
                    announcer.send(BALLOTS, *ballot)
                    ballots += 1
            voters += len(messages)
            announcer.flush()
            patiently("that it keeps the position", functools.partial(client.commit, offsets=_next_offsets(messages), asynchronous=False))
            meter.cast(len(messages), ballots - before)
            while (pause_s := pace.pause_s(ballots)) and not stop.wait(min(pause_s, PAUSE_S_MAX)):
                meter.alive()
            if stop.is_set():
                break
    return Simulated(voters, ballots)


class Pace:
    """How long to wait so that no more than so many ballots a second are cast."""

    def __init__(self, per_s: float | None, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._clock = clock
        self._began_s = clock()

    def pause_s(self, ballots: int) -> float:
        if self._per_s is None:
            return 0.0
        return max(0.0, self._began_s + ballots / self._per_s - self._clock())


def _announced(client: Consumer, voters_max: int, stop: threading.Event, meter: Meter) -> Iterator[list[Message]]:
    """The people on the topic behind the committed position, until all that there are have been seen."""
    partitions = [TopicPartition(VOTERS, partition) for partition in partitions_of(client, VOTERS)]
    committed = patiently("how far the electorate has voted", lambda: client.committed(partitions, ANSWER_TIMEOUT_S))
    position = {one.partition: max(one.offset, 0) for one in committed}
    client.assign([TopicPartition(VOTERS, partition, offset) for partition, offset in position.items()])
    meter.ready()
    while not stop.is_set():
        meter.alive()
        messages = []
        for message in gather(client, voters_max, WAIT_S, TICK_S):
            if (fault := message.error()) is None:
                messages.append(message)
            elif fault_of(fault) is not Fault.RETRIABLE:
                raise ServiceError(f"The voters cannot be read: {fault.str()}")
        for offset in _next_offsets(messages):
            position[offset.partition] = offset.offset
        if messages:
            yield messages
        elif all(position[partition] >= bounds(client, VOTERS, partition)[1] for partition in position):
            return


def _ballot_of(message: Message, election: Election, candidate_ids: Sequence[str], seed: int, now: datetime) -> tuple[bytes, bytes] | None:
    """Key and value of the ballot of the person in this message; None if this person does not vote."""
    try:
        voter = decode(message.value() or b"null")
        voter_id, state, date_of_birth = str(voter["voter_id"]), str(voter["address"]["state"]), str(voter["date_of_birth"])
    except (ValueError, KeyError, TypeError):
        place = {"topic": VOTERS, "partition": message.partition(), "offset": message.offset()}
        log.warning("not a voter; passed over", extra=place)
        return None
    # As old as on the day that the election opened: whoever casts again tomorrow casts the same ballot.
    voting_day = (election.opens_at or now).date().isoformat()
    chosen = choose(seed, election.election_id, candidate_ids, voter_id, state, date_of_birth, voting_day)
    return None if chosen is None else (voter_id.encode(), ballot_message(election.election_id, voter_id, chosen, now))


def _next_offsets(messages: Sequence[Message]) -> list[TopicPartition]:
    ends: dict[int, int] = {}
    for message in messages:
        ends[message.partition() or 0] = (message.offset() or 0) + 1
    return [TopicPartition(VOTERS, partition, end) for partition, end in sorted(ends.items())]
