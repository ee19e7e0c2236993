"""Votes, put onto their topic as *record* puts them there, and the plain count of what must become of them.

Each is made with `core.wire`: the voter's announcement, the candidate's fields and a time, with the headers that name its ballot; they
are published in transactions, by one producer for each partition. Everybody votes, in the order of registration; the times of voting
are spread evenly over the election's day.
"""

import functools
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.backlog import choice
from harness.electorate import Contest
from harness.saying import progress
from harness.stand import Stand
from livetally.adapters.kafka import Announcer
from livetally.adapters.postgres import connect
from livetally.adapters.publisher import GIVE_UP_S, Outgoing, produce, transactional
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.core.elections import Candidate
from livetally.core.errors import ServiceError
from livetally.core.tally import Cell, age_group, cell_of
from livetally.core.wire import VOTES, decode, ms_text, outcome_headers, vote_message, vote_parts, voter_message
from livetally.register.candidates import make_candidates
from livetally.register.people import people
from livetally.register.register import announce_candidates

POLLS_OPEN_AT = 7  # o'clock
MS_PER_HOUR = 3_600_000
PARSED_AGAIN_EVERY = 5_000  # what is counted here must be what lies on the topic


@dataclass(frozen=True, slots=True)
class Known:
    """What must come out of the votes on the topic."""

    election_id: str
    votes: int
    cells: Mapping[Cell, int]
    minutes: Mapping[tuple[str, str], int]  # by candidate and the beginning of the minute
    party_of: Mapping[str, str]


def yesterday() -> datetime:
    """When the polls opened: no vote of that day is one of the future."""
    return datetime.now(UTC).replace(hour=POLLS_OPEN_AT, minute=0, second=0, microsecond=0) - timedelta(days=1)


def more_candidates(stand: Stand, contest: Contest, count: int) -> tuple[Contest, list[Candidate]]:
    """The contest with so many candidates; the first ones stay who they are."""
    election_id = contest.election.election_id
    with closing(connect(stand.roll_url, "register", Rights.REGISTER)) as connection:
        roll = Roll(connection)
        missing = make_candidates(contest.seed, election_id, count)[len(contest.candidate_ids) :]
        with roll.changing():
            roll.add_candidates(missing)
        announce_candidates(Announcer(stand.kafka), missing)
        candidates = roll.candidates(election_id)
    return Contest(contest.election, tuple(one.candidate_id for one in candidates), contest.seed), candidates


def publish(stand: Stand, contest: Contest, candidates: Sequence[Candidate], votes: int, hours: float) -> Known:
    """The votes of the people numbered 0, 1, 2, … onto an empty topic; returns when all of them can be read."""
    partitions = range(stand.settings.ballot_partitions)
    producers = [transactional(stand.kafka, f"livetally-bench-votes-{partition}") for partition in partitions]
    cells: Counter[Cell] = Counter()
    minutes: Counter[tuple[str, str]] = Counter()
    made = _made(contest, candidates, votes, hours, len(partitions), cells, minutes)
    tell = progress("published", votes)
    while batch := list(itertools.islice(made, stand.settings.record_batch_ballots_max)):
        for partition, producer in zip(partitions, producers, strict=True):
            producer.begin_transaction()
            produce(producer, (one for one in batch if one.partition == partition))
        for producer in producers:
            producer.commit_transaction(GIVE_UP_S)
        tell(cells.total())
    return Known(contest.election.election_id, votes, cells, minutes, {one.candidate_id: one.party_affiliation for one in candidates})


def _made(
    contest: Contest,
    candidates: Sequence[Candidate],
    votes: int,
    hours: float,
    partitions: int,
    cells: Counter[Cell],
    minutes: Counter[tuple[str, str]],
) -> Iterator[Outgoing]:
    """The votes one by one, each counted in its cell and minute."""
    opened_ms = round((contest.election.opens_at or datetime.now(UTC)).timestamp() * 1000)
    parts = {one.candidate_id: vote_parts(one) for one in candidates}
    group_on = functools.lru_cache(maxsize=None)(age_group)  # so many birthdays there are
    for number, voter in enumerate(people(contest.seed, 0, votes)):
        time = ms_text(opened_ms + int(number * hours * MS_PER_HOUR / votes))
        candidate_id = choice(contest, voter)
        value = vote_message(voter_message(voter), parts[candidate_id], time)
        cell = Cell(
            contest.election.election_id,
            candidate_id,
            voter.address_state,
            voter.address_city,
            voter.gender,
            group_on(voter.date_of_birth, time[:10]),
        )
        if number % PARSED_AGAIN_EVERY == 0 and cell_of(decode(value)) != cell:
            raise ServiceError(f"The benchmark counts a vote as {cell}, and its message says {cell_of(decode(value))}.")
        cells[cell] += 1
        minutes[candidate_id, time[:16] + ":00.000"] += 1
        offset, partition = divmod(number, partitions)
        yield Outgoing(VOTES, voter.voter_id.encode(), value, partition, outcome_headers(partition, offset))
