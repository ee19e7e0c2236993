"""The laws of the board: neither order nor repetition matter, the highest version of each key stays."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetally.core import wire
from livetally.core.tally import VIEWS, View
from livetally.show.board import TOPICS, Board
from livetally.show.result import Group, Leads, Nobody, Result, Tie

AS_OF = "2026-05-04 21:00:00.000"
Message = tuple[str, bytes, tuple[int, int]]


def number(topic: str, version: tuple[int, int], as_of: str = AS_OF, election_id: str = "e", **fields: Any) -> Message:
    value = orjson.dumps({**fields, "election_id": election_id, "version": version, "as_of": as_of})
    return topic, value, (0, version[1])


def votes(candidate_id: str, total: int, version: tuple[int, int], name: str = "", **more: str) -> Message:
    return number(wire.PER_CANDIDATE, version, candidate_id=candidate_id, candidate_name=name or candidate_id, total_votes=total, **more)


def listed(candidate_id: str, name: str, offset: int = 0, election_id: str = "e") -> Message:
    fields = {"candidate_id": candidate_id, "candidate_name": name, "party_affiliation": "P", "election_id": election_id}
    return wire.CANDIDATES, orjson.dumps(fields), (0, offset)


def folded(messages: list[Message]) -> Board:
    board = Board()
    for topic, value, order in messages:
        board.fold(topic, value, order)
    return board


def result(*messages: Message) -> Result:
    return folded(list(messages)).results()["e"]


@st.composite
def any_number(draw: st.DrawFn) -> Message:
    view: View = draw(st.sampled_from(VIEWS))
    fields: dict[str, Any] = {name: draw(st.sampled_from(["a", "b", "unknown"])) for name in view.group}
    fields[view.total] = draw(st.integers(0, 5))
    version = (draw(st.integers(0, 2)), draw(st.integers(0, 3)))
    return number(view.topic, version, f"2026-05-04 21:00:00.00{draw(st.integers(0, 3))}", draw(st.sampled_from(["e", "f"])), **fields)


def alert(subject: str, version: tuple[int, int], state: str = "raised", ends: str = "21:02", as_of: str = AS_OF, **more: Any) -> Message:
    fields = {"rule": "burst", "severity": "notice", "subject": subject, "place": subject, "candidate_id": "", "seen": 9.0, "expected": 3}
    times = {"from": "2026-05-04 21:00:00.000", "to": f"2026-05-04 {ends}:00.000", "state": state, "evidence": "9 votes"}
    return number(wire.ALERTS, version, as_of, **{**fields, **times, **more})


@st.composite
def any_alert(draw: st.DrawFn) -> Message:
    return alert(
        draw(st.sampled_from(["Kent", "Devon"])),
        (draw(st.integers(0, 1)), draw(st.integers(0, 2))),
        draw(st.sampled_from(["raised", "cleared"])),
        draw(st.sampled_from(["21:02", "21:03"])),
        f"2026-05-04 21:00:00.00{draw(st.integers(0, 1))}",
        seen=draw(st.integers(0, 3)),
    )


any_candidate = st.builds(listed, st.sampled_from("ab"), st.sampled_from(["Ada", "Bo"]), st.integers(0, 5), st.sampled_from("ef"))
any_rubbish = st.tuples(st.sampled_from([*TOPICS, "elsewhere"]), st.binary(max_size=8), st.tuples(st.just(0), st.integers(0, 9)))


def canonical(messages: list[Message]) -> list[Message]:
    """Kafka gives one message per topic and offset: two different ones in the same place are not a case that exists."""
    return list(
        {
            (topic, order) if topic == wire.CANDIDATES else (topic, value, order): (topic, value, order) for topic, value, order in messages
        }.values()
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(any_number(), any_alert(), any_candidate, any_rubbish), max_size=25).map(canonical), st.data())
def test_any_order_and_any_repetition_give_the_same_board(messages: list[Message], data: st.DataObject) -> None:
    again = data.draw(st.permutations(messages + data.draw(st.lists(st.sampled_from(messages), max_size=10) if messages else st.just([]))))
    one, other = folded(messages), folded(again)
    assert one.results() == other.results()
    assert one.alerts() == other.alerts()
    assert one.announced() == other.announced()
    assert one.newest == other.newest
    assert one.unreadable.count == other.unreadable.count


@settings(max_examples=100, deadline=None)
@given(st.lists(any_number(), min_size=1, max_size=25))
def test_what_is_shown_is_what_an_outsider_folds_key_by_key(messages: list[Message]) -> None:
    newest: dict[tuple[str, ...], tuple[tuple[int, int], str, int]] = {}
    for topic, value, _ in messages:
        fields = orjson.loads(value)
        view = next(view for view in VIEWS if view.topic == topic)
        key = (view.name, fields["election_id"], *(fields[name] for name in view.group))
        said = (tuple(fields["version"]), fields["as_of"], fields[view.total])
        newest[key] = max(newest.get(key, said), said)
    board = folded(messages)
    assert board.announced() == {(key[0], key[1], key[2:]): (*version, total) for key, (version, _, total) in newest.items()}
    for election_id, shown in board.results().items():
        counted = {key[2]: said[2] for key, said in newest.items() if key[:2] == ("candidate", election_id) and said[2]}
        assert {one.candidate_id: one.votes for one in shown.candidates} == counted


def test_the_highest_version_stays() -> None:
    assert result(votes("a", 9, (1, 3)), votes("a", 4, (1, 2))).total_votes == 9


def test_of_equal_versions_the_later_one_stays() -> None:
    early, late = ("2026-05-04 21:00:00.000", "2026-05-04 21:00:01.000")
    messages = [number(wire.BY_LOCATION, (1, 3), as_of, state="Kent", count=9, registered=r) for as_of, r in ((late, 20), (early, 10))]
    assert result(*messages).places == (Group("Kent", 9, 20),)


def test_what_a_recount_takes_back_is_shown_no_more() -> None:
    before = [votes("a", 9, (1, 7)), number(wire.BY_LOCATION, (1, 7), state="Kent", count=9), votes("b", 2, (2, 0))]
    assert [one.candidate_id for one in result(*before).candidates] == ["a", "b"]
    shown = result(*before, votes("a", 0, (2, 0)), number(wire.BY_LOCATION, (2, 0), state="Kent", count=0))
    assert ([one.candidate_id for one in shown.candidates], shown.total_votes, shown.places) == (["b"], 2, ())


def test_a_recount_that_had_nothing_to_count_takes_back_everything() -> None:
    board = folded([votes("a", 9, (1, 7)), votes("a", 0, (2, -1))])
    assert (board.results()["e"].total_votes, board.unreadable.count) == (0, 0)


def test_a_recount_of_one_election_leaves_the_others_alone() -> None:
    board = folded([votes("a", 9, (1, 7)), number(wire.PER_CANDIDATE, (2, 0), election_id="f", candidate_id="x", total_votes=1)])
    assert [board.results()[one].total_votes for one in "ef"] == [9, 1]


def test_a_candidate_without_votes_is_there_with_none() -> None:
    shown = result(listed("a", "Ada"), listed("b", "Bo"), votes("b", 3, (1, 1)))
    assert [(one.name, one.votes) for one in shown.candidates] == [("Bo", 3), ("Ada", 0)]


def test_a_candidate_whose_announcement_is_not_here_yet_is_shown_by_its_votes() -> None:
    shown = result(votes("c", 3, (1, 1), "Cy", party_affiliation="Tea Party"))
    assert [(one.name, one.party) for one in shown.candidates] == [("Cy", "Tea Party")]


def test_votes_for_nobody_who_stands_are_counted_over_all_elections() -> None:
    board = folded([listed("a", "Ada"), votes("a", 5, (1, 1)), votes("unknown", 2, (1, 1))])
    assert board.unreadable_votes == 2
    for message in (number(wire.PER_CANDIDATE, (1, 1), election_id="unknown", candidate_id="a", total_votes=3), listed("unknown", "Known")):
        board.fold(*message)
    assert board.unreadable_votes == 3


def test_most_votes_first_and_ties_by_name() -> None:
    shown = result(votes("1", 2, (1, 1), "Zoe"), votes("2", 2, (1, 1), "Ann"), votes("3", 5, (1, 1), "Max"))
    assert [one.name for one in shown.candidates] == ["Max", "Ann", "Zoe"]


def test_who_leads() -> None:
    assert result(listed("a", "Ada")).lead == Nobody()
    ahead = result(votes("a", 5, (1, 1)), votes("b", 3, (1, 1))).lead
    assert isinstance(ahead, Leads)
    assert (ahead.first.candidate_id, ahead.margin) == ("a", 2)
    alone = result(votes("a", 5, (1, 1))).lead
    assert isinstance(alone, Leads)
    assert alone.margin == 5
    level = result(votes("a", 5, (1, 1)), votes("b", 5, (1, 1)), votes("c", 4, (1, 1))).lead
    assert isinstance(level, Tie)
    assert [one.candidate_id for one in level.first] == ["a", "b"]


def test_every_view_finds_its_place() -> None:
    shown = result(
        number(wire.BY_LOCATION, (1, 1), state="Kent", count=3, registered=10),
        number(wire.BY_REGION, (1, 1), city="Dover", state="Kent", total_votes=2, registered=4),
        number(wire.BY_GENDER, (1, 1), gender="unknown", total_votes=1),
        number(wire.BY_GENDER, (1, 1), gender="female", total_votes=2),
        number(wire.BY_AGE, (1, 1), age_group="65+", total_votes=2),
        number(wire.BY_AGE, (1, 1), age_group="under 18", total_votes=1),
        number(wire.BY_PARTY, (1, 1), "2026-05-04 21:00:01.250", party_affiliation="P", total_votes=3),
    )
    assert shown.places == (Group("Kent", 3, 10),)
    assert shown.cities == (Group("Dover", 2, 4, within="Kent"),)
    assert shown.places[0].turnout == pytest.approx(0.3)
    assert [one.name for one in shown.genders] == ["female", "unknown"]
    assert [one.name for one in shown.ages] == ["under 18", "65+"]
    assert shown.parties == (Group("P", 3),)
    assert shown.as_of == datetime(2026, 5, 4, 21, 0, 1, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        ("no_topic_of_ours", b"{}"),
        (wire.PER_CANDIDATE, None),
        (wire.PER_CANDIDATE, b"\xff"),
        (wire.PER_CANDIDATE, b"[" * 5000),
        (wire.PER_CANDIDATE, b"3"),
        (wire.CANDIDATES, b'{"candidate_id": 3, "election_id": "e"}'),
        votes("a", -1, (1, 1))[:2],
        (
            wire.PER_CANDIDATE,
            b'{"election_id":"e","candidate_id":"a","total_votes":true,"version":[1,1],"as_of":"2026-05-04 21:00:00.000"}',
        ),
        (wire.PER_CANDIDATE, b'{"election_id":"e","candidate_id":"a","total_votes":1,"version":[1],"as_of":"2026-05-04 21:00:00.000"}'),
        (wire.PER_CANDIDATE, b'{"election_id":"e","candidate_id":"a","total_votes":1,"version":[1,1],"as_of":"yesterday"}'),
        (wire.BY_REGION, b'{"election_id":"e","city":"Dover","total_votes":1,"version":[1,1],"as_of":"2026-05-04 21:00:00.000"}'),
    ],
)
def test_what_cannot_be_read_changes_nothing_and_is_counted(topic: str, value: bytes | None) -> None:
    board = folded([votes("a", 9, (1, 1))])
    before = board.results()
    board.fold(topic, value, (0, 42))
    board.fold(topic, value, (0, 42))
    assert board.results() == before
    assert board.unreadable.count == 1
    assert board.unreadable.example.startswith(f"{topic}, offset 42: ")


def test_a_board_that_was_handed_out_does_not_change() -> None:
    board = folded([votes("a", 9, (1, 1))])
    before = board.results()
    board.fold(*votes("a", 10, (1, 2)))
    assert (before["e"].total_votes, board.results()["e"].total_votes) == (9, 10)


def test_an_alert_is_raised_goes_on_and_is_over() -> None:
    board = folded([alert("Kent", (1, 1)), alert("Kent", (1, 3), "cleared", "21:04", seen=12), alert("Kent", (1, 2), ends="21:03")])
    (kent,) = board.alerts()["e"]
    assert (kent.state, kent.seen, kent.expected, kent.begins.minute, kent.ends.minute) == ("cleared", 12, 3, 0, 4)


def test_alerts_that_are_raised_come_first_then_the_newest() -> None:
    board = folded([alert("Kent", (1, 1), "cleared"), alert("Devon", (1, 1), ends="21:01"), alert("Surrey", (1, 1), "cleared", "21:09")])
    assert [one.subject for one in board.alerts()["e"]] == ["Devon", "Surrey", "Kent"]


def test_a_recount_leaves_alerts_as_they_are() -> None:
    board = folded([alert("Kent", (1, 9)), votes("a", 1, (2, 0))])
    assert [one.subject for one in board.alerts()["e"]] == ["Kent"]
    assert board.results()["e"].generation == 2


@pytest.mark.parametrize(
    "wrong", [{"seen": "many"}, {"seen": True}, {"from": "yesterday"}, {"evidence": None}, {"to": "2026-05-04T21:00Z"}]
)
def test_an_alert_that_cannot_be_read_changes_nothing_and_is_counted(wrong: dict[str, Any]) -> None:
    board = folded([alert("Kent", (1, 1)), alert("Kent", (1, 2), **wrong)])
    assert [one.seen for one in board.alerts()["e"]] == [9]
    assert board.unreadable.count == 1


def test_what_was_announced_is_told_with_its_version() -> None:
    board = folded([votes("a", 9, (1, 7)), number(wire.BY_REGION, (1, 6), city="Dover", state="Kent", total_votes=2)])
    assert board.announced() == {("candidate", "e", ("a",)): (1, 7, 9), ("region", "e", ("Dover", "Kent")): (1, 6, 2)}
    assert board.newest == ((1, 7), datetime(2026, 5, 4, 21, tzinfo=UTC))
