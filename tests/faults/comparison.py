"""Ballots that should count = ledger = votes topic; ballots that should not = rejections = rejected ballots. Each exactly once."""

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from electorate import ELECTION, voter
from faults.ground import looking
from faults.oracle import Oracle, Place, Verdict
from faults.voting import Voting
from faults.witness import Since
from livetally.core.tally import Cell, cell_of
from livetally.core.wire import decode, ms_text, voter_message
from outsider import Seen
from pipeline import PARTITIONS

Row = tuple[Any, ...]
VOTES_FROM = """
    SELECT election_id, voter_id, candidate_id, to_char(voting_time, 'YYYY-MM-DD HH24:MI:SS.MS'), ballot_partition, ballot_offset
    FROM votes JOIN unnest(%s::int[], %s::bigint[]) AS start(part, first) ON ballot_partition = part AND ballot_offset >= first
"""
REJECTIONS_FROM = """
    SELECT reason, ballot_partition, ballot_offset
    FROM rejections JOIN unnest(%s::int[], %s::bigint[]) AS start(part, first) ON ballot_partition = part AND ballot_offset >= first
"""
COUNTS = (
    "SELECT coalesce(sum(next_offset), 0)::bigint, coalesce(sum(accepted), 0)::bigint, coalesce(sum(rejected), 0)::bigint FROM recorded"
)


class Books:
    """What was cast and what should have come of it, from the first ballot on."""

    def __init__(self, database_url: str, voting: Voting) -> None:
        self._database_url = database_url
        self._voting = voting
        self._oracle = Oracle()
        self._compared = 0  # ballots cast until the last comparison
        self._starts = dict.fromkeys(range(PARTITIONS), 0)  # where each partition's next comparison begins
        self._last: dict[tuple[str, int], int] = {}  # the last outcome of each topic and partition: its ballot's offset
        self.votes: Counter[Row] = Counter()
        self.rejections: Counter[Row] = Counter()
        self.cells: Counter[Cell] = Counter()

    @property
    def cast_since(self) -> int:
        """Ballots cast since the last comparison."""
        return len(self._voting.cast) - self._compared

    def compare(self, since: Since) -> list[str]:
        """Every difference in what has come since the last comparison, in words."""
        stored_votes, stored_rejections = self._stored(self._starts)
        taken = {voter_id: Place(*place) for _, voter_id, _, _, *place in stored_votes}
        verdicts = self._oracle.judge([since.ballots[place] for place in sorted(since.ballots)], taken)
        votes = Counter(_vote(verdict) for verdict in verdicts if verdict.reason is None)
        refused = [verdict for verdict in verdicts if verdict.reason is not None]
        rejections = Counter((verdict.reason, *verdict.ballot.place) for verdict in refused)
        untouched = Counter(
            (verdict.reason, *verdict.ballot.place, verdict.ballot.cast.key, verdict.ballot.cast.value) for verdict in refused
        )
        cast, self._compared = range(self._compared, len(self._voting.cast)), len(self._voting.cast)
        self._starts |= {place.partition: place.offset + 1 for place in sorted(since.ballots)}
        self.votes += votes
        self.rejections += rejections
        self.cells += Counter(_cell(verdict) for verdict in verdicts if verdict.reason is None)
        return [
            *_differences("ballots_topic", Counter(cast), Counter(since.numbers)),
            *since.garbled,
            *_differences("ledger", votes, stored_votes),
            *_differences("votes_topic", votes, Counter(map(_published, since.votes))),
            *_differences("rejections", rejections, stored_rejections),
            *_differences("rejected_ballots", untouched, Counter(map(_refused, since.rejected))),
            *self._disorder("votes_topic", since.votes),
            *self._disorder("rejected_ballots", since.rejected),
            *self._miscounted(),
        ]

    def compare_ledger(self) -> list[str]:
        """The whole ledger once more: nothing old has changed."""
        votes, rejections = self._stored(dict.fromkeys(range(PARTITIONS), 0))
        return [*_differences("ledger", self.votes, votes), *_differences("rejections", self.rejections, rejections)]

    def _stored(self, starts: dict[int, int]) -> tuple[Counter[Row], Counter[Row]]:
        parameters = (list(starts.keys()), list(starts.values()))
        with closing(looking(self._database_url)) as connection:
            votes, rejections = (Counter(connection.execute(query, parameters).fetchall()) for query in (VOTES_FROM, REJECTIONS_FROM))
        return votes, rejections

    def _miscounted(self) -> list[str]:
        expected = (sum(self._starts.values()), self.votes.total(), self.rejections.total())
        with closing(looking(self._database_url)) as connection:
            found = connection.execute(COUNTS).fetchone()
        return [] if found == expected else [f"recorder's own counts: {found} instead of {expected} ballots, accepted, rejected"]

    def _disorder(self, topic: str, messages: Iterable[Seen]) -> list[str]:
        """Outcomes that lie in another partition than their ballot, or not behind that of an earlier one."""
        faults = []
        for message in messages:
            partition, offset = message.ballot
            if partition != message.partition or offset <= self._last.get((topic, partition), -1):
                faults.append(f"{topic}: the outcome of {message.ballot} is out of place at {message.partition}, {message.offset}")
            self._last[topic, partition] = offset
        return faults


def _vote(verdict: Verdict) -> Row:
    ballot = verdict.ballot
    return (ELECTION, ballot.cast.voter_id, ballot.cast.candidate_id, ms_text(ballot.appended_at_ms), *ballot.place)


def _published(message: Seen) -> Row:
    fields = message.fields
    voter_id = fields["voter_id"] if fields["voter_id"].encode() == message.key else f"{fields['voter_id']} under the key {message.key!r}"
    return (fields["election_id"], voter_id, fields["candidate_id"], fields["voting_time"], *message.ballot)


def _refused(message: Seen) -> Row:
    return (message.headers["reason"].decode(), *message.ballot, message.key, message.value)


def _cell(verdict: Verdict) -> Cell:
    ballot = verdict.ballot
    person = decode(voter_message(voter(int(ballot.cast.voter_id.removeprefix("v")))))
    return cell_of(
        person | {"election_id": ELECTION, "candidate_id": ballot.cast.candidate_id, "voting_time": ms_text(ballot.appended_at_ms)}
    )


def _differences(where: str, expected: Counter[Any], found: Counter[Any]) -> list[str]:
    missing, extra = expected - found, found - expected
    return [
        *(f"{where}: missing {_short(one)}" for one in missing.elements()),
        *(f"{where}: too many {_short(one)}" for one in extra.elements()),
    ]


def _short(one: object) -> str:
    text = repr(one)
    return text if len(text) <= 200 else text[:200] + "…"
