"""What is a difference and what is on its way: the pure part of the badge."""

from hypothesis import given
from hypothesis import strategies as st

from livetally.core.tally import Cell
from livetally.show.agreement import Key, Missing, announced_and_tally, ledger_and_topic, topic_and_cells, topic_and_tally

A, B = ("e", "a"), ("e", "b")
KENT: Key = ("state", "e", ("Kent",))
DEVON: Key = ("state", "e", ("Devon",))
NONE: Missing = frozenset()

counts = st.dictionaries(st.tuples(st.just("e"), st.sampled_from("abc")), st.integers(1, 3))


@given(counts, counts)
def test_a_candidate_is_named_exactly_when_topic_and_tally_say_different_numbers(topic: dict, tally: dict) -> None:  # type: ignore[type-arg]
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
    assert (wrong, missing) == ([], frozenset({(KENT, 4)}))
