"""Who casts what: an endless, seeded mixture of ballots, most of them good.

A ballot's number travels in a header that the pipeline does not know, so that whoever reads the topic can say which one it is.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from zlib import crc32

from electorate import CANDIDATES, ELECTION, ballot
from pipeline import PARTITIONS

CLOSED, CLOSED_CANDIDATE = "closed", "long-gone"
MEMBERS, MEMBERS_CANDIDATE = "members", "chair"  # an election with a list, on which nobody is who casts ballots here
ELSEWHERE, ELSEWHERE_CANDIDATE = "elsewhere", "mayor"  # one for a state in which nobody lives
OVERSIZED_BYTES = (4097, 20_000, 20_000, 100_000, 900_000)

# What no ballot is, and what somebody might send as one all the same.
MALFORMED: tuple[bytes | None, ...] = (
    None,
    b"",
    b"no ballot",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe\x00",
    b"\xef\xbb\xbf{}",
    b'{"election_id": "e", "voter_id": "v0"}',
    b'{"election_id": "e", "voter_id": "", "candidate_id": "c0"}',
    b'{"election_id": "e", "voter_id": 7, "candidate_id": "c0"}',
    b'{"election_id": "e", "voter_id": "v\\u0000", "candidate_id": "c0"}',
    b'{"election_id": "e", "voter_id": "\\ud800", "candidate_id": "c0"}',
    b'{"election_id": "e", "voter_id": "v0", "candidate_id": NaN}',
    b'{"election_id": "e", "voter_id": "v0", "candidate_id": "' + b"c" * 256 + b'"}',
    b"[" * 4000,
)


@dataclass(frozen=True, slots=True)
class Cast:
    """A ballot as it was cast. `reason`: why it cannot count whatever else happens; None if it may."""

    key: bytes | None
    value: bytes | None
    partition: int
    voter_id: str = ""
    candidate_id: str = ""
    reason: str | None = None


def partition_of(voter_id: str) -> int:
    """As librdkafka chooses it for a key."""
    return crc32(voter_id.encode()) % PARTITIONS


def vote(voter_id: str, candidate_id: str, partition: int | None = None) -> Cast:
    place = partition_of(voter_id) if partition is None else partition
    return Cast(voter_id.encode(), ballot(voter_id, candidate_id), place, voter_id, candidate_id)


def hopeless(voter_id: str, candidate_id: str, election_id: str, reason: str) -> Cast:
    return Cast(voter_id.encode(), ballot(voter_id, candidate_id, election_id), partition_of(voter_id), reason=reason)


def mixture(random: Random, new: Sequence[str], earlier: Sequence[str]) -> Iterator[list[Cast]]:
    """Ballots in the order in which they are cast, those that belong together in one list.

    `new` are people who have not voted yet, `earlier` those of former rounds. When all of them have voted, they try again.
    """
    coming = iter(new)
    voted: list[str] = []

    def anybody() -> str:
        pool = voted if voted and (random.random() < 0.6 or not earlier) else earlier
        return random.choice(pool or new)

    while True:
        choice, other = random.sample(CANDIDATES, 2)
        match random.choices(range(9), (70, 6, 6, 10, 4, 1, 3, 1, 1))[0]:
            case 0 | 1 | 2 | 3 as times if (voter_id := next(coming, None)) is not None:
                voted.append(voter_id)
                yield [
                    [vote(voter_id, choice)],
                    [vote(voter_id, choice), vote(voter_id, choice)],
                    [vote(voter_id, choice), vote(voter_id, other)],
                    [vote(anybody(), choice)],
                ][times]
            case 4:
                yield [Cast(None, random.choice(MALFORMED), random.randrange(PARTITIONS), reason="malformed")]
            case 5:
                size = random.choice(OVERSIZED_BYTES)
                yield [Cast(None, json.dumps("x" * (size - 2)).encode(), random.randrange(PARTITIONS), reason="malformed")]
            case 6:
                yield [_unknown(random, anybody(), choice)]
            case 7:
                voter_id = anybody()
                yield [Cast(b"somebody else", ballot(voter_id, choice), partition_of(voter_id), reason="malformed")]
            case 8 if (voter_id := next(coming, None)) is not None:  # in all partitions at once, so at several recorders at once
                voted.append(voter_id)
                yield [vote(voter_id, random.choice(CANDIDATES), partition) for partition in range(PARTITIONS)]
            case _:
                yield [vote(anybody(), choice)]


def _unknown(random: Random, voter_id: str, candidate_id: str) -> Cast:
    match random.randrange(7):
        case 0:
            return hopeless(voter_id, candidate_id, "nowhere", "unknown_election")
        case 1:
            return hopeless(voter_id, CLOSED_CANDIDATE, CLOSED, "not_open")
        case 2:
            return hopeless(voter_id, "nobody", ELECTION, "unknown_candidate")
        case 3:
            return hopeless(voter_id, CLOSED_CANDIDATE, ELECTION, "unknown_candidate")
        case 4:
            return hopeless(voter_id, MEMBERS_CANDIDATE, MEMBERS, "unknown_voter")
        case 5:
            return hopeless(voter_id, ELSEWHERE_CANDIDATE, ELSEWHERE, "unknown_voter")
        case _:
            return hopeless(f"stranger-{random.randrange(10**9)}", candidate_id, ELECTION, "unknown_voter")
