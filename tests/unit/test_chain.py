"""A head stands for every verdict before it, whatever was in their fields and however they were cut."""

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import assume, example, given
from hypothesis import strategies as st

from ledger_rows import head_after
from livetally.core.ballots import Reason
from livetally.core.chain import beginning, rejection_entry, vote_entry


class Vote(NamedTuple):
    offset: int
    appended_ms: int
    election_id: str
    voter_id: str
    candidate_id: str


class Refusal(NamedTuple):
    offset: int
    appended_ms: int
    reason: str
    detail: str
    election_id: str | None
    voter_id: str | None


Stored = Vote | Refusal


def entry_of(verdict: Stored) -> bytes:
    return vote_entry(*verdict) if isinstance(verdict, Vote) else rejection_entry(*verdict)


def head_of(verdicts: Sequence[Stored], partition: int = 0) -> bytes:
    return head_after(beginning(partition), [entry_of(verdict) for verdict in verdicts])


# What might be taken for the border of a field: its separator in other clothes, digits, the words of the format.
tricky = st.sampled_from(
    ["0", "1", "00", "vote", "rejected", "\\0", "\\x00", "\x01", " ", "|", ",", "\u00e9", "e\u0301", "\U0010ffff", *Reason]
)
texts = st.lists(tricky | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=3), max_size=3).map("".join)
ids = texts.filter(bool)
numbers = st.integers(0, 20) | st.integers(0, 2**63 - 1)
votes = st.builds(Vote, numbers, numbers, ids, ids, ids)
refusals = st.builds(
    Refusal, numbers, numbers, st.sampled_from([reason.value for reason in Reason]), texts, st.none() | ids, st.none() | ids
)
verdicts = votes | refusals
ledgers = st.lists(verdicts, max_size=8)


@st.composite
def read_alike(draw: st.DrawFn) -> tuple[Stored, Stored]:
    """Two verdicts whose fields, run together, are the same text: only where one field ends and the next begins tells them apart."""
    digits, text = "1" * draw(st.integers(2, 6)), draw(st.text(st.sampled_from("ab0é"), min_size=3, max_size=8))

    def one() -> Stored:
        middle = draw(st.integers(1, len(digits) - 1))
        offset, appended_ms = int(digits[:middle]), int(digits[middle:])
        first, second = sorted(draw(st.tuples(*[st.integers(1, len(text) - 1)] * 2).filter(lambda pair: pair[0] != pair[1])))
        pieces = (text[:first], text[first:second], text[second:])
        if draw(st.booleans()):
            return Vote(offset, appended_ms, *pieces)
        detail, election_id, voter_id = draw(st.sampled_from([pieces, (text, None, None), ("", text, None), ("", None, text)]))
        return Refusal(offset, appended_ms, "malformed", detail or "", election_id, voter_id)

    return one(), one()


@given(read_alike() | st.tuples(verdicts, verdicts))
@example((Vote(1, 11, "e", "v", "c"), Vote(11, 1, "e", "v", "c")))
@example((Vote(0, 0, "ab", "c", "d"), Vote(0, 0, "a", "bc", "d")))
@example((Refusal(0, 0, "malformed", "", None, "x"), Refusal(0, 0, "malformed", "", "x", None)))
@example((Refusal(0, 0, "malformed", "x", None, None), Refusal(0, 0, "malformed", "", "x", None)))
@example((Vote(0, 0, "malformed", "x", "y"), Refusal(0, 0, "malformed", "x", "y", None)))
def test_no_two_different_verdicts_look_alike(both: tuple[Stored, Stored]) -> None:
    one, other = both
    assert (entry_of(one) == entry_of(other)) == (one == other)


@given(ledgers, ledgers)
def test_a_head_does_not_depend_on_the_cut(first: list[Stored], second: list[Stored]) -> None:
    assert head_after(head_of(first), [entry_of(verdict) for verdict in second]) == head_of(first + second)


@given(ledgers, verdicts, st.data())
def test_what_is_changed_added_removed_or_exchanged_changes_the_head(ledger: list[Stored], other: Stored, data: st.DataObject) -> None:
    head, place = head_of(ledger), data.draw(st.integers(0, len(ledger)))
    assert head_of([*ledger[:place], other, *ledger[place:]]) != head
    if place < len(ledger):
        assert head_of(ledger[:place] + ledger[place + 1 :]) != head
        if entry_of(ledger[place]) != entry_of(other):
            assert head_of([*ledger[:place], other, *ledger[place + 1 :]]) != head
        for second in range(place):
            swapped = list(ledger)
            swapped[place], swapped[second] = swapped[second], swapped[place]
            assert (head_of(swapped) == head) == (entry_of(ledger[place]) == entry_of(ledger[second]))


@given(ledgers, ledgers)
def test_two_histories_have_two_heads(one: list[Stored], other: list[Stored]) -> None:
    assume(one != other)
    assert head_of(one) != head_of(other)


@given(ledgers, st.integers(0, 500), st.integers(0, 500))
def test_the_same_verdicts_in_another_partition_have_another_head(ledger: list[Stored], one: int, other: int) -> None:
    assert (head_of(ledger, one) == head_of(ledger, other)) == (one == other)


def test_a_change_far_back_changes_every_head_behind_it() -> None:
    ledger: list[Stored] = [Vote(offset, offset, "e", f"v{offset}", "c0") for offset in range(50)]
    changed = [ledger[0]._replace(offset=99), *ledger[1:]]
    heads = {head_of(ledger[:end]) for end in range(51)}
    assert len(heads) == 51
    assert not heads & {head_of(changed[:end]) for end in range(1, 51)}


def test_the_heads_that_lie_in_databases_and_in_peoples_files_stay_valid() -> None:
    """Written down once, with another program (`printf … | sha256sum`). They may never change: rows are held against them for ever."""
    assert beginning(7).hex() == "e6596ef572ee7e50f7a88543693ff094d17bc131a2d7115f74a756d0b08a0126"
    vote = vote_entry(3, 1778140800123, "élection", "v'1", 'c"2\n')
    refusal = rejection_entry(4, 1778140800124, "malformed", "not JSON in UTF-8", None, None)
    assert head_after(beginning(7), [vote]).hex() == "2251c1f019c54d1bdff5bb374209b09fcc80719e6f8110d590bd48569ad5a65e"
    assert head_after(beginning(7), [vote, refusal]).hex() == "4a01d1e7a5a113bef4b3d301b4676e4bb04992910856cb3a1f662fa0f1fae0cc"
