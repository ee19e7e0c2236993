"""The decision itself: whatever the order of unrelated ballots and however they are cut, each gets the verdict that the rules say."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from electorate import casting
from ledger_rows import Place
from livetally.core.ballots import Ballot, Reason, Rejected
from livetally.core.verdicts import MAY_BECOME_KNOWN, Cast, Counted, Hours, Known, Lists, Verdict, decide, screen
from rules import (
    DRAFT,
    FOREVER_MS,
    HOURS_MS,
    LISTED_MS,
    START,
    CastAt,
    Content,
    at,
    ballots_anywhere,
    ballots_cast,
    batches_of,
    casts,
    contents,
    deliveries,
    first_come,
    on_roll_since_ms,
    outcomes_of,
)


def us(moment: datetime) -> int:
    return round(moment.timestamp() * 1000) * 1000


LISTS = Lists(
    {election: Hours(us(at(opens)), us(at(closes)) if closes < FOREVER_MS else None) for election, (opens, closes) in HOURS_MS.items()}
    | {DRAFT: Hours(None, None)},
    {one: us(START) + ms * 1000 for one, ms in LISTED_MS.items()},
)


class InMemory:
    """A ledger without a database: asks and stores as the real one does, and leaves the decision to `verdicts`."""

    def __init__(self) -> None:
        self.verdicts: dict[Place, Verdict] = {}
        self.votes: dict[tuple[str, str], str] = {}

    def decide(self, batch: Sequence[Cast]) -> list[Verdict]:
        fresh = [cast for cast in batch if cast[:2] not in self.verdicts]
        screened = [screen(cast, LISTS) for cast in fresh]
        for cast, verdict in zip(fresh, decide(screened, self.known(fresh, screened)), strict=True):
            self.verdicts[cast[:2]] = verdict
            if isinstance(verdict, Counted):
                self.votes[verdict.ballot.election_id, verdict.ballot.voter_id] = verdict.ballot.candidate_id
        return [self.verdicts[cast[:2]] for cast in batch]

    def known(self, fresh: Sequence[Cast], screened: Sequence[Ballot | Rejected]) -> dict[int, Known]:
        return {
            number: (ballot.voter_id.encode(), self.votes.get((ballot.election_id, ballot.voter_id)))
            for number, ballot in enumerate(screened)
            if isinstance(ballot, Ballot)
            and us(START) + on_roll_since_ms(ballot.election_id, ballot.voter_id) * 1000 <= fresh[number].appended_ms * 1000
        }


def decided(batches: Iterable[Sequence[Cast]]) -> InMemory:
    ledger = InMemory()
    for batch in batches:
        ledger.decide(batch)
    return ledger


@given(ballots_anywhere())
def test_the_verdicts_are_those_of_the_rules(ballots: list[CastAt]) -> None:
    batch = list(casts(ballots).values())
    assert outcomes_of(batch, InMemory().decide(batch)) == first_come(ballots)


@given(ballots_anywhere())
def test_every_ballot_has_one_verdict_and_every_voter_at_most_one_vote_in_an_election(ballots: list[CastAt]) -> None:
    batch = list(casts(ballots).values())
    verdicts = InMemory().decide(batch)
    assert len(verdicts) == len(batch)
    votes = Counter(verdict.ballot[:2] for verdict in verdicts if isinstance(verdict, Counted))
    assert set(votes.values()) <= {1}
    for cast, verdict in zip(batch, verdicts, strict=True):
        if isinstance(verdict, Counted):
            assert (verdict.ballot, verdict.announcement) == (cast.content, verdict.ballot.voter_id.encode()), "it counts as it was cast"
        elif isinstance(cast.content, Rejected):
            assert verdict == cast.content
        else:
            assert verdict.detail == ""


@given(ballots_anywhere(), st.data())
def test_however_the_ballots_are_cut_the_verdicts_are_the_same(ballots: list[CastAt], data: st.DataObject) -> None:
    by_place = casts(ballots)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(ballots)), max_size=5)))
    in_order = list(by_place.values())
    batches = [in_order[first:end] for first, end in zip([0, *cuts], [*cuts, len(ballots)], strict=True)]
    at_once, one_by_one = decided([in_order]), decided([cast] for cast in in_order)
    assert decided(batches).verdicts == at_once.verdicts == one_by_one.verdicts


@given(ballots_cast(), st.data())
def test_a_replay_of_any_prefix_in_any_batches_changes_nothing(ballots: list[CastAt], data: st.DataObject) -> None:
    by_place = casts(ballots)
    arrival = list(by_place)
    ledger = decided([[by_place[place] for place in batch] for batch in data.draw(batches_of(arrival))])
    verdicts, votes = dict(ledger.verdicts), dict(ledger.votes)
    prefix = arrival[: data.draw(st.integers(0, len(arrival)))]
    anew = InMemory()
    for batch in data.draw(batches_of(prefix)):
        again = [by_place[place] for place in batch]
        expected = [verdicts[place] for place in batch]
        assert ledger.decide(again) == expected, "it answers as it did"
        assert anew.decide(again) == expected, "and so does another that begins from nothing"
    assert (ledger.verdicts, ledger.votes) == (verdicts, votes)


@given(deliveries())
def test_what_is_delivered_again_and_cut_otherwise_is_decided_once(delivered: tuple[list[CastAt], list[list[Place]]]) -> None:
    ballots, batches = delivered
    by_place = casts(ballots)
    ledger = decided([by_place[place] for place in batch] for batch in batches)
    assert outcomes_of(list(by_place.values()), [ledger.verdicts[place] for place in by_place]) == first_come(ballots)


@given(ballots_anywhere(), st.randoms(use_true_random=False))
def test_the_order_of_unrelated_ballots_does_not_matter(ballots: list[CastAt], random: Random) -> None:
    """Related are two ballots of one voter in one election; all others may change places."""
    by_place = casts(ballots)
    waiting: dict[object, list[Cast]] = defaultdict(list)
    for cast in by_place.values():
        content = cast.content
        waiting[content[:2] if isinstance(content, Ballot) else cast].append(cast)
    turns = [who for who, own in waiting.items() for _ in own]
    random.shuffle(turns)
    shuffled = [waiting[who].pop(0) for who in turns]
    assert decided([shuffled]).verdicts == decided([list(by_place.values())]).verdicts


@given(st.builds(Ballot, *(st.text(min_size=1),) * 3), st.integers())
def test_no_text_and_no_time_is_too_strange(ballot: Ballot, appended_ms: int) -> None:
    cast = Cast(0, 0, appended_ms, ballot)
    nowhere = screen(cast, LISTS)
    assert nowhere == Rejected(Reason.UNKNOWN_ELECTION) or ballot.election_id in LISTS.hours
    always = Lists({ballot.election_id: Hours(appended_ms * 1000, None)}, {ballot[::2]: appended_ms * 1000})
    assert screen(cast, always) == ballot
    assert decide([ballot], {}) == [Rejected(Reason.UNKNOWN_VOTER)]
    assert decide([ballot], {0: (b"{}", None)}) == [Counted(ballot, b"{}")]


@given(contents, st.sampled_from(["c0", "c1", "nobody"]))
def test_who_has_voted_before_the_batch_has_voted(content: Content, voted_for: str) -> None:
    screened = screen(casting(0, 0, content, at(600)), LISTS)
    (verdict,) = decide([screened], {0: (b"", voted_for)})
    if isinstance(screened, Rejected):
        assert verdict == screened
    else:
        is_same = screened.candidate_id == voted_for
        assert verdict == Rejected(Reason.ALREADY_VOTED_SAME if is_same else Reason.ALREADY_VOTED_OTHER)


def test_what_may_become_known_is_what_registrations_and_lists_decide() -> None:
    assert {*MAY_BECOME_KNOWN, Reason.MALFORMED, Reason.ALREADY_VOTED_SAME, Reason.ALREADY_VOTED_OTHER} == set(Reason)
    assert len(MAY_BECOME_KNOWN) == 4
