"""What `simulate --plant` makes of the people who come: where, when, how many, and that nobody is lost."""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import electorate
from livetally.cast.person import Person, is_simulated, person_of
from livetally.cast.plant import BURST_AT_ONCE, BURST_EVERY, PLACES, RELEASED_BESIDES, REPEATS_BESIDES, Cast, Plant, Planting, plan
from livetally.cli import build_parser
from livetally.commands.stages import simulate
from livetally.core.alert_facts import Rule
from livetally.core.elections import Election
from livetally.core.errors import UsageError
from livetally.core.wire import listed_voter_message

NOW = datetime(2026, 5, 7, 12, 0, 20, tzinfo=UTC)
LARGE = [f"place {number}" for number in range(20)]
CANDIDATES = ["c1", "c2", "c3"]
PEOPLE = [Person(offset % 2, offset // 2, f"v{offset}", "Kent" if offset % 4 == 0 else "Fife", "1980-05-05") for offset in range(400)]
KENT = [person for person in PEOPLE if person.state == "Kent"]
BEGINS = NOW + timedelta(minutes=5)


def ahead(place: str, positions: Mapping[int, int]) -> Iterator[Person]:
    return (person for person in PEOPLE if person.state == place and person.offset >= positions.get(person.partition, 0))


def planting(rule: Rule) -> Planting:
    return Planting([Plant(rule, "Kent", "c3" if rule is Rule.SHARE else "", BEGINS, BEGINS + timedelta(minutes=3))], ahead)


def vote(subject: Planting, *, while_on: range) -> list[list[Cast]]:
    """Everybody comes, one by one; the anomaly lasts while these people come. What each coming brings."""
    return [
        list(subject.come([person], BEGINS if number in while_on else BEGINS - timedelta(seconds=1)))
        for number, person in enumerate(PEOPLE)
    ]


def test_the_plan_names_times_and_large_places_and_depends_on_the_seed_alone() -> None:
    plants = plan(list(Rule), 7, "e1", LARGE, CANDIDATES, NOW)
    assert plants == plan(list(Rule), 7, "e1", LARGE, CANDIDATES, NOW)
    assert [one.rule for one in plants] == list(Rule)
    assert len({one.place for one in plants}) == len(Rule)
    assert {one.place for one in plants} <= set(LARGE[:PLACES])
    assert all(one.begins_at.second == 0 and one.begins_at >= NOW + timedelta(minutes=4) for one in plants)
    assert [one.place for one in plan(list(Rule), 8, "e1", LARGE, CANDIDATES, NOW)] != [one.place for one in plants]
    assert str(plants[0]) == f"burst in {plants[0].place} from 12:05:00 UTC for 3 min"


def test_more_anomalies_than_places_are_refused() -> None:
    with pytest.raises(UsageError, match="4 anomalies need as many places, and people have been registered in 2"):
        plan(list(Rule), 7, "e1", LARGE[:2], CANDIDATES, NOW)


@pytest.mark.parametrize("rule", Rule)
def test_everybody_votes_once_or_more_in_the_end_and_others_as_ever(rule: Rule) -> None:
    subject = planting(rule)
    casts = [cast for one in vote(subject, while_on=range(100, 200)) for cast in one] + list(subject.rest())
    assert {cast.person for cast in casts} == set(PEOPLE)
    if rule is not Rule.REPEATS:
        assert len(casts) == len(PEOPLE)
    assert [cast for cast in casts if cast.person.state == "Fife"] == [Cast(person) for person in PEOPLE if person.state == "Fife"]


def test_in_a_burst_people_come_before_their_turn_and_not_again() -> None:
    casts = vote(planting(Rule.BURST), while_on=range(100, 120))
    turns = [one for one, person in zip(casts, PEOPLE, strict=True) if person.state == "Kent"]
    others = KENT[26::BURST_EVERY]
    assert turns[25] == [Cast(KENT[25]), *(Cast(person, is_extra=True) for person in others[: BURST_AT_ONCE - 1])]
    assert turns[26] == [
        Cast(person, is_extra=number > 0) for number, person in enumerate(others[BURST_AT_ONCE - 1 : 2 * BURST_AT_ONCE - 1])
    ]
    assert {len(one) for one in turns[25:30]} == {BURST_AT_ONCE}
    brought = {cast.person for one in turns[25:30] for cast in one}
    assert turns[30:] == [[] if person in brought else [Cast(person)] for person in KENT[30:]]
    assert len(brought - set(KENT[:30])) == 5 * BURST_AT_ONCE - 5


def test_a_burst_ends_where_nobody_is_left_to_come() -> None:
    casts = [cast for one in vote(planting(Rule.BURST), while_on=range(380, 400)) for cast in one]
    assert Counter(cast.person for cast in casts) == Counter(PEOPLE)


def test_whoever_repeats_casts_the_same_ballot_again() -> None:
    casts = vote(planting(Rule.REPEATS), while_on=range(100, 104))
    assert casts[100] == [Cast(PEOPLE[100]), *[Cast(PEOPLE[100], is_extra=True)] * REPEATS_BESIDES]
    assert casts[104] == [Cast(PEOPLE[104])]


def test_in_a_jump_everybody_there_votes_for_one() -> None:
    casts = [cast for one in vote(planting(Rule.SHARE), while_on=range(100, 200)) for cast in one]
    assert {cast.person for cast in casts if cast.candidate_id == "c3"} == set(KENT[25:50])
    assert not any(cast.is_extra for cast in casts)


def test_after_a_silence_those_who_waited_come_with_the_others() -> None:
    subject = planting(Rule.SILENCE)
    casts = vote(subject, while_on=range(100, 120))
    assert [cast for one in casts[100:120] for cast in one if cast.person.state == "Kent"] == []
    assert casts[120] == [Cast(PEOPLE[120]), *(Cast(person, is_extra=True) for person in KENT[25 : 25 + RELEASED_BESIDES])]
    assert list(subject.rest()) == []


def test_the_position_stays_before_whoever_waits() -> None:
    """Whatever is killed now goes on there, so nobody who waits is forgotten."""
    subject = planting(Rule.SILENCE)
    list(subject.come(PEOPLE[:100], NOW))
    assert subject.positions() == {0: 50, 1: 50}
    list(subject.come(PEOPLE[100:110], BEGINS))
    assert subject.positions() == {0: PEOPLE[100].offset, 1: 55}
    list(subject.come(PEOPLE[110:], BEGINS + timedelta(hours=1)))
    assert subject.positions() == {0: 200, 1: 200}


def test_what_was_not_over_at_the_end_is_known() -> None:
    subject = planting(Rule.SILENCE)
    assert [str(one) for one in subject.unfinished(NOW)] == ["silence in Kent from 12:05:20 UTC for 3 min"]
    assert subject.unfinished(BEGINS + timedelta(minutes=3)) == []


def test_a_message_that_announces_nobody_is_none() -> None:
    voter = b'{"voter_id":"v1","date_of_birth":"1980-05-05","address":{"state":"Kent"}}'
    assert person_of(1, 2, voter) == Person(1, 2, "v1", "Kent", "1980-05-05")
    assert [person_of(0, 0, value) for value in (None, b"", b"[]", b"1", b"{}", b'{"voter_id":"v1"}', b"\xff")] == [None] * 7


def test_nobody_votes_for_people_of_a_list_or_of_other_states() -> None:
    somebody, listed = Person(0, 0, "v1", "Kent", "1980-05-05"), listed_voter_message(electorate.voter(1), "board")
    everywhere = Election("e", "", "simulated", "open", 1, None, None)
    assert is_simulated(somebody, everywhere)
    assert is_simulated(somebody, replace(everywhere, roll="states", roll_states=("Fife", "Kent")))
    assert not is_simulated(somebody, replace(everywhere, roll="states", roll_states=("Fife",)))
    came = person_of(0, 0, listed)
    assert came is not None
    assert (came.voter_id, came.roll) == ("v1", "board")
    assert not is_simulated(came, everywhere)


def test_the_option_takes_rules_by_name_once_each() -> None:
    parse = build_parser().parse_args
    assert parse(["simulate", "--plant", "silence,burst,silence"]).plant == (Rule.SILENCE, Rule.BURST)
    assert parse(["simulate"]).plant == ()
    with pytest.raises(SystemExit):
        parse(["simulate", "--plant", "burst,landslide"])


def test_a_rate_is_wanted_with_it() -> None:
    with pytest.raises(UsageError, match="--plant needs a --rate"):
        simulate(argparse.Namespace(plant=(Rule.BURST,), rate=None, seed=None))
