"""The simulated electorate: reads who has been registered, casts a ballot for each of those who vote.

Where it goes on after a stop is the group's committed offset, which is committed only after every
ballot before it was acknowledged: a crash casts a few ballots twice, and *record* counts them once.
`plant.py` says what happens to it where somebody is made to wait.
"""

import functools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat

from livetally.adapters.kafka import ANSWER_TIMEOUT_S, Announcer, Consumer, Fault, Message, TopicPartition, consumer, fault_of
from livetally.adapters.reading import bounds, gather, partitions_of, patiently
from livetally.cast.ahead import people_ahead, places_by_size
from livetally.cast.choice import choose
from livetally.cast.meter import Meter
from livetally.cast.person import Person, is_simulated, person_of
from livetally.cast.plant import Planting, plan
from livetally.core.alert_facts import Rule
from livetally.core.elections import Election
from livetally.core.errors import ServiceError
from livetally.core.wire import BALLOTS, VOTERS, ballot_message

BATCH_VOTERS_MAX = 5_000
TICK_S = 0.05  # ballots of a given rate are cast in portions of this length
WAIT_S = 0.2
PAUSE_S_MAX = 1.0  # one ballot an hour is a rate too, and no reason to look dead

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Simulated:
    voters: int
    ballots: int


def planted(bootstrap_servers: str, election: Election, candidate_ids: Sequence[str], seed: int, rules: Sequence[Rule]) -> Planting:
    """One anomaly for each rule, some minutes from now; the log says where and when."""
    plants = plan(rules, seed, election.election_id, places_by_size(bootstrap_servers, election), candidate_ids, datetime.now(UTC))
    for one in plants:
        log.info("planted", extra={"what": str(one)})
    return Planting(plants, functools.partial(people_ahead, bootstrap_servers, election))


def simulate(
    bootstrap_servers: str,
    election: Election,
    candidate_ids: Sequence[str],
    seed: int,
    ballots_per_s: float | None,
    stop: threading.Event,
    meter: Meter | None = None,
    planting: Planting | None = None,
) -> Simulated:
    """Cast for everybody announced so far, then return. `ballots_per_s` None: as fast as it goes."""
    meter = meter or Meter()
    voters = ballots = extra = 0
    booth = Booth(Announcer(bootstrap_servers), election, candidate_ids, seed)
    pace = Pace(ballots_per_s, time.monotonic)
    with closing(consumer(bootstrap_servers, f"livetally-simulate-{election.election_id}-{seed}")) as client:
        for messages in _announced(client, BATCH_VOTERS_MAX if ballots_per_s is None else max(1, int(ballots_per_s * TICK_S)), stop, meter):
            now, people = datetime.now(UTC), _people_of(messages, election)
            sent, besides = booth.vote(_as_they_are(people) if planting is None else planting.come(people, now), now)
            voters, ballots, extra = voters + len(messages), ballots + sent, extra + besides
            _commit(client, _ends(messages) if planting is None else planting.positions())
            meter.cast(len(messages), sent)
            while (pause_s := pace.pause_s(ballots - extra)) and not stop.wait(min(pause_s, PAUSE_S_MAX)):
                meter.alive()
            if stop.is_set():
                break
        if planting is not None and not stop.is_set():
            ballots += _finish(planting, booth, client, meter)
    return Simulated(voters, ballots)


def _finish(planting: Planting, booth: "Booth", client: Consumer, meter: Meter) -> int:
    """Nobody else comes: whoever still waits votes now. How many ballots that were."""
    now = datetime.now(UTC)
    sent, _ = booth.vote(planting.rest(), now)
    _commit(client, planting.positions())
    meter.cast(0, sent)
    for one in planting.unfinished(now):
        log.warning("everybody has voted before the planted anomaly was over", extra={"what": str(one)})
    return sent


class Booth:
    """Where people become ballots."""

    def __init__(self, announcer: Announcer, election: Election, candidate_ids: Sequence[str], seed: int) -> None:
        self._announcer = announcer
        self._election = election
        self._candidate_ids = tuple(candidate_ids)
        self._seed = seed

    def vote(self, casts: Iterable[tuple[Person, str | None, bool]], now: datetime) -> tuple[int, int]:
        """Send the ballots and see them acknowledged; how many there were, and how many of them come on top of the pace."""
        sent = besides = 0
        # As old as on the day that the election opened: whoever casts again tomorrow casts the same ballot.
        voting_day = (self._election.opens_at or now).date().isoformat()
        for person, candidate_id, is_extra in casts:
            chosen = self._choice(person, voting_day)
            if chosen is not None:
                value = ballot_message(self._election.election_id, person.voter_id, candidate_id or chosen, now)
                self._announcer.send(BALLOTS, person.voter_id.encode(), value)
                sent += 1
                besides += is_extra
        self._announcer.flush()
        return sent, besides

    def _choice(self, person: Person, voting_day: str) -> str | None:
        """Their own; None if this person does not vote."""
        _, _, voter_id, state, date_of_birth, _ = person
        return choose(self._seed, self._election.election_id, self._candidate_ids, voter_id, state, date_of_birth, voting_day)


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
        position.update(_ends(messages))
        if messages:
            yield messages
        elif all(position[partition] >= bounds(client, VOTERS, partition)[1] for partition in position):
            return


def _people_of(messages: Iterable[Message], election: Election) -> Iterator[Person]:
    for message in messages:
        person = person_of(message.partition() or 0, message.offset() or 0, message.value())
        if person is None:
            place = {"topic": VOTERS, "partition": message.partition(), "offset": message.offset()}
            log.warning("not a voter; passed over", extra=place)
        elif is_simulated(person, election):
            yield person


def _as_they_are(people: Iterable[Person]) -> Iterator[tuple[Person, None, bool]]:
    """Everybody once, by their own choice."""
    return zip(people, repeat(None), repeat(False))


def _ends(messages: Sequence[Message]) -> dict[int, int]:
    """The offset behind the last of these messages, by partition."""
    return {message.partition() or 0: (message.offset() or 0) + 1 for message in messages}


def _commit(client: Consumer, ends: Mapping[int, int]) -> None:
    offsets = [TopicPartition(VOTERS, partition, end) for partition, end in sorted(ends.items())]
    if offsets:
        patiently("that it keeps the position", functools.partial(client.commit, offsets=offsets, asynchronous=False))
