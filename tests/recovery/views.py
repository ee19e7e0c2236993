"""What the numbers on the topics mean, said once more and from outside: the names in the messages, and the same in SQL over the ledger."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

Group = tuple[str, ...]  # election_id and what names the group

AGES = ((65, "65+"), (55, "55-64"), (45, "45-54"), (35, "35-44"), (25, "25-34"), (18, "18-24"), (0, "under 18"))


class Votes(NamedTuple):
    """So many votes of people and candidates that are the same in everything that is counted by."""

    election_id: str
    candidate_id: str
    party: str
    state: str
    city: str
    gender: str
    age_years: int
    minute: str  # of voting
    votes: int

    @property
    def age_group(self) -> str:
        return next(name for lowest, name in AGES if self.age_years >= lowest)


# Of every ballot partition from an offset on; the last columns say how far that goes.
VOTES_FROM = """
    SELECT x.election_id, x.candidate_id, c.party_affiliation, v.address_state, v.address_city, v.gender,
           extract(year FROM age(x.voting_time::date, v.date_of_birth::date))::int,
           to_char(date_trunc('minute', x.voting_time), 'YYYY-MM-DD HH24:MI:SS.MS'), count(*)::int, x.ballot_partition, max(x.ballot_offset)
    FROM unnest(%s::int[], %s::bigint[]) AS start(part, first)
    JOIN votes x ON x.ballot_partition = part AND x.ballot_offset >= first
    JOIN voters v ON v.voter_id = x.voter_id
    JOIN candidates c ON c.candidate_id = x.candidate_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 10
"""


@dataclass(frozen=True)
class Looks:
    """How a topic's messages name a group and its number, and which group a vote falls into."""

    names: tuple[str, ...]
    total: str
    group: Callable[[Votes], Group]

    def group_in(self, fields: dict[str, Any]) -> Group:
        return (fields["election_id"], *(fields[name] for name in self.names))

    def total_in(self, fields: dict[str, Any]) -> int:
        return int(fields[self.total])

    def counted(self, rows: Iterable[Votes]) -> Counter[Group]:
        found: Counter[Group] = Counter()
        for row in rows:
            found[row.election_id, *self.group(row)] += row.votes
        return found


CANDIDATES = "aggregated_votes_per_candidate"
MINUTES = "aggregated_votes_per_minute"  # knows only what came while its minute was open; the rest is in the history as late
TOPICS = {
    CANDIDATES: Looks(("candidate_id",), "total_votes", lambda votes: (votes.candidate_id,)),
    "aggregated_turnout_by_location": Looks(("state",), "count", lambda votes: (votes.state,)),
    "aggregated_turnout_by_age": Looks(("age_group",), "total_votes", lambda votes: (votes.age_group,)),
    "aggregated_turnout_by_gender": Looks(("gender",), "total_votes", lambda votes: (votes.gender,)),
    "aggregated_party_wise_votes": Looks(("party_affiliation",), "total_votes", lambda votes: (votes.party,)),
    "aggregated_votes_by_region": Looks(("city", "state"), "total_votes", lambda votes: (votes.city, votes.state)),
    MINUTES: Looks(("candidate_id", "window_start"), "total_votes", lambda votes: (votes.candidate_id, votes.minute)),
}
