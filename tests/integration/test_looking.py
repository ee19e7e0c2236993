"""What a page is told of one place, and of an earlier moment, is what the votes say, counted here once more."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson
import pytest

from livetally.adapters.looking import Looking
from livetally.core.errors import ServiceError
from livetally.core.wire import VOTES, utc_text
from livetally.show.past import POINTS_MAX
from pipeline import CANDIDATES, ELECTION, Servers, Spark, clean_pipeline, free_port, tally_all

MORNING = datetime(2026, 5, 7, 9, 0, tzinfo=UTC)
MINUTES = 5


class Vote(NamedTuple):
    state: str
    city: str
    candidate_id: str
    cast_at: datetime


def plan() -> list[Vote]:
    """Some in every minute, on its first and its last millisecond too."""
    votes = []
    for minute in range(MINUTES):
        for number, ms in enumerate((0, 1, 17_000, 30_000, 59_998, 59_999) * 3):
            place = (minute + number) % 4
            cast_at = MORNING + timedelta(minutes=minute, milliseconds=ms)
            votes.append(Vote(f"State {place % 3}", f"City {place}", CANDIDATES[(number + minute) % 3], cast_at))
    return votes


@pytest.fixture(scope="module")
def looking(servers: Servers, spark: Spark, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looking]:
    with clean_pipeline(servers, tmp_path_factory.mktemp("looked at")) as pipeline:
        pipeline.hold_election(9)
        pipeline.cast(*(_message(vote) for vote in plan()), partition=0, topic=VOTES)
        tally_all(pipeline, spark)
        with closing(Looking(pipeline.database_url)) as ours:
            yield ours


def _message(vote: Vote) -> bytes:
    fields = {
        "election_id": ELECTION,
        "candidate_id": vote.candidate_id,
        "address": {"state": vote.state, "city": vote.city},
        "voting_time": utc_text(vote.cast_at),
    }
    return orjson.dumps(fields)


def counted(votes: list[Vote]) -> dict[str, int]:
    return dict(Counter(vote.candidate_id for vote in votes))


@pytest.mark.parametrize("minute", range(MINUTES + 1))
def test_at_every_full_minute_the_election_is_set_back_exactly(looking: Looking, minute: int) -> None:
    moment = MORNING + timedelta(minutes=minute)
    cast_before = [vote for vote in plan() if vote.cast_at < moment]
    everywhere, states = looking.before(ELECTION, moment)
    assert everywhere == counted(cast_before)
    assert states == {
        state: counted([vote for vote in cast_before if vote.state == state]) for state in {vote.state for vote in cast_before}
    }


def test_between_two_minutes_it_is_the_earlier_one(looking: Looking) -> None:
    moment = MORNING + timedelta(minutes=2, seconds=40)
    assert looking.before(ELECTION, moment) == looking.before(ELECTION, MORNING + timedelta(minutes=2))


@pytest.mark.parametrize("state", ["", "State 1"])
def test_votes_over_time_end_where_the_moments_are(looking: Looking, state: str) -> None:
    series = looking.series(ELECTION, state, POINTS_MAX)
    for number, end in enumerate(series.ends):
        everywhere, states = looking.before(ELECTION, end)
        there = states.get(state, {}) if state else everywhere
        assert {candidate_id: votes[number] for candidate_id, votes in series.votes.items() if votes[number]} == there


def test_a_county_and_its_cities(looking: Looking) -> None:
    here = [vote for vote in plan() if vote.state == "State 0"]
    county = looking.place(ELECTION, "State 0", "")
    assert county.votes == counted(here)
    cities = Counter(vote.city for vote in here)
    assert {one.name: one.votes for one in county.cities if one.votes} == cities
    for city in cities:
        assert looking.place(ELECTION, "State 0", city).votes == counted([vote for vote in here if vote.city == city])


def test_a_place_that_nobody_knows_is_empty(looking: Looking) -> None:
    assert looking.place(ELECTION, "Nowhere", "").votes == {}


def test_the_best_of_each_county_are_among_all_of_its_votes(looking: Looking) -> None:
    best = looking.best(ELECTION)
    assert set(best) == {vote.state for vote in plan()}
    for state, votes in best.items():
        everybody = counted([vote for vote in plan() if vote.state == state])
        most = sorted(everybody.values(), reverse=True)
        assert votes == {candidate_id: count for candidate_id, count in everybody.items() if count >= most[1]}


def test_a_database_that_is_not_there_is_an_error_of_ours_and_not_for_ever(looking: Looking) -> None:
    with closing(Looking(f"postgresql://postgres:postgres@127.0.0.1:{free_port()}/voting")) as away:
        for _ in range(2):
            with pytest.raises(ServiceError, match="does not answer"):
                away.best(ELECTION)
    assert looking.best(ELECTION)
