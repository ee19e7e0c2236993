"""What is a difference and what is on its way; when it is looked for. With real services: tests/integration/test_agreement.py."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetally.adapters.agreement import Recorded, Rewritten, Tallied
from livetally.adapters.votes_read import Fault, Passed
from livetally.core.tally import Cell
from livetally.show.agreement import Candidate, Key, Missing, announced_and_tally, ledger_and_topic, topic_and_cells, topic_and_tally
from livetally.show.judge import MESSAGES_AT_ONCE, Judge
from livetally.show.trust import Waiting

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
A = ("e", "a")
KENT: Key = ("state", "e", ("Kent",))
DEVON: Key = ("state", "e", ("Devon",))
NONE: Missing = frozenset()

counts = st.dictionaries(st.tuples(st.just("e"), st.sampled_from("abc")), st.integers(1, 3))


@given(counts, counts)
def test_a_candidate_is_named_exactly_when_topic_and_tally_say_different_numbers(
    topic: dict[Candidate, int], tally: dict[Candidate, int]
) -> None:
    named = {one.place.split(":")[0] for one in topic_and_tally(topic, tally)}
    assert named == {f"candidate {key[1]}" for key in topic.keys() | tally.keys() if topic.get(key, 0) != tally.get(key, 0)}


def test_both_numbers_are_said() -> None:
    (one,) = topic_and_tally({A: 1_200}, {A: 1_201})
    assert (one.first, one.second, one.election_id) == ("topic", "tally", "e")
    assert one.place == "candidate a: the votes topic has 1,200 votes, the tally has 1,201"


def test_a_cell_is_named_by_all_its_groups() -> None:
    cell = Cell("e", "a", "Kent", "Dover", "female", "25-34")
    (one,) = topic_and_cells({cell: 2}, {})
    assert one.place == "cell a · Kent · Dover · female · 25-34: the votes topic has 2 votes, the tally has 0"


def test_votes_that_changed_hands_keep_their_number_and_not_their_ballots() -> None:
    assert list(ledger_and_topic({A: (2, 30)}, {A: (2, 30)})) == []
    (number,) = ledger_and_topic({A: (2, 30)}, {A: (3, 60)})
    assert "the ledger has 2 votes, the votes topic has 3" in number.place
    (ballots,) = ledger_and_topic({A: (2, 30)}, {A: (2, 31)})
    assert "not of the same ballots" in ballots.place


def test_what_was_announced_as_it_was_stored_is_well() -> None:
    assert announced_and_tally({KENT: (1, 4, 9)}, {KENT: (9, 4)}, (1, 5), NONE) == ([], frozenset())


def test_another_number_at_the_same_version_is_a_difference() -> None:
    (one,), _ = announced_and_tally({KENT: (1, 4, 8)}, {KENT: (9, 4)}, (1, 5), NONE)
    assert one.place == "aggregated_turnout_by_location, Kent: announced are 8 votes, the tally has 9"


def test_an_announcement_that_has_not_come_yet_is_waited_for() -> None:
    """Until it was missing twice, and a later one has been heard."""
    tally = {KENT: (9, 4), DEVON: (3, 5)}
    wrong, missing = announced_and_tally({KENT: (1, 3, 8)}, tally, (1, 5), NONE)
    assert (wrong, missing) == ([], frozenset({(KENT, 4), (DEVON, 5)}))
    wrong, missing = announced_and_tally({KENT: (1, 3, 8)}, tally, (1, 5), missing)
    assert wrong == [], "nothing of batch 4 has been heard: the tally may not have got round to it"
    (one,), _ = announced_and_tally({KENT: (1, 3, 8), DEVON: (1, 5, 3)}, tally, (1, 5), missing)
    assert one.place == "aggregated_turnout_by_location, Kent: the tally has 9 votes, and they were never announced"


def test_what_the_tally_cannot_have_announced() -> None:
    (beyond,), _ = announced_and_tally({KENT: (1, 6, 9)}, {KENT: (9, 4)}, (1, 5), NONE)
    assert "of a batch that the tally never stored" in beyond.place
    (nowhere,), _ = announced_and_tally({KENT: (1, 4, 9)}, {}, (1, 5), NONE)
    assert "the tally has none" in nowhere.place


def test_announcements_of_an_older_count_are_waited_for() -> None:
    wrong, missing = announced_and_tally({KENT: (1, 90, 9), DEVON: (1, 91, 4)}, {KENT: (9, 4)}, (2, 5), frozenset({(KENT, 4)}))
    assert (wrong, missing) == ([], frozenset({(KENT, 4), (DEVON, 0)}))


def test_what_an_older_count_has_left_and_nobody_takes_back_is_a_difference() -> None:
    announced, tally = {KENT: (2, 0, 9), DEVON: (1, 91, 4)}, {KENT: (9, 0)}
    wrong, missing = announced_and_tally(announced, tally, (2, 5), NONE)
    assert (wrong, missing) == ([], frozenset({(DEVON, 0)}))
    (one,), _ = announced_and_tally(announced, tally, (2, 5), missing)
    assert one.place == "aggregated_turnout_by_location, Devon: announced are 4 votes, the tally has none"
    assert announced_and_tally(announced | {DEVON: (2, 0, 0)}, tally, (2, 5), missing) == ([], frozenset())


CELL = Cell("e", "a", "Kent", "Dover", "female", "25-34")


class Topic:
    """Two votes for one candidate; `is_read` says whether it has been read to the tally's place."""

    def __init__(self) -> None:
        self.positions = {0: 7}
        self.ballots = {0: 3}
        self.faults: dict[str, Fault] = {}
        self.newest: Passed | None = None
        self.cells = {CELL: 2}
        self.counts = {A: 2}
        self.places = {A: 4096}
        self.is_read = True
        self.forgotten = 0

    def read_up_to(self, ends: Mapping[int, int], messages_max: int) -> bool:
        assert (ends, messages_max) == ({0: 10}, MESSAGES_AT_ONCE)
        return self.is_read

    def forget(self) -> None:
        self.forgotten += 1

    def ballots_end(self) -> int:
        return 5

    def close(self) -> None:
        pass


class Database:
    """What it says agrees with the topic; a whole look takes `whole_s`."""

    def __init__(self, now_s: list[float]) -> None:
        self._now_s = now_s
        self.has_tallied = True
        self.generation = 1
        self.counted = 2
        self.accepted = 2
        self.mark = 0
        self.wrong_cell = 0
        self.rewritten_by: int | None = None
        self.whole_s = 0.0
        self.wholes = 0

    def tallied(self, since: tuple[int, int] | None, *, whole: bool) -> Tallied | None:
        assert since in {None, (1, 5)}
        if not self.has_tallied:
            return None
        return Tallied(
            self.generation, 5, {0: 10}, {A: self.counted}, (), 3, self.accepted, {CELL: self.counted + self.wrong_cell} if whole else None
        )

    def recorded(self, cuts: Mapping[int, int]) -> Recorded:
        assert cuts == ({0: 3} if self.has_tallied else {})
        self.wholes += 1
        self._now_s[0] += self.whole_s
        if not self.has_tallied:
            return Recorded({}, self.accepted, self.accepted)
        return Recorded({A: (self.counted, 4096)}, self.counted, self.counted)

    def rewritten(self) -> Rewritten:
        return Rewritten((self.mark, 0), None if self.rewritten_by is None else (1, self.rewritten_by))

    def close(self) -> None:
        pass


@pytest.fixture
def now_s() -> list[float]:
    return [0.0]


@pytest.fixture
def topic() -> Topic:
    return Topic()


@pytest.fixture
def database(now_s: list[float]) -> Database:
    return Database(now_s)


@pytest.fixture
def judge(database: Database, topic: Topic, now_s: list[float]) -> Judge:
    return Judge(database, topic, dict, lambda: NOON + timedelta(seconds=now_s[0]), lambda: now_s[0])


def states(judge: Judge, checks: int) -> list[str]:
    return [judge.check().agreement.state for _ in range(checks)]


def test_nothing_is_claimed_before_the_topic_and_the_ledger_have_been_read(judge: Judge, topic: Topic) -> None:
    topic.is_read = False
    reading = judge.check()
    assert (reading.agreement.state, reading.is_whole_way) == ("unknown", False)
    assert "offset 7 of 10" in reading.agreement.waiting_for
    assert reading.waiting == (Waiting("record", "ballots", 2), Waiting("tally", "votes", 0)), "that is known before"
    topic.is_read = True
    assert states(judge, 2) == ["unknown", "green"]


def test_green_says_what_was_counted_and_what_waits(judge: Judge) -> None:
    states(judge, 1)
    checked = judge.check()
    badge = checked.agreement
    assert (badge.state, badge.ledger, badge.topic, badge.tally, badge.behind) == ("green", 2, 2, 2, 0)
    assert [(one.stage, one.count) for one in checked.waiting] == [("record", 2), ("tally", 0)]


def test_votes_that_wait_for_the_first_tally_are_known(judge: Judge, database: Database, now_s: list[float]) -> None:
    """Their number takes a look at all of the ledger, so it comes as often as a whole check."""
    database.has_tallied, database.accepted, database.whole_s = False, 7, 1.0
    checked = judge.check()
    assert (checked.agreement.state, checked.waiting) == ("unknown", (Waiting("tally", "votes", 7),))
    assert (judge.check().waiting, database.wholes) == ((), 1)
    now_s[0] += 20
    database.accepted = 9
    assert (judge.check().waiting, database.wholes) == ((Waiting("tally", "votes", 9),), 2)
    database.has_tallied = True
    assert states(judge, 2) == ["unknown", "green"], "a whole check is due at once"


def test_before_the_first_vote_nothing_is_known_to_wait(judge: Judge, database: Database) -> None:
    database.has_tallied, database.accepted = False, 0
    assert judge.check().waiting == ()


def test_votes_that_wait_for_long_are_amber(judge: Judge, database: Database, topic: Topic, now_s: list[float]) -> None:
    """What has just been accepted is on its way, and said to be; what goes on waiting is late."""
    states(judge, 2)
    database.accepted = 9
    assert (judge.check().agreement.state, judge.check().agreement.behind) == ("green", 7)
    now_s[0] += 9.9
    database.accepted = 90
    assert (judge.check().agreement.state, judge.check().agreement.behind) == ("green", 88)
    now_s[0] += 0.1
    assert (judge.check().agreement.state, judge.check().agreement.behind) == ("amber", 88)
    database.counted, topic.counts, topic.cells = 90, {A: 90}, {CELL: 90}
    assert states(judge, 1) == ["green"]


def test_a_tally_that_keeps_up_is_never_late(judge: Judge, database: Database, topic: Topic, now_s: list[float]) -> None:
    """There are always votes on their way, but never the same for long."""
    states(judge, 2)
    for counted in range(3, 60):
        now_s[0] += 2
        database.counted, topic.counts, topic.cells = counted, {A: counted}, {CELL: counted}
        database.accepted = counted + 3
        assert judge.check().agreement.state == "green"


def test_a_verdict_holds_while_a_rush_is_read_but_not_for_long(judge: Judge, topic: Topic, now_s: list[float]) -> None:
    states(judge, 2)
    topic.is_read = False
    now_s[0] += 14
    assert states(judge, 1) == ["green"]
    now_s[0] += 1
    assert states(judge, 1) == ["unknown"]


def test_whole_checks_take_their_share_and_no_more(judge: Judge, database: Database, now_s: list[float]) -> None:
    database.whole_s = 1.0
    states(judge, 2)
    assert database.wholes == 1
    for _ in range(200):
        now_s[0] += 1
        judge.check()
    assert database.wholes == pytest.approx(200 * 0.05, abs=2)


def test_a_rewritten_row_is_looked_for_at_once(judge: Judge, database: Database) -> None:
    database.whole_s = 1.0
    states(judge, 2)
    states(judge, 3)
    assert database.wholes == 1
    database.mark = 1
    states(judge, 1)
    assert database.wholes == 2


def test_a_wrong_cell_is_seen_at_the_next_check_however_long_a_whole_one_takes(judge: Judge, database: Database) -> None:
    """Its candidate has as many votes as before: only a whole check can tell."""
    database.whole_s = 60.0
    states(judge, 2)
    database.wrong_cell, database.rewritten_by = 1, 4711
    assert states(judge, 1) == ["red"]
    assert database.wholes == 2
    assert states(judge, 3) == ["red"] * 3
    assert database.wholes == 2, "what somebody wrote is looked at once, not again and again"
    database.wrong_cell, database.rewritten_by = 0, 4712  # somebody has put it right
    assert states(judge, 1) == ["green"]
    database.rewritten_by = None  # the tally has stored another batch since
    states(judge, 3)
    assert database.wholes == 3


def test_another_count_begins_with_an_unread_topic(judge: Judge, database: Database, topic: Topic) -> None:
    states(judge, 2)
    forgotten = topic.forgotten
    database.generation = 2
    judge.check()
    assert topic.forgotten == forgotten + 1
