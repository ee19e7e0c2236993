"""What is registered: elections, the candidates on their lists, and the people who may vote."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

Kind = Literal["simulated", "real"]
Status = Literal["draft", "open", "closed", "certified"]

DEFAULT_VOTERS = 100_000  # of a simulation
DEFAULT_SEED = 42

PORTRAIT_BYTES_MAX = 1000  # a portrait travels with every vote
LEAFLET_CHARS_MAX = 300  # so do a biography and a platform


@dataclass(frozen=True, slots=True)
class Election:
    """One election or poll. Whether a ballot counts depends on `opens_at` and `closes_at` alone, never on `status`."""

    election_id: str
    name: str
    kind: Kind
    status: Status
    seed: int
    opens_at: datetime | None
    closes_at: datetime | None

    @property
    def simulated(self) -> bool:
        return self.kind == "simulated"


@dataclass(frozen=True, slots=True)
class Candidate:
    candidate_id: str
    candidate_name: str
    party_affiliation: str
    biography: str
    campaign_platform: str
    photo_url: str
    election_id: str


class Voter(NamedTuple):
    """A registered person, with the fields of the reference's `voters` table in its order.

    A tuple, because a million are made at a time: a frozen dataclass takes a third of that time for itself.
    """

    voter_id: str
    voter_name: str
    date_of_birth: str  # YYYY-MM-DD, or a longer ISO 8601 time as randomuser.me gives it
    gender: str
    nationality: str
    registration_number: str
    address_street: str
    address_city: str
    address_state: str
    address_country: str
    address_postcode: str
    email: str
    phone_number: str
    cell_number: str
    picture: str
    registered_age: int
