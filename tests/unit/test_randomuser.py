"""The randomuser.me source, against a server on this machine that answers in the API's format 1.4, with its errors."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

from livetally.core.elections import Voter
from livetally.core.errors import SourceError, UsageError
from livetally.register import randomuser
from livetally.register.randomuser import fetch_people
from livetally.register.randomuser_record import Fault, voter_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UH_OH = {"error": "Uh oh, something has gone wrong. Please tweet us @randomapi about the issue. Thank you."}


@dataclass
class Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False


@dataclass
class Query:
    results: int
    page: int
    seed: str
    nat: str


@dataclass
class Api:
    """A stand-in for the API: answers from the script first, then as the API does."""

    url: str
    script: list[Answer] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def fetch(self, count: int, first: int = 0, timeout_s: float = 5.0) -> list[Voter]:
        def progress(done: int, note: str) -> None:
            self.notes.append((done, note))

        return list(fetch_people(self.url, 42, first, count, progress, timeout_s=timeout_s, sleep=self.waits_s.append, now=lambda: NOW))


def record(seed: str, page: int, place: int) -> dict[str, Any]:
    """One person, field by field as in the API's documentation."""
    who = f"{seed}-{page}-{place}"
    return {
        "gender": ("female", "male")[place % 2],
        "name": {"title": "Miss", "first": f"Jennie{place}", "last": "Nichols"},
        "location": {
            "street": {"number": 8929, "name": "Valwood Pkwy"},
            "city": "Billings",
            "state": "Cumbria",
            "country": "United Kingdom",
            "postcode": 63104 if place % 2 else "ZI5 2PE",
            "coordinates": {"latitude": "-69.8246", "longitude": "134.8719"},
            "timezone": {"offset": "+9:30", "description": "Adelaide, Darwin"},
        },
        "email": "jennie.nichols@example.com",
        "login": {"uuid": who, "username": f"yellowpeacock{place}", "password": "addison", "salt": "sld1yGtd", "md5": "ab54", "sha1": "edcf", "sha256": "48686"},
        "dob": {"date": "1992-03-08T15:13:16.688Z", "age": 30},
        "registered": {"date": "2007-07-09T05:51:59.390Z", "age": 14},
        "phone": "015394 96312",
        "cell": "07489 330212",
        "id": {"name": "NINO", "value": "BE 67 05 41 T"},
        "picture": {size: f"https://example.org/portraits/{size}/75.jpg" for size in ("large", "medium", "thumbnail")},
        "nat": "GB",
    }  # fmt: skip


def page_of(query: Query, change: Callable[[list[dict[str, Any]]], None] = lambda _: None) -> Answer:
    records = [record(query.seed, query.page, place) for place in range(query.results)]
    change(records)
    info = {"seed": query.seed, "results": query.results, "page": query.page, "version": "1.4"}
    return Answer(json.dumps({"results": records, "info": info}).encode())


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        api: Api = cast("Server", self.server).api
        fields = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
        query = Query(int(fields["results"]), int(fields["page"]), fields["seed"], fields["nat"])
        api.queries.append(query)
        answer = api.script.pop(0) if api.script else page_of(query)
        if answer.hangs:
            api.released.wait(10)
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Quiet: the tests say what matters."""


class Server(ThreadingHTTPServer):
    api: Api


@contextmanager
def serving() -> Iterator[Api]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.api = Api(f"http://127.0.0.1:{server.server_port}/api/1.4/")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.api
        finally:
            server.api.released.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as api:
        yield api


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(randomuser, "PAGE_PEOPLE", 10)


def test_fields_are_read_as_the_reference_reads_them(api: Api) -> None:
    voter = api.fetch(2)[1]
    assert voter == Voter(
        voter_id=f"{api.queries[0].seed}-1-1",
        voter_name="Jennie1 Nichols",
        date_of_birth="1992-03-08T15:13:16.688Z",
        gender="male",
        nationality="GB",
        registration_number="yellowpeacock1",
        address_street="8929 Valwood Pkwy",
        address_city="Billings",
        address_state="Cumbria",
        address_country="United Kingdom",
        address_postcode="63104",
        email="jennie.nichols@example.com",
        phone_number="015394 96312",
        cell_number="07489 330212",
        picture="https://example.org/portraits/large/75.jpg",
        registered_age=14,
    )
    assert api.fetch(1)[0].address_postcode == "ZI5 2PE"


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("first", [0, 1, 9, 10, 25])
@pytest.mark.parametrize("count", [0, 1, 10, 23])
def test_pages_are_cut_where_they_should(api: Api, first: int, count: int) -> None:
    places = [voter.voter_id.rpartition(".")[2] for voter in api.fetch(count, first)]
    assert places == [f"-{number // 10 + 1}-{number % 10}" for number in range(first, first + count)]
    assert all(query.nat == "gb" and 1 <= query.results <= 10 for query in api.queries)
    assert api.notes[-1:] == ([(count, "")] if count else [])


def test_a_page_is_never_larger_than_the_api_allows(api: Api) -> None:
    assert len(api.fetch(2, first=4_999)) == 2
    assert [(query.page, query.results) for query in api.queries] == [(1, 5000), (2, 1)]


def test_seeds_and_pages_cannot_be_mistaken_for_one_another(api: Api) -> None:
    """The API hashes seed and page number written together, and a seed of 18 characters chooses the nationality."""
    for seed in (1, 12, 0, -3, 10**30):
        list(fetch_people(api.url, seed, 0, 1))
    seeds = [query.seed for query in api.queries]
    assert len(set(seeds)) == 5
    assert all(len(seed) > 18 and not seed[-1].isdigit() for seed in seeds)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Answer(b"", 500), "500 Internal Server Error"),
        (Answer(json.dumps(UH_OH).encode(), 503), "Uh oh"),
        (Answer(json.dumps(UH_OH).encode()), "Uh oh"),
        (Answer(b"<html>down for maintenance"), "not JSON"),
        (Answer(b'{"results": {}}'), "not JSON with a list"),
        (Answer(b"[]"), "not JSON with a list"),
        (Answer(b'{"results": [{}]}'), "3 people were asked for, 1 came"),
        (Answer(b'{"results": ["\\ud800"]}'), "not JSON"),
        (Answer(b'{"results"', headers={"Content-Length": "999"}), "the connection failed"),
        (Answer(b"no gzip at all", headers={"Content-Encoding": "gzip"}), "the connection failed"),
    ],
)
def test_what_may_pass_is_tried_again(api: Api, fault: Answer, said: str) -> None:
    api.script = [fault, fault]
    assert len(api.fetch(3)) == 3
    assert api.waits_s == [1, 2]
    assert [done for done, _ in api.notes] == [0, 0, 3]
    assert said in api.notes[0][1]


def test_what_does_not_pass_is_given_up(api: Api) -> None:
    api.script = [Answer(json.dumps(UH_OH).encode(), 500)] * 9
    with pytest.raises(SourceError, match=r"Page 1 .* 5 attempt.*Uh oh.*--source synthetic"):
        api.fetch(3)
    assert api.waits_s == [1, 2, 4, 8]


@pytest.mark.usefixtures("small_pages")
def test_people_who_came_before_a_failure_are_kept(api: Api) -> None:
    people = fetch_people(api.url, 1, 0, 20, sleep=api.waits_s.append)
    first_page = [next(people) for _ in range(10)]
    api.script = [Answer(b"", 404)]
    with pytest.raises(SourceError, match=r"Page 2 .* 1 attempt.*404 Not Found"):
        next(people)
    assert len(first_page) == 10
    assert api.waits_s == []


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [("7", 7.0), ("Sun, 01 Mar 2026 12:01:30 GMT", 90.0), ("Sun, 01 Mar 2026 11:00:00 GMT", 1.0), ("soon", 60.0), (None, 60.0)],
)
def test_a_rate_limit_is_honoured(api: Api, header: str | None, wait_s: float) -> None:
    api.script = [Answer(b'{"error": "Whoa, ease up there cowboy."}', 429, {"Retry-After": header} if header else {})]
    assert len(api.fetch(3)) == 3
    assert api.waits_s == [wait_s]
    assert "cowboy" in api.notes[0][1]


def test_the_rate_limits_window_is_waited_out(api: Api) -> None:
    """The API counts in windows of five minutes: seven waits of a minute outlast one."""
    api.script = [Answer(b"", 429)] * 7
    assert len(api.fetch(1)) == 1
    assert sum(api.waits_s) > 300


def test_an_unreasonable_wait_is_refused(api: Api) -> None:
    api.script = [Answer(b"", 429, {"Retry-After": "86400"})]
    with pytest.raises(SourceError, match="come back in 86400 s"):
        api.fetch(1)
    assert api.waits_s == []


def test_a_server_that_says_nothing_is_not_waited_for(api: Api) -> None:
    api.script = [Answer(b"", hangs=True)]
    assert len(api.fetch(1, timeout_s=0.2)) == 1
    assert "no answer within 0.2 s" in api.notes[0][1]


def test_nobody_listens() -> None:
    with serving() as gone:
        pass
    with pytest.raises(SourceError, match=r"connection failed.*refused.*--source synthetic"):
        gone.fetch(1)


def test_an_address_that_is_none() -> None:
    with pytest.raises(SourceError, match=r"cannot be made.*--source synthetic"):
        Api("randomuser").fetch(1)


def test_an_endless_answer_is_cut_off(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(randomuser, "RESPONSE_BYTES_MAX", 1000)
    with pytest.raises(SourceError, match="longer than 1000 bytes"):
        api.fetch(10)


def test_more_people_than_the_api_has(api: Api) -> None:
    with pytest.raises(UsageError, match="50,000,000"):
        api.fetch(1, first=50_000_000)


def test_a_record_that_cannot_be_used_is_named(api: Api) -> None:
    def change(records: list[dict[str, Any]]) -> None:
        del records[2]["location"]["city"]

    api.script = [page_of(Query(3, 1, "s", "gb"), change)]
    with pytest.raises(SourceError, match=r"page 1 .* record 3, location.city is missing.*LIVETALLY_RANDOMUSER_URL"):
        api.fetch(3)


def changed(path: str, value: object) -> dict[str, Any]:
    person = record("s", 1, 1)
    *parents, name = path.split(".")
    place = person
    for parent in parents:
        place = place[parent]
    place[name] = value
    return person


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("login.uuid", "", "is empty"),
        ("login.uuid", "\x00", "is empty"),
        ("login.uuid", None, "is missing"),
        ("login", "text", "is missing"),
        ("gender", ["male"], "is neither text nor"),
        ("nat", True, "is neither text nor"),
        ("location.postcode", 1.5, "is neither text nor"),
        ("email", "x" * 256, "has 256 characters, more than the 255"),
        ("name.first", "x" * 250, "has 258 characters"),
        ("dob.date", "yesterday", "is not a date"),
        ("registered.age", "14", "is not a number of years"),
        ("registered.age", -1, "is not a number of years"),
        ("registered.age", 2**40, "is not a number of years"),
    ],
)
def test_a_fault_says_what_is_wrong(path: str, value: object, what: str) -> None:
    fault = voter_of(changed(path, value))
    assert isinstance(fault, Fault)
    assert path.partition(".")[0] in fault.field
    assert fault.what.startswith(what)


def test_a_record_that_is_none() -> None:
    assert voter_of([]) == Fault("the record", "is not an object")


def test_what_a_database_cannot_hold_is_taken_out() -> None:
    voter = voter_of(changed("location.city", "Bil\x00lings"))
    assert isinstance(voter, Voter)
    assert voter.address_city == "Billings"


def test_texts_that_may_be_empty() -> None:
    voter = voter_of(changed("phone", ""))
    assert isinstance(voter, Voter)
    assert not voter.phone_number
