"""Ballots at a steady pace from a process of its own, and when each can be read as a vote.

Both ends ask the same clock: `time.monotonic_ns` is CLOCK_MONOTONIC, one for the whole machine.
"""

import math
import multiprocessing
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe

from livetally.adapters.kafka import Announcer, Consumer, TopicPartition, consumer
from livetally.adapters.reading import ends, gather
from livetally.core.errors import ServiceError
from livetally.core.wire import BALLOTS, VOTES, ballot_message

MISSING_AFTER_S = 30.0
READY_WITHIN_S = 30.0
AT_ONCE = 10_000
PERCENTS = (50, 95, 99)
WARM_UP_S = 3.0  # not counted: the caster's own client finds the broker meanwhile, and its first ballots wait for that

Ballots = Sequence[tuple[str, str]]  # voter and choice


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the call that sends a ballot to the moment at which its vote has been read."""

    ballots: int
    seconds: float
    percentiles_ms: dict[int, float]
    max_ms: float
    late_ms: float  # how far the caster was behind its own pace, at most


def measure(bootstrap_servers: str, election_id: str, ballots: Ballots, per_s: float) -> Latency:
    """Of these ballots, those of the first WARM_UP_S are cast, and not counted."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with closing(consumer(bootstrap_servers)) as client:
        client.assign([TopicPartition(VOTES, partition, end) for partition, end in ends(client, VOTES).items()])
        gather(client, 1, 0.5)  # connected, and nothing there: whatever comes now is ours
        caster = context.Process(target=cast_steadily, args=(bootstrap_servers, election_id, ballots, per_s, theirs), daemon=True)
        caster.start()
        try:
            read_ns = _read(client, {voter_id for voter_id, _ in ballots}, len(ballots) / per_s + MISSING_AFTER_S)
            if not ours.poll(MISSING_AFTER_S):
                raise ServiceError("the caster of the benchmark does not answer")
            sent_ns, late_ns = ours.recv()
        finally:
            caster.terminate()
            caster.join()
    first = round(per_s * WARM_UP_S)
    counted = list(zip(ballots, sent_ns, strict=True))[first:]
    took_ms = sorted((read_ns[voter_id] - sent) / 1e6 for (voter_id, _), sent in counted)
    return Latency(
        ballots=len(counted),
        seconds=(sent_ns[-1] - sent_ns[first]) / 1e9,
        percentiles_ms={percent: round(percentile(took_ms, percent), 1) for percent in PERCENTS},
        max_ms=round(took_ms[-1], 1),
        late_ms=round(late_ns / 1e6, 1),
    )


def cast_steadily(bootstrap_servers: str, election_id: str, ballots: Ballots, per_s: float, answer: "Pipe[object, object]") -> None:
    """Send ballot number i at i / per_s seconds, never earlier; then say when each was sent."""
    announcer = Announcer(bootstrap_servers)
    sent_ns = []
    late_ns = 0
    began_ns = time.monotonic_ns()
    for number, (voter_id, candidate_id) in enumerate(ballots):
        due_ns = began_ns + round(number / per_s * 1e9)
        if (early_ns := due_ns - time.monotonic_ns()) > 0:
            time.sleep(early_ns / 1e9)
        now_ns = time.monotonic_ns()
        late_ns = max(late_ns, now_ns - due_ns)
        sent_ns.append(now_ns)
        announcer.send(BALLOTS, voter_id.encode(), ballot_message(election_id, voter_id, candidate_id, datetime.now(UTC)))
    announcer.flush()
    answer.send((sent_ns, late_ns))


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many percent are not above."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _read(client: Consumer, awaited: set[str], within_s: float) -> dict[str, int]:
    read_ns: dict[str, int] = {}
    deadline_s = time.monotonic() + READY_WITHIN_S + within_s
    while len(read_ns) < len(awaited):
        messages = gather(client, AT_ONCE, 0.1)
        now_ns = time.monotonic_ns()
        for message in messages:
            if message.error() is not None:
                raise ServiceError(f"the votes cannot be read: {message.error()}")
            voter_id = (message.key() or b"").decode()
            if voter_id in awaited:
                read_ns.setdefault(voter_id, now_ns)
        if time.monotonic() > deadline_s:
            raise ServiceError(f"{len(awaited) - len(read_ns):,} of {len(awaited):,} steady ballots never became votes")
    return read_ns
