"""Answers about places and moments: put together rightly, asked once for all, and never waited for in vain."""

import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from livetally.adapters import history
from livetally.adapters.places import City, Place
from livetally.core.errors import ServiceError
from livetally.show import asking
from livetally.show.asking import Asker
from livetally.show.past import Ahead, Series
from livetally.show.places import ahead_of, place_result, then
from livetally.show.result import Group, Leads, Nobody, Result, Snapshot, Standing, lead_of, ranked
from waiting import wait_for

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def now() -> Result:
    standings = ranked(Standing(one, f"Name {one}", f"Party {one}", "", "", "", votes) for one, votes in (("a", 7), ("b", 5)))
    return Result("e", 12, standings, lead_of(standings), places=(Group("Kent", 8, 20), Group("Devon", 4, 10)))


@pytest.mark.parametrize(
    ("votes", "ahead"),
    [
        ({}, Ahead()),
        ({"a": 0}, Ahead()),
        ({"a": 3}, Ahead(("a",), 3, 3)),
        ({"a": 3, "b": 1, "c": 1}, Ahead(("a",), 3, 2)),
        ({"b": 3, "a": 3, "c": 1}, Ahead(("a", "b"), 3, 0)),
    ],
)
def test_who_is_ahead_in_a_place(votes: Mapping[str, int], ahead: Ahead) -> None:
    assert ahead_of(votes) == ahead


def test_a_county_has_everybody_who_stands_and_its_cities() -> None:
    county = place_result(now(), "Kent", "", Place({"b": 5}, 20, (City("Ashford", 2, 8), City("Dover", 3, None))))
    assert [(one.name, one.votes) for one in county.candidates] == [("Name b", 5), ("Name a", 0)]
    assert (county.total_votes, county.places, county.parties) == (5, (Group("Kent", 5, 20),), (Group("Party b", 5),))
    assert county.cities == (Group("Dover", 3, None, "Kent"), Group("Ashford", 2, 8, "Kent"))
    assert isinstance(county.lead, Leads)


def test_an_earlier_moment_has_every_place_of_now() -> None:
    back = then(now(), NOON, {"a": 2, "x": 1}, {"Kent": {"a": 2, "x": 1}})
    assert back.result.total_votes == 3
    assert [(one.name, one.votes) for one in back.result.candidates] == [("Name a", 2), ("x", 1), ("Name b", 0)]
    assert back.result.places == (Group("Kent", 3, 20), Group("Devon", 0, 10))
    assert back.ahead == {"Kent": Ahead(("a",), 2, 1)}
    assert then(now(), NOON, {}, {}).result.lead == Nobody()


def test_votes_a_minute_are_what_came_in_each_step() -> None:
    series = Series((NOON, NOON + timedelta(minutes=2)), {"a": (6, 10)}, timedelta(minutes=2))
    assert series.per_minute("a") == (3, 2)
    assert series.per_minute("nobody") == ()


class Database:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.questions: list[tuple[object, ...]] = []
        self.error: Exception | None = None
        self.let = threading.Event()
        self.let.set()

    def series(self, election_id: str, place: str, points_max: int) -> history.Series:
        self.questions.append((election_id, place, points_max))
        self.let.wait(5)
        if self.error is not None:
            raise self.error
        self.asked += 1
        return history.Series([NOON, NOON + timedelta(minutes=1)], {"a": [1, self.asked]})

    def best(self, election_id: str) -> Mapping[str, Mapping[str, int]]:
        self.questions.append((election_id,))
        return {"Kent": {"a": 2}}

    def place(self, election_id: str, county: str, city: str) -> Place:
        self.questions.append((election_id, county, city))
        return Place({"a": 2}, 20)

    def before(self, election_id: str, moment: datetime) -> tuple[Mapping[str, int], Mapping[str, Mapping[str, int]]]:
        self.questions.append((election_id, moment))
        return {"a": 2}, {"Kent": {"a": 2}}

    def person(self, hashed: bytes, now: datetime) -> None:
        self.questions.append((hashed, now))

    def close(self) -> None:
        pass


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def now_s() -> list[float]:
    return [0.0]


@pytest.fixture
def asker(database: Database, now_s: list[float]) -> Iterator[Asker]:
    one = Asker(database, lambda: Snapshot({"e": now()}), lambda: NOON, lambda: now_s[0])
    one.start()
    yield one
    database.let.set()
    one.close()


def points(asker: Asker) -> tuple[int, ...]:
    series = asker.series("e").value
    return series.votes["a"] if series else ()


def test_the_first_answer_is_waited_for_and_the_next_comes_from_memory(asker: Asker, database: Database) -> None:
    assert points(asker) == (1, 1)
    assert [points(asker) for _ in range(50)] == [(1, 1)] * 50
    assert asker.series("e").asked_at == NOON
    assert database.questions == [("e", "", 500)]


def test_each_question_is_asked_as_it_was_put(asker: Asker, database: Database) -> None:
    assert asker.ahead("e").value == {"Kent": Ahead(("a",), 2, 2)}
    city = asker.place("e", "Kent", "Dover").value
    back = asker.at("e", NOON).value
    assert city
    assert back
    assert (city.places, back.result.total_votes) == ((Group("Dover", 2, 20, "Kent"),), 2)
    assert database.questions == [("e",), ("e", "Kent", "Dover"), ("e", NOON)]


def test_an_old_answer_is_not_shown_to_whoever_looks_alone(asker: Asker, database: Database, now_s: list[float]) -> None:
    """Who refreshes once a minute would see what was true a minute ago, under an age of seconds."""
    assert points(asker) == (1, 1)
    now_s[0] = asking.ANSWER_FRESH_S
    assert points(asker) == (1, 2)
    assert database.asked == 2


def test_an_old_answer_is_shown_while_a_new_one_takes_long(
    asker: Asker, database: Database, now_s: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert points(asker) == (1, 1)
    monkeypatch.setattr(asking, "WAIT_S", 0.01)
    now_s[0] = asking.ANSWER_FRESH_S
    database.let.clear()
    assert points(asker) == (1, 1)
    database.let.set()
    wait_for(lambda: points(asker) == (1, 2), "the newer answer")
    assert database.asked == 2


def test_a_database_that_hangs_holds_a_page_back_for_a_moment_only(
    asker: Asker, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "WAIT_S", 0.01)
    database.let.clear()
    assert asker.series("e").value is None
    database.let.set()
    wait_for(lambda: points(asker) == (1, 1), "the answer, when it comes")


def test_a_database_that_is_away_is_named_and_the_last_answer_stays(asker: Asker, database: Database, now_s: list[float]) -> None:
    assert points(asker) == (1, 1)
    now_s[0], database.error = 10.0, ServiceError("PostgreSQL is away")
    wait_for(lambda: asker.series("e").trouble == "PostgreSQL is away", "the trouble")
    assert points(asker) == (1, 1)
    now_s[0], database.error = 20.0, None
    wait_for(lambda: points(asker) == (1, 2) and not asker.series("e").trouble, "it is back")


def test_a_fault_that_nobody_expected_does_not_end_the_thread(asker: Asker, database: Database, caplog: pytest.LogCaptureFixture) -> None:
    database.error = ZeroDivisionError("oops")
    assert asker.series("e").trouble == "ZeroDivisionError: oops"
    assert "nobody expected" in caplog.text
    place = asker.place("e", "Kent").value
    wait_for(lambda: asker.place("e", "Kent").value is not None, "another question")
    assert place is None or place.total_votes == 2


def test_questions_that_nobody_asks_any_more_make_room(asker: Asker) -> None:
    for minute in range(asking.ANSWERS_MAX + 5):
        asker.at("e", NOON + timedelta(minutes=minute))
    assert len(asker._known) == asking.ANSWERS_MAX
