"""The rules by which ballots count, a second time: a few lines of plain Python over a small world, with which everything has to agree.

The world has elections that open, close or never do either, a candidate who is listed late and somebody who registers late; elections for
everybody, for one state and for a list; and people who are registered for a list alone.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import strategies as st

from electorate import casting
from ledger_rows import Outcomes, Place
from livetally.core.ballots import Ballot, Reason, Rejected
from livetally.core.verdicts import Cast, Counted, Verdict

START = datetime(2026, 5, 7, 8, 0, 0, tzinfo=UTC)
FOREVER_MS = 10**12

# All times in ms after START.
HOURS_MS = {"hour": (0, 1000), "endless": (0, FOREVER_MS), "second": (250, 750), "region": (0, 1000), "club": (0, 1000)}
DRAFT = "draft"  # an election without hours
LISTED_MS = {
    ("hour", "c0"): -FOREVER_MS,
    ("hour", "c1"): -FOREVER_MS,
    ("hour", "late"): 500,
    ("endless", "d0"): -FOREVER_MS,
    ("second", "s0"): -FOREVER_MS,
    ("region", "r0"): -FOREVER_MS,
    ("club", "k0"): -FOREVER_MS,
}
REGISTERED_MS = {"v0": -FOREVER_MS, "v1": -FOREVER_MS, "v2": -FOREVER_MS, "v3": 300}  # on the general register
MEMBERS_MS = {"v6": -FOREVER_MS, "v7": -FOREVER_MS}  # registered for a list alone
STATE = {"v0": "State 0", "v1": "State 1", "v2": "State 2", "v3": "State 0", "v6": "State 0", "v7": "State 1"}
REGION_STATES = ["State 0", "State 7"]  # who may vote in "region"
CLUB_MS = {"v1": 500, "v3": 250, "v6": -FOREVER_MS}  # on the list of "club" since; v7 is on another list
EDGES_MS = sorted({edge + step for edge in (0, 250, 300, 500, 750, 1000) for step in (-1, 0, 1)})

Content = Ballot | Rejected
CastAt = tuple[int, int, int, Content]  # partition, offset, ms after START, content


def at(after_start_ms: int) -> datetime:
    return START + timedelta(milliseconds=after_start_ms)


def first_come(ballots: Sequence[CastAt]) -> Outcomes:
    """Every outcome, if the ballots come in this order."""
    votes: dict[tuple[str, str], str] = {}
    outcomes: Outcomes = {}
    for partition, offset, ms, content in ballots:
        outcome = outcomes[partition, offset] = may_count(ms, content) or has_voted(votes, content) or "accepted"
        if outcome == "accepted" and isinstance(content, Ballot):
            votes[content.election_id, content.voter_id] = content.candidate_id
    return outcomes


def may_count(ms: int, content: Content) -> str:
    if isinstance(content, Rejected):
        return "malformed"
    if content.election_id == DRAFT:
        return "not_open"
    if content.election_id not in HOURS_MS:
        return "unknown_election"
    opens_ms, closes_ms = HOURS_MS[content.election_id]
    if not opens_ms <= ms < closes_ms:
        return "not_open"
    if LISTED_MS.get((content.election_id, content.candidate_id), FOREVER_MS) > ms:
        return "unknown_candidate"
    if on_roll_since_ms(content.election_id, content.voter_id) > ms:
        return "unknown_voter"
    return ""


def on_roll_since_ms(election_id: str, voter_id: str) -> int:
    if election_id == "club":
        registered_ms = (REGISTERED_MS | MEMBERS_MS).get(voter_id, FOREVER_MS)
        return max(registered_ms, CLUB_MS.get(voter_id, FOREVER_MS))
    if election_id == "region" and STATE.get(voter_id) not in REGION_STATES:
        return FOREVER_MS
    return REGISTERED_MS.get(voter_id, FOREVER_MS)


def has_voted(votes: dict[tuple[str, str], str], content: Content) -> str:
    if not isinstance(content, Ballot) or (content.election_id, content.voter_id) not in votes:
        return ""
    is_same = votes[content.election_id, content.voter_id] == content.candidate_id
    return "already_voted_same" if is_same else "already_voted_other"


def outcome_of(verdict: Verdict) -> str:
    return "accepted" if isinstance(verdict, Counted) else verdict.reason.value


def outcomes_of(batch: Sequence[Cast], verdicts: Sequence[Verdict]) -> Outcomes:
    return {(cast.partition, cast.offset): outcome_of(one) for cast, one in zip(batch, verdicts, strict=True)}


def casts(ballots: Sequence[CastAt]) -> dict[Place, Cast]:
    return {(partition, offset): casting(partition, offset, content, at(ms)) for partition, offset, ms, content in ballots}


contents: st.SearchStrategy[Content] = st.one_of(
    st.builds(
        Ballot,
        st.sampled_from([*HOURS_MS, "hour", "hour", DRAFT, "nowhere"]),
        st.sampled_from([*REGISTERED_MS, *MEMBERS_MS, "nobody"]),
        st.sampled_from(["c0", "c1", "late", "d0", "s0", "r0", "k0", "nobody"]),
    ),
    st.builds(Ballot, st.just("region"), st.sampled_from([*REGISTERED_MS, *MEMBERS_MS]), st.just("r0")),
    st.builds(Ballot, st.just("club"), st.sampled_from([*REGISTERED_MS, *MEMBERS_MS]), st.just("k0")),
    st.builds(Rejected, st.just(Reason.MALFORMED), st.sampled_from(["not JSON in UTF-8", "the key is not the voter_id"])),
)

rivals = st.builds(Ballot, st.just("hour"), st.sampled_from(["v0", "v1"]), st.sampled_from(["c0", "c1"]))  # few people, many ballots


@st.composite
def ballots_cast(draw: st.DrawFn) -> list[CastAt]:
    """Ballots in two partitions, each voter's in one, as they arrive: in any interleaving of the partitions."""
    ends = [0, 0]
    ballots = []
    for content in draw(st.lists(contents, min_size=1, max_size=25)):
        partition = ord(content.voter_id[-1]) % 2 if isinstance(content, Ballot) else draw(st.integers(0, 1))
        ballots.append((partition, ends[partition], draw(st.sampled_from(EDGES_MS)), content))
        ends[partition] += 1
    return ballots


@st.composite
def ballots_anywhere(draw: st.DrawFn) -> list[CastAt]:
    """Ballots of voters who do not keep to one partition, as they arrive."""
    cast = draw(st.lists(st.tuples(st.integers(0, 1), st.integers(-10, 1010), contents | rivals), max_size=25))
    return [(partition, number, ms, content) for number, (partition, ms, content) in enumerate(cast)]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[CastAt], list[list[Place]]]:
    """Ballots, and the batches in which they come, some of them again and cut otherwise."""
    ballots = draw(ballots_cast())
    arrival = [one[:2] for one in ballots]
    back_at = draw(st.integers(0, len(arrival)))
    back_to = draw(st.integers(0, back_at))
    return ballots, [*draw(batches_of(arrival[:back_at])), *draw(batches_of(arrival[back_to:]))]


@st.composite
def batches_of(draw: st.DrawFn, places: Sequence[Place]) -> list[list[Place]]:
    """Cut anywhere; within a batch by partition and offset, as *record* hands it on."""
    cuts = sorted({0, len(places), *draw(st.lists(st.integers(0, len(places)), max_size=4))})
    return [sorted(places[first:end]) for first, end in pairwise(cuts)]
