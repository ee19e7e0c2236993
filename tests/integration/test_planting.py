"""The electorate with a plant, on a real broker: nobody is lost, whatever was planted and whenever it was stopped."""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from electorate import CANDIDATES, voter
from livetally.adapters.kafka import Announcer, reader
from livetally.adapters.reading import ends
from livetally.cast.ahead import people_ahead, places_by_size
from livetally.cast.plant import REPEATS_BESIDES, Plant, Planting
from livetally.cast.simulate import Simulated, simulate
from livetally.core.alert_facts import Rule
from livetally.core.elections import Election
from livetally.core.wire import VOTERS, topics, voter_message
from pipeline import PARTITIONS, Servers, read_to_end, recreate

PEOPLE = [voter(number) for number in range(900)]
PLACE = "State 1"  # a third of them
HOUR = timedelta(hours=1)
SEED = 5
PLAIN = Election("plain", "", "simulated", "open", SEED, None, None)


@pytest.fixture
def cast(servers: Servers, request: pytest.FixtureRequest) -> Callable[..., Simulated]:
    """People have been announced; each call is the electorate, begun or begun again."""
    recreate(servers.admin, topics(PARTITIONS))
    announcer = Announcer(servers.kafka)
    for one in PEOPLE:
        announcer.send(VOTERS, one.voter_id.encode(), voter_message(one))
    announcer.flush()
    election = Election(request.node.name, "An election", "simulated", "open", SEED, datetime.now(UTC) - HOUR, None)

    def begin(planting: Planting | None = None, per_s: float | None = None, stop: threading.Event | None = None) -> Simulated:
        return simulate(servers.kafka, election, CANDIDATES, SEED, per_s, stop or threading.Event(), planting=planting)

    return begin


def ballots(servers: Servers) -> Counter[tuple[str, str]]:
    """How often who was cast for whom."""
    return Counter((one.fields["voter_id"], one.fields["candidate_id"]) for one in read_to_end(servers.kafka, "ballots_topic"))


def planting(servers: Servers, rule: Rule, ends_in: timedelta = HOUR) -> Planting:
    now = datetime.now(UTC)
    plant = Plant(rule, PLACE, "c2" if rule is Rule.SHARE else "", now - HOUR, now + ends_in)
    return Planting([plant], partial(people_ahead, servers.kafka, PLAIN))


def test_places_are_known_by_size_and_people_ahead_in_their_order(servers: Servers, cast: Callable[..., Simulated]) -> None:
    assert sorted(places_by_size(servers.kafka, PLAIN)) == ["State 0", PLACE, "State 2"]
    everybody = list(people_ahead(servers.kafka, PLAIN, PLACE, dict.fromkeys(range(PARTITIONS), 0)))
    assert {one.voter_id for one in everybody} == {one.voter_id for one in PEOPLE if one.address_state == PLACE}
    assert len(everybody) == 300
    for number in range(PARTITIONS):
        offsets = [one.offset for one in everybody if one.partition == number]
        assert offsets == sorted(offsets)
    with closing(reader(servers.kafka)) as client:
        assert list(people_ahead(servers.kafka, PLAIN, PLACE, ends(client, VOTERS))) == []
    assert cast().voters == len(PEOPLE)


@pytest.mark.parametrize("rule", [Rule.BURST, Rule.SILENCE])
def test_in_another_order_the_same_ballots_are_cast(servers: Servers, cast: Callable[..., Simulated], rule: Rule) -> None:
    done = cast(planting(servers, rule))
    with_plant = ballots(servers)
    assert set(with_plant.values()) == {1}
    assert done == Simulated(len(PEOPLE), len(with_plant))
    assert cast() == Simulated(0, 0)  # everybody has had their turn
    recreate(servers.admin, [topic for topic in topics(PARTITIONS) if topic.name == "ballots_topic"])
    # A group of its own, so from the beginning; and without any plant.
    simulate(servers.kafka, PLAIN, CANDIDATES, SEED + 1, None, threading.Event())
    assert len(ballots(servers)) == pytest.approx(len(with_plant), rel=0.15)


def test_repeated_ballots_are_the_same_and_only_there(servers: Servers, cast: Callable[..., Simulated]) -> None:
    cast(planting(servers, Rule.REPEATS))
    there = {one.voter_id for one in PEOPLE if one.address_state == PLACE}
    assert {(voter_id in there, count) for (voter_id, _), count in ballots(servers).items()} == {(True, 1 + REPEATS_BESIDES), (False, 1)}


def test_in_a_jump_all_there_vote_for_one(servers: Servers, cast: Callable[..., Simulated]) -> None:
    cast(planting(servers, Rule.SHARE))
    there = {one.voter_id for one in PEOPLE if one.address_state == PLACE}
    chosen = ballots(servers)
    assert {candidate_id for voter_id, candidate_id in chosen if voter_id in there} == {"c2"}
    assert {candidate_id for voter_id, candidate_id in chosen if voter_id not in there} == set(CANDIDATES)


def test_whoever_waits_when_it_is_stopped_votes_when_it_goes_on(servers: Servers, cast: Callable[..., Simulated]) -> None:
    """Also if nobody plants anything then: what waited was only in memory."""
    stop = threading.Event()
    timer = threading.Timer(1.0, stop.set)
    timer.start()
    interrupted = cast(planting(servers, Rule.SILENCE), 200, stop)
    timer.join()
    assert 0 < interrupted.voters < len(PEOPLE)
    there = {one.voter_id for one in PEOPLE if one.address_state == PLACE}
    assert not there & {voter_id for voter_id, _ in ballots(servers)}
    cast()
    voted = ballots(servers)
    everybody = {one.voter_id for one in PEOPLE}
    assert len({voter_id for voter_id, _ in voted}) > 0.5 * len(everybody)
    assert len(there & {voter_id for voter_id, _ in voted}) > 0.5 * len(there)
    assert len(voted) == len({voter_id for voter_id, _ in voted})  # twice perhaps, but never for another
