"""What goes in and out as JSON. Each model carries the example that the documents show and a test sends."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from livetally.core.elections import ELECTION_ID, LEAFLET_CHARS_MAX, LISTED_MAX, Detail, Kind, RollKind, Status, Visible
from livetally.core.passwords import CHARS_MAX
from livetally.web.problems import no_election

ID_CHARS_MAX = 255
NO_NUL = r"^[^\x00]*$"  # PostgreSQL takes no text with it
ID_PATTERN = f"^{ELECTION_ID.pattern}$"
EXAMPLE_ID = "board-2026"


def _id_of_an_election(text: str) -> str:
    """Raises Problem: what cannot be one is unknown, whoever asks, and nobody is asked about it."""
    if not ELECTION_ID.fullmatch(text):
        raise no_election()
    return text


ElectionId = Annotated[str, Field(min_length=1, max_length=ID_CHARS_MAX, pattern=NO_NUL, examples=[EXAMPLE_ID])]
InPath = Annotated[
    str,
    AfterValidator(_id_of_an_election),
    Path(alias="election_id", examples=[EXAMPLE_ID], description="which election", json_schema_extra={"pattern": ID_PATTERN}),
]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL)]
RoleName = Annotated[Literal["observer", "official", "admin"], Field(description="each may do what the one before may")]
OnlyIn = Annotated[list[ElectionId] | None, Field(max_length=1000, description="the only ones that the role is for; null: all")]
Password = Annotated[SecretStr, Field(min_length=1, max_length=CHARS_MAX)]


def example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]}, frozen=True, from_attributes=True)


class Body(BaseModel):
    """What somebody sends: fields that nobody knows are typing errors."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class SignIn(Body):
    user_name: Name
    password: Password

    model_config = example(user_name="ada", password="correct horse battery")  # noqa: S106 (an example)


class Session(Answer):
    user_name: str
    role: RoleName
    elections: OnlyIn
    csrf_token: Annotated[
        str | None, Field(description="to be sent as `X-CSRF-Token` with whatever changes something; null: a token needs none")
    ]

    model_config = example(
        user_name="ada",
        role="official",
        elections=[EXAMPLE_ID],
        csrf_token="0f3c5d…",  # noqa: S106 (an example)
    )


class NewToken(Body):
    label: Annotated[
        str, Field(min_length=1, max_length=100, pattern=NO_NUL, description="what it is for, as whoever reads the list should know")
    ]
    days: Annotated[int, Field(ge=1, le=366, description="until it expires")] = 30

    model_config = example(label="results for the newspaper", days=7)


class NewRole(Body):
    role: RoleName
    elections: OnlyIn = None

    model_config = example(role="observer", elections=None) | {"extra": "forbid"}


class NewPassword(Body):
    password: Password

    model_config = example(password="staple battery horse") | {"extra": "forbid"}  # noqa: S106 (an example)


class NewUser(NewRole):
    user_name: Name
    password: Password

    model_config = example(user_name="lin", role="official", elections=None, password="staple battery horse") | {"extra": "forbid"}  # noqa: S106 (an example)


class User(Answer):
    user_name: str
    role: RoleName
    elections: OnlyIn
    is_disabled: bool
    created_at: datetime

    model_config = example(user_name="lin", role="official", elections=None, is_disabled=False, created_at="2026-05-07T09:00:00Z")


TOKEN = {
    "number": 4,
    "label": "results for the newspaper",
    "created_at": "2026-05-07T09:00:00Z",
    "expires_at": "2026-05-14T09:00:00Z",
    "revoked_at": None,
}


class Token(Answer):
    number: int
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    model_config = example(**TOKEN)


class TokenOnce(Token):
    token: Annotated[str, Field(description="said this once, and kept nowhere")]

    model_config = example(**TOKEN, token="Zk3v…")  # noqa: S106 (an example)


class Act(Answer):
    number: int
    at: datetime
    who: str
    what: str
    subject: str
    election_id: str | None
    detail: dict[str, Any]
    came_from: Annotated[str, Field(description="an address, or `command line`")]

    model_config = example(
        number=12,
        at="2026-05-07T09:00:00Z",
        who="ada",
        what="election open",
        subject=EXAMPLE_ID,
        election_id=EXAMPLE_ID,
        detail={"candidates": 2, "on_roll": 300},
        came_from="127.0.0.1",
    )


POLICY = {
    "election_id": EXAMPLE_ID,
    "name": "Board of the allotment society",
    "kind": "real",
    "visible": "turnout",
    "detail": "group",
    "roll": "list",
    "roll_states": [],
    "opens_planned": "2036-05-07T08:00:00Z",
    "closes_planned": "2036-05-07T18:00:00Z",
}
VISIBLE = "what the public sees until it is closed (officials: until one of them publishes it): all, how many, or nothing"
DETAIL = "what a vote's message tells of the voter: everything, or only what the views group by"
ROLL = "who may vote: everybody registered, those of some states, or a list that is imported"


class NewElection(Body):
    election_id: Annotated[str, Field(min_length=1, max_length=63, pattern=ID_PATTERN)]
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
    kind: Kind = "real"
    visible: Annotated[Visible, Field(description=VISIBLE)] = "live"
    detail: Annotated[Detail, Field(description=DETAIL)] = "full"
    roll: Annotated[RollKind, Field(description=ROLL)] = "all"
    roll_states: Annotated[list[Annotated[str, Field(min_length=1, max_length=255, pattern=NO_NUL)]], Field(max_length=1000)] = []
    opens_planned: Annotated[AwareDatetime | None, Field(description="not before this; null: when it is opened")] = None
    closes_planned: AwareDatetime | None = None

    model_config = example(**POLICY) | {"extra": "forbid"}


class Election(Answer):
    election_id: str
    name: str
    kind: Kind
    status: Annotated[Status, Field(description="one after the other, never back; closed also where its closing time is over")]
    opens_at: Annotated[datetime | None, Field(description="ballots count from then on")]
    closes_at: Annotated[datetime | None, Field(description="and from then on no more")]
    visible: Annotated[Visible, Field(description=VISIBLE)]
    detail: Annotated[Detail, Field(description=DETAIL)]
    roll: Annotated[RollKind, Field(description=ROLL)]
    roll_states: list[str]
    opens_planned: datetime | None
    closes_planned: datetime | None
    published_at: datetime | None
    certified_at: datetime | None
    sight: Annotated[Literal["nothing", "turnout", "result"], Field(description="what you may see of its result now")]

    model_config = example(
        **POLICY,
        status="open",
        opens_at="2026-05-07T08:00:00Z",
        closes_at="2026-05-07T18:00:00Z",
        published_at=None,
        certified_at=None,
        sight="turnout",
    )


class NewCandidate(Body):
    name: Annotated[str, Field(min_length=1, max_length=255, pattern=NO_NUL)]
    id: Annotated[str, Field(max_length=255, pattern=NO_NUL, description="needed only where two have the same name")] = ""
    party: Annotated[str, Field(max_length=255, pattern=NO_NUL)] = ""
    biography: Annotated[str, Field(max_length=LEAFLET_CHARS_MAX, pattern=NO_NUL)] = ""
    platform: Annotated[str, Field(max_length=LEAFLET_CHARS_MAX, pattern=NO_NUL)] = ""
    picture: Annotated[str, Field(max_length=4096, pattern=NO_NUL, description="a data URI of at most 1000 bytes")] = ""

    model_config = example(name="Grace Hopper", party="Compilers", platform="One language for all of us.") | {"extra": "forbid"}


class NewCandidates(Body):
    candidates: Annotated[
        list[NewCandidate], Field(min_length=2, max_length=LISTED_MAX, description="in this order, and nobody else from now on")
    ]

    model_config = example(candidates=[{"name": "Grace Hopper", "party": "Compilers"}, {"name": "Alan Turing"}]) | {"extra": "forbid"}


class Candidate(Answer):
    candidate_id: str
    candidate_name: str
    party_affiliation: str
    biography: str
    campaign_platform: str
    photo_url: Annotated[str, Field(description="a data URI, or empty")]

    model_config = example(
        candidate_id="3b9d1f0e-5d0c-5e7e-9c55-6a2a4a1f5a10",
        candidate_name="Grace Hopper",
        party_affiliation="Compilers",
        biography="",
        campaign_platform="One language for all of us.",
        photo_url="",
    )


class Standing(Answer):
    candidate_id: str
    candidate_name: str
    party_affiliation: str
    total_votes: int


RESULT = {
    "election_id": EXAMPLE_ID,
    "name": "Board of the allotment society",
    "simulated": False,
    "status": "closed",
    "as_of": "2026-05-07T18:00:00Z",
    "recounting": False,
    "recounted_percent": None,
    "registered": 300,
    "total_votes": 214,
}


class Turnout(Answer):
    """How many have voted, and not for whom."""

    election_id: str
    name: str
    simulated: Annotated[bool, Field(description="whether the voters are made up")]
    status: Status
    as_of: Annotated[datetime | None, Field(description="the newest time of voting that is counted; null: nothing yet")]
    recounting: Annotated[bool, Field(description="whether the votes are being counted anew; then these are the numbers from before")]
    recounted_percent: Annotated[int | None, Field(description="how many of them are counted anew so far; null unless `recounting`")]
    registered: Annotated[int, Field(description="people who may vote in it")]
    total_votes: int

    model_config = example(**RESULT)


class Result(Turnout):
    """The result, most votes first."""

    unreadable_votes: Annotated[
        int, Field(description="votes on the topic that cannot be read or are for nobody who stands, in any election; they are in no total")
    ]
    candidates: list[Standing]

    model_config = example(
        **RESULT,
        unreadable_votes=0,
        candidates=[
            {
                "candidate_id": "3b9d1f0e-5d0c-5e7e-9c55-6a2a4a1f5a10",
                "candidate_name": "Grace Hopper",
                "party_affiliation": "Compilers",
                "total_votes": 124,
            },
            {
                "candidate_id": "8d9a0a5e-1f57-5d31-8d9b-5f2f6d8e4b21",
                "candidate_name": "Alan Turing",
                "party_affiliation": "",
                "total_votes": 90,
            },
        ],
    )


class Group(Answer):
    group: str
    votes: int
    registered: Annotated[int | None, Field(description="null where that is not known")]


class TurnoutByGroup(Turnout):
    """How many have voted in each group, and not for whom."""

    by_state: list[Group]
    by_gender: list[Group]
    by_age: list[Group]

    model_config = example(
        **RESULT,
        by_state=[{"group": "Kent", "votes": 214, "registered": 300}],
        by_gender=[{"group": "female", "votes": 110, "registered": 150}, {"group": "male", "votes": 104, "registered": 150}],
        by_age=[{"group": "30-44", "votes": 214, "registered": 300}],
    )


class Past(Answer):
    candidate_id: str
    candidate_name: str
    total_votes: Annotated[list[int], Field(description="one for each of `ends`")]


class History(Answer):
    """How the result came about."""

    election_id: str
    state: Annotated[str | None, Field(description="one place alone; null: everywhere")]
    ends: Annotated[list[datetime], Field(description="votes from ballots cast before each of these, whole minutes or hours")]
    late: Annotated[int, Field(description="votes that came too late for the votes per minute; they are in every total")]
    untimed: Annotated[int, Field(description="votes that say no time of voting; they are in every total, and in none of these")]
    candidates: list[Past]

    model_config = example(
        election_id=EXAMPLE_ID,
        state=None,
        ends=["2026-05-07T08:01:00Z", "2026-05-07T08:02:00Z"],
        late=0,
        untimed=0,
        candidates=[{"candidate_id": "3b9d1f0e-5d0c-5e7e-9c55-6a2a4a1f5a10", "candidate_name": "Grace Hopper", "total_votes": [3, 9]}],
    )


class GroupVotes(Answer):
    view: Annotated[Literal["state", "region", "gender", "age"], Field(description="what the group is one of; a region is a city")]
    group: str
    within: Annotated[str, Field(description="the state of a city; empty elsewhere")]
    candidate_id: str
    votes: int


class Export(Result):
    """The whole result as one document."""

    groups: list[GroupVotes]

    model_config = example(
        **RESULT,
        unreadable_votes=0,
        candidates=[],
        groups=[
            {"view": "state", "group": "Kent", "within": "", "candidate_id": "3b9d1f0e-5d0c-5e7e-9c55-6a2a4a1f5a10", "votes": 124},
        ],
    )


class Alert(Answer):
    rule: str
    subject: str
    place: str
    candidate_id: str
    state: Literal["raised", "cleared"]
    severity: str
    seen: float
    expected: float
    begins: datetime
    ends: datetime
    evidence: Annotated[str, Field(description="the same as a sentence")]

    model_config = example(
        rule="burst",
        subject="Kent",
        place="Kent",
        candidate_id="",
        state="raised",
        severity="warning",
        seen=412.0,
        expected=120.5,
        begins="2026-05-07T08:10:00Z",
        ends="2026-05-07T08:12:00Z",
        evidence="Kent: 412 votes from 08:10 to 08:11 UTC; its pace before, and that of all others meanwhile, let 120 be expected.",
    )


class RejectedBallot(Answer):
    partition: int
    offset: int
    appended_at: datetime
    reason: str
    detail: str


class Rejections(Answer):
    """Ballots that do not count. Whose they are, and for whom, is not told."""

    election_id: str
    total: int
    counts: Annotated[dict[str, int], Field(description="by reason, most first")]
    newest: list[RejectedBallot]

    model_config = example(
        election_id=EXAMPLE_ID,
        total=2,
        counts={"already_voted_same": 2},
        newest=[
            {"partition": 0, "offset": 77, "appended_at": "2026-05-07T08:10:00.123Z", "reason": "already_voted_same", "detail": ""},
        ],
    )


class AuditSums(Answer):
    """Over all elections; one who knows the numbers of some could work out the others."""

    ballots: int
    accepted: int
    rejected: dict[str, int]
    ledger: int
    published: int
    tallied: int
    behind: Annotated[int, Field(description="ballots that are still on their way and were not judged")]
    heads: Annotated[list[dict[str, Any]], Field(description="of the hash chain of each partition, to be kept elsewhere")]


class Audit(Answer):
    """Whether ballots, ledger, votes topic and tallies agree about one election."""

    election_id: str
    ok: Annotated[bool, Field(description="nothing differs in this election, nor in what all of them stand on")]
    chain_ok: Annotated[bool, Field(description="nothing differs in what all elections stand on: the hash chain, the places of ballots")]
    accepted: Annotated[int | None, Field(description="votes in the ledger; null while it is not shown how many have voted")]
    tallied: Annotated[int | None, Field(description="votes that are counted; likewise")]
    differences_total: int
    differences: Annotated[
        list[str], Field(description="where; `livetally audit` says what. While the result is not shown, only in what all stand on")
    ]
    all_elections: Annotated[AuditSums | None, Field(description="null unless you may see of every election how many have voted")]

    model_config = example(
        election_id=EXAMPLE_ID,
        ok=True,
        chain_ok=True,
        accepted=214,
        tallied=214,
        differences_total=0,
        differences=[],
        all_elections={
            "ballots": 216,
            "accepted": 214,
            "rejected": {"already_voted_same": 2},
            "ledger": 214,
            "published": 214,
            "tallied": 214,
            "behind": 0,
            "heads": [{"partition": 0, "next_offset": 216, "digest": "9f86d0…"}],
        },
    )


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457)."""

    type: Annotated[str, Field(description="for programs; `urn:livetally:problem:…`")]
    title: str
    status: int
    detail: Annotated[str, Field(description="for people: what happened, and what to do")]
    instance: Annotated[str, Field(description="the path that was asked")]
    field: Annotated[str | None, Field(description="the field at fault, if it is one")] = None
