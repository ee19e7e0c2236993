"""What `simulate --plant` does is what the rules find: the electorate's own people and choices, in a minute's time for a minute's ballots."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from livetally.cast.choice import choose
from livetally.cast.person import Person
from livetally.cast.plant import Planting, plan
from livetally.core.alerts import Alert, Minute, Rule, Window, judge
from livetally.register.people import people

ELECTION, CANDIDATES, SEED = "simulation-1", ["c1", "c2", "c3"], 42
BALLOTS_PER_S = 50.0
STARTS = datetime(2026, 5, 7, 12, 0, 20, tzinfo=UTC)
MINUTES = 16
PARTITIONS = 2


def electorate(count: int) -> list[Person]:
    return [
        Person(number % PARTITIONS, number // PARTITIONS, voter.voter_id, voter.address_state, voter.date_of_birth)
        for number, voter in enumerate(people(SEED, 0, count))
    ]


def held(everybody: list[Person], planting: Planting) -> list[Minute]:
    """Each minute's votes and repeated ballots, at that pace, until the last full minute."""

    def number_of(moment: datetime) -> int:
        return int(moment.timestamp()) // 60

    first = number_of(STARTS)
    votes: list[Counter[tuple[str, str]]] = [Counter() for _ in range(MINUTES)]
    repeats: list[Counter[str]] = [Counter() for _ in range(MINUTES)]
    voted: set[str] = set()
    now, in_pace = STARTS, 0
    for person in everybody:
        for cast in planting.come([person], now):
            chosen = choose(SEED, ELECTION, CANDIDATES, cast.person.voter_id, cast.person.state, cast.person.date_of_birth, "2026-05-07")
            if chosen is None:
                continue
            if cast.person.voter_id in voted:
                repeats[number_of(now) - first][cast.person.state] += 1
            else:
                votes[number_of(now) - first][cast.person.state, cast.candidate_id or chosen] += 1
            voted.add(cast.person.voter_id)
            in_pace += not cast.is_extra
        now = STARTS + timedelta(seconds=in_pace / BALLOTS_PER_S)
        if number_of(now) - first == MINUTES:
            break
    assert number_of(now) - first == MINUTES, "everybody had voted before the last minute"
    return [Minute(first + index, votes[index], repeats[index]) for index in range(MINUTES)]


def test_each_planted_anomaly_is_found_within_two_minutes_and_cleared_and_nothing_else_is() -> None:
    everybody = electorate(230_000)  # many more than vote in that time: a burst takes of those who come later
    registered = Counter(person.state for person in everybody)

    def ahead(place: str, positions: Mapping[int, int]) -> Iterator[Person]:
        return (one for one in everybody if one.state == place and one.offset >= positions.get(one.partition, 0))

    plants = plan(list(Rule), SEED, ELECTION, [place for place, _ in registered.most_common()], CANDIDATES, STARTS)
    minutes = held(everybody, Planting(plants, ahead))
    known: dict[tuple[Rule, str, int], Alert] = {}
    raised: dict[tuple[Rule, str, str], int] = {}
    window = Window()
    for minute in minutes:
        window.add(minute)
        for alert in judge(window, registered, list(known.values())):
            known[alert.name] = alert
            raised.setdefault((alert.rule, alert.place, alert.candidate_id), minute.number)
    begins = {(one.rule, one.place, one.candidate_id): int(one.begins_at.timestamp()) // 60 for one in plants}
    assert raised.keys() == begins.keys()
    assert all(0 <= raised[name] - begins[name] <= 1 for name in begins)
    assert {alert.state for alert in known.values()} == {"cleared"}
    assert len(known) == len(plants)
