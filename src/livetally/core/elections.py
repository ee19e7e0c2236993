"""What is registered: elections, the candidates on their lists, and the people who may vote."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, get_args

Kind = Literal["simulated", "real"]
Status = Literal["draft", "open", "closed", "certified"]  # one after the other, never back
Visible = Literal["live", "turnout", "officials"]
Detail = Literal["full", "group"]
RollKind = Literal["all", "states", "list"]

KINDS, VISIBILITIES, DETAILS, ROLLS = get_args(Kind), get_args(Visible), get_args(Detail), get_args(RollKind)

DEFAULT_VOTERS = 100_000  # of a simulation
DEFAULT_SEED = 42

PORTRAIT_BYTES_MAX = 1000  # a portrait travels with every vote
LEAFLET_CHARS_MAX = 300  # so do a biography and a platform
LISTED_MAX = 200  # candidates that a voter can still read
LISTED_MIN = 2  # with fewer there is nothing to choose

ELECTION_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")  # it stands in addresses, file names and names of processes


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
    visible: Visible = "live"  # what the public sees until it is closed, or published: all; how many; nothing
    detail: Detail = "full"  # what a vote's message tells of the voter
    roll: RollKind = "all"  # who may vote
    roll_states: tuple[str, ...] = ()
    opens_planned: datetime | None = None  # what opening it is to do; nothing is decided by it
    closes_planned: datetime | None = None
    published_at: datetime | None = None
    certified_at: datetime | None = None

    @property
    def simulated(self) -> bool:
        return self.kind == "simulated"

    def is_over(self, now: datetime) -> bool:
        """Whether its closing time has passed, whatever its status says."""
        return self.closes_at is not None and now >= self.closes_at

    def takes_ballots(self, now: datetime) -> bool:
        """Whether a ballot that is cast now would be in time."""
        return self.opens_at is not None and self.opens_at <= now and not self.is_over(now)

    def status_at(self, now: datetime) -> Status:
        """What to tell people: an election whose closing time is over is closed, whether somebody said so or not.

        One that has been closed a few seconds ahead is closed for whoever looks; for ballots its hours count.
        """
        return "closed" if self.status == "open" and self.is_over(now) else self.status


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
