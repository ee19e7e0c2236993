"""What officials do to an election, as the command line does it. A stage does not import another: whoever starts the application hands it in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from livetally.adapters.acts import Actor
from livetally.adapters.postgres import Connection
from livetally.core.elections import Candidate, Election


class Audited(Protocol):
    """What an audit has seen, of all elections."""

    def told_of(self, election_id: str) -> dict[str, Any]: ...
    def as_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Listed:
    """Candidates as somebody has sent them; or, by place and field, why they cannot stand."""

    candidates: Sequence[Candidate]
    faults: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Organising:
    """Each act changes something and writes that down, or does neither; each raises LivetallyError if it is refused."""

    faults_of: Callable[[Election, datetime], Mapping[str, str]]  # by field
    create: Callable[[Connection, Actor, Election], Election]
    listed: Callable[[str, Sequence[Mapping[str, str]]], Listed]  # for an election, in their order
    list_candidates: Callable[[Connection, Actor, str, Sequence[Candidate]], Election]
    open: Callable[[Connection, Actor, str], Election]
    close: Callable[[Connection, Actor, str], Election]
    publish: Callable[[Connection, Actor, str], Election]
    certify: Callable[[Connection, Actor, str, float], Election]  # the last one: seconds that it may wait
    audit: Callable[[], Audited]
