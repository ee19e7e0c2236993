"""The hash chain over the verdicts of a partition: each verdict's digest holds the digest before it.

A head, the digest after so many ballots, stands for every verdict up to there. It does not depend on how the ballots were
cut into batches, so a rebuilt ledger has the same heads. Whoever changes a verdict changes every head behind it.
"""

from hashlib import sha256


def beginning(partition: int) -> bytes:
    """The head before the first ballot of a partition."""
    return sha256(f"livetally\0{partition}".encode()).digest()


def vote_entry(offset: int, appended_ms: float, election_id: str, voter_id: str, candidate_id: str) -> bytes:
    """What the chain says of a vote. U+0000 is in no field, so no two votes look alike."""
    return f"{offset}\0vote\0{appended_ms}\0{election_id}\0{voter_id}\0{candidate_id}".encode()


def rejection_entry(offset: int, appended_ms: float, reason: str, detail: str, election_id: str | None, voter_id: str | None) -> bytes:
    """What the chain says of a rejection. Fields that are not known are empty; no known one is."""
    return f"{offset}\0rejected\0{appended_ms}\0{reason}\0{detail}\0{election_id or ''}\0{voter_id or ''}".encode()


def link(before: bytes, entry: bytes) -> bytes:
    """The head behind an entry."""
    return sha256(before + entry).digest()
