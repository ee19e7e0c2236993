"""Buckets, addresses, exposure and passwords: what can be said without a service."""

import asyncio

import pytest
from fastapi import APIRouter, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from livetally.commands.api import listed
from livetally.core.access import PUBLIC, Person, Role, may, role_in
from livetally.core.errors import UsageError
from livetally.core.passwords import fault_of, hash_password, is_password
from livetally.web.access import rules
from livetally.web.app import make_app
from livetally.web.ballots.lane import ROUTE, election_of
from livetally.web.exposure import check_exposure
from livetally.web.ground import Lane, Part
from livetally.web.limits import Buckets, Limits, address_of, credential_in
from livetally.web.logins import Logins
from livetally.web.parts import every_part
from website import IDLE, settings_of


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_bucket_is_emptied_and_fills_again() -> None:
    clock = Clock()
    buckets = Buckets(2.0, 3.0, clock)
    assert [buckets.wait_s("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait_s("b") == 0
    clock.now_s += 0.5
    assert [buckets.wait_s("a") for _ in range(2)] == [0, 0.5]
    clock.now_s += 3600
    assert [buckets.wait_s("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_so_many_names_and_no_more_are_remembered() -> None:
    buckets = Buckets(1.0, 1.0, Clock(), names_max=10)
    for number in range(1000):
        buckets.wait_s(number)
    assert len(buckets._left) == 10


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", b"1.1.1.1", "10.0.0.1"),
        ("9.9.9.9", b"1.1.1.1", "1.1.1.1"),
        ("9.9.9.9", b"forged, 1.1.1.1", "1.1.1.1"),
        ("9.9.9.9", b"", "9.9.9.9"),
    ],
)
def test_whose_address(peer: str, forwarded: bytes, address: str) -> None:
    assert address_of({"client": (peer, 1)}, {b"x-forwarded-for": forwarded}, "9.9.9.9") == address


SESSION = "livetally_session"


@pytest.mark.parametrize(
    ("headers", "credential"),
    [
        ([(b"authorization", b"Bearer abc")], "abc"),
        ([(b"authorization", b"bearer    abc ")], "abc"),
        ([(b"authorization", b"Bearer abc"), (b"authorization", b"Bearer another")], "abc"),  # the first is the one that is asked about
        ([(b"authorization", b"Bearer abc"), (b"cookie", b"livetally_session=def")], "abc"),
        ([(b"cookie", b"livetally_session=def")], "def"),
        ([(b"cookie", b'junk=1; livetally_session="def"; more=2')], "def"),
        ([(b"cookie", b"livetally_session=def"), (b"cookie", b"junk=1")], "def"),
        ([(b"cookie", b"another_livetally_session=def")], None),
        ([(b"authorization", b"Basic abc")], None),
        ([(b"authorization", b"Bearer  ")], None),
        ([(b"accept", b"text/html")], None),
    ],
)
def test_a_credential_is_the_same_whatever_is_written_around_it(headers: list[tuple[bytes, bytes]], credential: str | None) -> None:
    assert credential_in({"headers": headers}, SESSION) == credential


def asked(limits: Limits, address: str, token: str) -> int:
    """The status of an answer."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {token}".encode())]
    scope = {"type": "http", "method": "GET", "path": "/", "client": (address, 1), "headers": headers}
    asyncio.run(limits(scope, receive, send))
    return int(sent[0]["status"])


async def fine(scope: Scope, receive: Receive, send: Send) -> None:
    await Response("fine")(scope, receive, send)


def test_an_address_that_is_refused_takes_nothing_from_the_credential() -> None:
    limits = Limits(fine, settings_of("postgresql://x", "k", api_requests_per_s=0.5), clock=Clock())
    assert [asked(limits, "10.0.0.1", f"other {number}") for number in range(6)] == [200] * 5 + [429]
    assert [asked(limits, "10.0.0.1", "hers") for _ in range(10)] == [429] * 10
    assert [asked(limits, f"10.0.1.{number}", "hers") for number in range(6)] == [200] * 5 + [429]


def test_attempts_to_sign_in_from_one_address_leave_some_to_whoever_the_name_belongs_to() -> None:
    clock = Clock()
    logins = Logins(10.0, clock)
    for _ in range(600):  # ten minutes in which one address never stops
        logins.wait_s("10.0.0.1", "Ada")
        clock.now_s += 1.0
    assert [logins.wait_s("10.0.0.2", "ada") for _ in range(4)] == [0.0] * 4


def test_an_address_that_is_refused_takes_nothing_from_a_name() -> None:
    logins = Logins(4.0, Clock())
    assert [logins.wait_s("10.0.0.1", f"name {number}") > 0 for number in range(5)] == [False] * 4 + [True]
    assert all(logins.wait_s("10.0.0.1", "ada") for _ in range(20))
    assert [logins.wait_s(f"10.0.1.{number}", "ADA") > 0 for number in range(5)] == [False] * 4 + [True]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("needed", Role)
def test_each_role_may_what_the_one_before_may(role: Role, needed: Role) -> None:
    assert may(Person("x", role), needed, None) is (role >= needed)
    assert may(Person("x", role), needed, "e") is (role >= needed)
    limited = Person("x", role, frozenset({"e"}))
    assert may(limited, needed, "e") is (role >= needed)
    assert may(limited, needed, "f") is may(limited, needed, None) is (needed is Role.VIEWER)
    assert role_in(limited, "f") is Role.VIEWER


def test_the_public_is_a_viewer() -> None:
    assert [may(PUBLIC, role, None) for role in Role] == [True, False, False, False]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_on_loopback_nothing_is_asked(address: str) -> None:
    check_exposure("It", address, is_behind_tls=False, database_password="postgres", has_admin=False)


def test_beyond_loopback_everything_that_is_missing_is_named() -> None:
    with pytest.raises(UsageError) as error:
        check_exposure("It", "0.0.0.0", is_behind_tls=False, database_password="postgres", has_admin=False)  # noqa: S104 (what is refused)
    for named in ("LIVETALLY_API_BEHIND_TLS", "LIVETALLY_POSTGRES_PASSWORD", "user add"):
        assert named in str(error.value)
    with pytest.raises(UsageError) as error:
        check_exposure("It", "192.168.1.5", is_behind_tls=True, database_password="another", has_admin=False)
    assert "LIVETALLY_API_BEHIND_TLS" not in str(error.value)
    check_exposure("It", "::", is_behind_tls=True, database_password="another", has_admin=True)


def test_where_nobody_signs_in_no_admin_is_asked_for() -> None:
    check_exposure("It", "::", is_behind_tls=True, database_password="another", has_admin=None)
    with pytest.raises(UsageError, match="password that everybody knows"):
        check_exposure("It", "::", is_behind_tls=True, database_password="postgres", has_admin=None)


def test_passwords() -> None:
    kept = hash_password("a long enough one")
    assert kept.startswith("$argon2id$")
    assert is_password("a long enough one", kept)
    assert not is_password("a long enough onE", kept)
    assert not is_password("a password that nobody has", None)
    assert not is_password("x", "no hash at all")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "x" * 257, "grace-hopper-1906"])
def test_passwords_that_will_not_do(password: str) -> None:
    assert fault_of(password, "Hopper")


def test_a_route_that_does_not_say_who_may_use_it_stops_everything() -> None:
    silent = APIRouter()

    @silent.get("/silent")
    async def silence() -> None:
        return

    with pytest.raises(UsageError, match="GET /silent"):
        make_app(settings_of("postgresql://x", "k"), "k", "postgresql://x", IDLE, [Part(silent)])


def test_a_route_that_is_no_route_of_ours_stops_everything() -> None:
    odd = APIRouter(routes=[Route("/odd", endpoint=lambda _request: None)])
    with pytest.raises(UsageError, match="/odd"):
        make_app(settings_of("postgresql://x", "k"), "k", "postgresql://x", IDLE, [Part(odd)])


def test_a_short_way_to_no_declared_route_stops_everything() -> None:
    lane = Lane("PUT /nowhere", lambda app: app)
    with pytest.raises(UsageError, match="PUT /nowhere"):
        make_app(settings_of("postgresql://x", "k"), "k", "postgresql://x", IDLE, [Part(APIRouter(), lane=lane)])


def test_the_short_way_for_ballots_takes_what_its_route_would_and_nothing_else() -> None:
    assert ROUTE in dict(rules(make_app(settings_of("postgresql://x", "k"), "k", "postgresql://x", IDLE, every_part())))
    method, path = ROUTE.split(" ")
    assert method == "POST"
    assert election_of(path.replace("{election_id}", "may")) == "may"
    for other in ("/elections//ballots", "/elections/a/b/ballots", "/elections/ballots", "/elections/may/ballots/"):
        assert election_of(other) is None


def row(**fields: str) -> dict[str, str]:
    return {"name": "", "id": "", "party": "", "biography": "", "platform": "", "picture": ""} | fields


def test_candidates_are_listed_as_those_of_a_file() -> None:
    found = listed("e", [row(name='Grace "Amazing" Hopper', biography="one\ntwo, three"), row(name="Alan", party=";")])
    assert found.faults == {}
    assert [(one.candidate_name, one.biography, one.party_affiliation) for one in found.candidates] == [
        ('Grace "Amazing" Hopper', "one\ntwo, three", ""),
        ("Alan", "", ";"),
    ]


def test_a_fault_is_told_by_its_candidate() -> None:
    found = listed("e", [row(name="Grace", biography="one\n\ntwo"), row(name="Alan"), row(name="Alan"), row(name="x", picture="nothing")])
    assert list(found.faults) == ["candidates.2", "candidates.3"]
