"""Topics and messages: the only module that knows their names and shapes.

The first five topics and their fields are those of the reference pipeline; a consumer written
for it works on ours. Fields may be added, never renamed or dropped.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import orjson

from livetally.core.elections import Candidate, Detail, Voter

VOTERS = "voters_topic"
CANDIDATES = "candidates_topic"
BALLOTS = "ballots_topic"
VOTES = "votes_topic"
REJECTED = "rejected_ballots"
PER_CANDIDATE = "aggregated_votes_per_candidate"
BY_LOCATION = "aggregated_turnout_by_location"
BY_AGE = "aggregated_turnout_by_age"
BY_GENDER = "aggregated_turnout_by_gender"
BY_PARTY = "aggregated_party_wise_votes"
BY_REGION = "aggregated_votes_by_region"
PER_MINUTE = "aggregated_votes_per_minute"
ALERTS = "alerts_topic"

# Headers of an outcome: which ballot it is the outcome of. The end of the output says where *record* is.
BALLOT_PARTITION = "ballot_partition"
BALLOT_OFFSET = "ballot_offset"

CAST_AGAIN_FROM = "cast_again_from"  # header of a ballot that was cast again: `partition/offset` of the one that it is a copy of

SEGMENT_BYTES_ALL = 128 * 1024 * 1024
SEGMENT_BYTES_COMPACTED = 1024 * 1024  # Kafka never compacts the active segment: small ones make it happen
SEGMENT_MS_COMPACTED = 10 * 60 * 1000
MESSAGE_BYTES_MAX = 1024 * 1024
REJECTED_BYTES_MAX = (
    MESSAGE_BYTES_MAX + 64 * 1024
)  # the largest ballot and the headers of its rejection: no ballot is too large to be rejected


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    partitions: int
    keep: Literal["all", "latest"]
    about: str
    append_time: bool = False  # the broker's clock stamps the messages, so that no sender can forge a time
    message_bytes_max: int = MESSAGE_BYTES_MAX
    unpacked: bool = False  # the broker unpacks what comes compressed, and so measures it: 3 kB can hold 100 MB, which nobody could reject

    def config(self) -> dict[str, str]:
        """What the topic is created with, and what an existing one is checked against."""
        config = {
            "message.timestamp.type": "LogAppendTime" if self.append_time else "CreateTime",
            "max.message.bytes": str(self.message_bytes_max),
        }
        if self.unpacked:
            config["compression.type"] = "uncompressed"
        if self.keep == "all":
            return config | {
                "cleanup.policy": "delete",
                "retention.ms": "-1",
                "retention.bytes": "-1",
                "segment.bytes": str(SEGMENT_BYTES_ALL),
            }
        return config | {
            "cleanup.policy": "compact",
            "segment.bytes": str(SEGMENT_BYTES_COMPACTED),
            "segment.ms": str(SEGMENT_MS_COMPACTED),
            "min.cleanable.dirty.ratio": "0.1",
        }


def topics(ballot_partitions: int) -> tuple[Topic, ...]:
    """Every topic, in the order of the pipeline. Outcomes lie in the partition of their ballot, so those counts agree."""
    return (
        Topic(VOTERS, ballot_partitions, "all", "people, as they are registered"),
        Topic(CANDIDATES, 1, "latest", "candidates of every election"),
        Topic(BALLOTS, ballot_partitions, "all", "ballots as cast, valid or not: the whole truth", append_time=True, unpacked=True),
        Topic(VOTES, ballot_partitions, "all", "accepted ballots, with voter and candidate"),
        Topic(
            REJECTED,
            ballot_partitions,
            "all",
            "rejected ballots, byte for byte, with the reason in the headers",
            message_bytes_max=REJECTED_BYTES_MAX,
        ),
        Topic(PER_CANDIDATE, 1, "latest", "votes per candidate"),
        Topic(BY_LOCATION, 1, "latest", "votes per state"),
        Topic(BY_AGE, 1, "latest", "votes per age group"),
        Topic(BY_GENDER, 1, "latest", "votes per gender"),
        Topic(BY_PARTY, 1, "latest", "votes per party"),
        Topic(BY_REGION, 1, "latest", "votes per city"),
        Topic(PER_MINUTE, 1, "latest", "votes per candidate and minute of voting"),
        Topic(ALERTS, 1, "latest", "what looks unusual, where, since when"),
    )


def composite_key(*parts: str) -> bytes:
    """A key made of several fields: a JSON array, so that no field's text can imitate two fields."""
    return orjson.dumps(parts)


# What a vote tells of its voter where the election's detail is "group".
GROUP_FIELDS = ("voter_id", "date_of_birth", "gender", "address", "nationality", "registered_age")
GROUP_ADDRESS_FIELDS = ("city", "state", "country", "postcode")
VOTE_FIELDS = ("vote", "election_id", "voting_time")  # besides the voter's and the candidate's


def voter_message(voter: Voter) -> bytes:
    """Somebody, as announced. The fields that a vote is counted by come first, in the order of `core.head`."""
    return orjson.dumps(
        {
            "voter_id": voter.voter_id,
            "date_of_birth": voter.date_of_birth,
            "gender": voter.gender,
            "address": {
                "city": voter.address_city,
                "state": voter.address_state,
                "country": voter.address_country,
                "postcode": voter.address_postcode,
                "street": voter.address_street,
            },
            "voter_name": voter.voter_name,
            "nationality": voter.nationality,
            "registration_number": voter.registration_number,
            "email": voter.email,
            "phone_number": voter.phone_number,
            "cell_number": voter.cell_number,
            "picture": voter.picture,
            "registered_age": voter.registered_age,
        }
    )


def listed_voter_message(voter: Voter, election_id: str) -> bytes:
    """The same for somebody who came with the roll of one election, and is on no other register. A simulation does not vote for them."""
    return b"".join((voter_message(voter)[:-1], b',"roll":', orjson.dumps(election_id), b"}"))


def candidate_fields(candidate: Candidate) -> dict[str, str]:
    return {
        "candidate_id": candidate.candidate_id,
        "candidate_name": candidate.candidate_name,
        "party_affiliation": candidate.party_affiliation,
        "biography": candidate.biography,
        "campaign_platform": candidate.campaign_platform,
        "photo_url": candidate.photo_url,
    }


def candidate_message(candidate: Candidate) -> bytes:
    return orjson.dumps(candidate_fields(candidate) | {"election_id": candidate.election_id})


def ballot_message(election_id: str, voter_id: str, candidate_id: str, cast_at: datetime) -> bytes:
    return orjson.dumps(
        {
            "election_id": election_id,
            "voter_id": voter_id,
            "candidate_id": candidate_id,
            "cast_at": utc_text(cast_at),
        }
    )


@dataclass(frozen=True, slots=True)
class VoteParts:
    """The parts of a vote's message that are the same for all of a candidate's votes, and how much the part between them tells of the voter."""

    before_time: bytes
    after_voter: bytes
    detail: Detail


def vote_parts(candidate: Candidate, detail: Detail = "full") -> VoteParts:
    first = {"election_id": candidate.election_id, "candidate_id": candidate.candidate_id}
    others = {name: text for name, text in candidate_fields(candidate).items() if name not in first} | {"vote": 1}
    return VoteParts(orjson.dumps(first)[:-1] + b',"voting_time":"', b"," + orjson.dumps(others)[1:], detail)


def vote_message(voter: bytes, parts: VoteParts, voting_time: str) -> bytes:
    """A vote, flat in one object: what was chosen and when, the voter's announcement, the candidate. The first of it is its head
    (`core.head`). No parsing, no encoding.

    Where the election tells groups alone, what names the voter is taken out first; that does cost a parsing.
    """
    told = voter if parts.detail == "full" else group_of(voter)
    return b"".join((parts.before_time, voting_time.encode(), b'",', told[1:-1], parts.after_voter))


def group_of(voter: bytes) -> bytes:
    """Of an announcement what the views need, and the id. What is not named here is left out, whatever it is."""
    fields = orjson.loads(voter)
    fields["address"] = {name: fields["address"][name] for name in GROUP_ADDRESS_FIELDS}
    return orjson.dumps({name: fields[name] for name in GROUP_FIELDS})


Headers = list[tuple[str, str | bytes | None]]


def outcome_headers(partition: int, offset: int) -> Headers:
    return [(BALLOT_PARTITION, str(partition)), (BALLOT_OFFSET, str(offset))]


def rejection_headers(reason: str, detail: str, partition: int, offset: int, time: str) -> Headers:
    named = {"reason": reason, "detail": detail, "topic": BALLOTS, "partition": str(partition), "offset": str(offset), "time": time}
    return [*((name, text.encode()) for name, text in named.items()), *outcome_headers(partition, offset)]


def ballot_of(headers: Iterable[tuple[str, str | bytes | None]] | None) -> tuple[int, int] | None:
    """Partition and offset of the ballot that an outcome belongs to; None if the message carries none."""
    named = dict(headers or ())
    partition, offset = named.get(BALLOT_PARTITION), named.get(BALLOT_OFFSET)
    if partition is None or offset is None:
        return None
    return int(partition), int(offset)


@lru_cache(maxsize=64)  # a portion of ballots is cast at one moment
def utc_text(moment: datetime) -> str:
    """`YYYY-MM-DD HH:MM:SS.mmm` in UTC, as in `voting_time`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


@lru_cache(maxsize=4096)  # a batch was appended within a few of these
def ms_text(epoch_ms: int) -> str:
    """The same from milliseconds since 1970, as Kafka stamps a message."""
    seconds, ms = divmod(epoch_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{ms:03d}"


def decode(value: bytes) -> Any:
    """A message of our own, decoded; raises ValueError if it is none."""
    return orjson.loads(value)
