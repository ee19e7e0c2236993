"""What the server answers before any script has run: the page's numbers, in Streamlit's own document."""

import asyncio
import gzip
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from streamlit import file_util

from livetally.core.access import PUBLIC, SESSION_COOKIE, Person, Role, credential_hash
from livetally.core.errors import UsageError
from livetally.show import server
from livetally.show.assets import Compressed
from livetally.show.first_look import first_look
from livetally.show.live import PAGES
from livetally.show.page import ICON, TITLE
from livetally.show.past import Answer
from livetally.show.result import Group
from livetally.show.scene import Moment
from livetally.show.server import application, looks
from livetally.show.serving import Serving
from livetally.show.shell import make_shell, read_shell
from livetally.show.sources import PERSON_HOLDS, person_with, sources_for
from livetally.show.warm import warm_up
from pages import ADMIN, NOW, TITLES, Told, election, page, result, snapshot, text, valued

STATIC = Path(file_util.get_static_dir())
PLACES = (Group("Kent", 300, 900), Group("Fife", 200, 400), Group("A & B <c>", 1, 9))
RESULT = replace(result({"Ada": 301, "Bo": 200}, places=PLACES), ages=(Group("18-24", 501, 900),), genders=(Group("female", 501, 900),))


def drawn(title: str = "Results", shown: Any = None, **asked: str) -> str:
    known = shown or snapshot(RESULT)
    which = next(one for one in PAGES if one.title == title)
    return first_look(sources_for(lambda: known, Told(), lambda: NOW, lambda: PUBLIC), which, Moment(NOW, UTC, " UTC"), asked)


def told(html: str, testid: str) -> list[str]:
    return re.findall(rf'data-testid="{testid}" data-value="([^"]*)"', html)


@pytest.mark.parametrize("title", TITLES)
def test_it_says_what_the_page_says(title: str) -> None:
    whole = page({"snapshot": snapshot(RESULT), "person": PUBLIC}, title)
    for testid in ("total-votes", "total-voters", "last-minute"):
        assert told(drawn(title), testid) == valued(whole, testid)
    assert "As of 21:00:06 UTC" in text(drawn(title))
    assert "As of 21:00:06 UTC" in text(drawn(title, view="wall"))


def test_its_links_are_real_and_carry_what_is_chosen() -> None:
    links = re.findall(r'href="(\./[^"]*)"', drawn("Results", election="e", every="20"))
    assert links == [f"./{one}?election=e&amp;every=20" for one in ("places", "people", "time", "trust")]


def test_nothing_counted_and_no_election() -> None:
    assert "Nothing has been counted yet" in drawn("Places", snapshot(result({})))
    assert "There is no election yet" in drawn("Results", snapshot(elections=()))


def test_text_from_people_never_becomes_markup() -> None:
    hostile = "<script>alert(1)</script>"
    shown = snapshot(result({hostile: 30, "Bo": 2}, places=(Group(hostile, 32, 50),)), elections=(election(name=hostile),))
    for title in TITLES:
        assert hostile not in drawn(title, shown, county=hostile, election='"><script>')
        assert '"><script>' not in drawn(title, shown, election='"><script>', every='"><script>', colour='"><script>')


def test_a_square_of_the_map_leads_to_its_place() -> None:
    html = drawn("Places", election="e", colour="Turnout")
    assert 'href="./places?election=e&amp;colour=Turnout&amp;county=Kent" target="_self"' in html
    assert "county=A+%26+B+%3Cc%3E" in html
    assert html.count("lt-tile-chosen") == 0
    assert drawn("Places", county="Fife").count("lt-tile-chosen") == 1
    assert page({"snapshot": snapshot(RESULT)}, "Places").get("html")


def test_streamlits_document_has_the_form_that_the_first_look_is_put_into() -> None:
    shell = read_shell(STATIC, TITLE, ICON)
    document = shell.around("<p>HERE</p>")
    assert (
        document.index("<style>")
        < document.index("<p>HERE</p>")
        < document.index('<div id="root">')
        < document.index('<script type="module"')
    )
    assert 'rel="stylesheet"' not in shell.before  # it would hold the first look back
    assert document.count("@font-face") == 2
    assert "<title>Election results</title>" in document
    assert "Streamlit app" not in document


def test_another_document_is_refused() -> None:
    with pytest.raises(ValueError, match="another form"):
        make_shell("<html></html>", TITLE, ICON, "", "")


class Asking(Told):
    asked_at = NOW

    def person(self, hashed: bytes) -> Answer[Person]:
        return Answer(ADMIN if hashed == credential_hash("good") else PUBLIC, self.asked_at)


def serving(asked_at: datetime = NOW) -> Serving:
    asking = Asking()
    asking.asked_at = asked_at
    return cast("Serving", SimpleNamespace(snapshot=snapshot(RESULT, elections=(election(visible="officials"),)), asking=asking))


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes


def get(app: ASGIApp, path: str, **headers: str) -> Answered:
    """One request, without a network. Names of headers have underscores here."""
    sent: list[Any] = []

    request = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not request:
            await asyncio.Event().wait()  # the other end stays until it has all
        return request.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    address, _, query = path.partition("?")
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": address, "root_path": "", "query_string": query.encode(), "headers": raw}

    async def ask() -> None:
        await app(scope, receive, send)

    asyncio.run(ask())
    body = b"".join(one.get("body", b"") for one in sent[1:])
    return Answered(sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}, body)


def test_the_server_answers_with_numbers_that_this_viewer_may_see() -> None:
    app = Starlette(routes=looks(STATIC, lambda: serving(datetime.now(UTC))))
    public = get(app, "/")
    assert public.headers["cache-control"] == "no-store"
    assert "frame-ancestors" in public.headers["content-security-policy"]
    assert b"total-votes" not in public.body
    assert b"The result is not public yet" in public.body
    official = get(app, "/places?election=e", cookie=f"{SESSION_COOKIE}=good")
    assert told(official.body.decode(), "total-votes") == ["501"]
    packed = get(app, "/", accept_encoding="gzip")
    assert len(packed.body) < len(public.body) / 3
    assert b"The result is not public yet" in gzip.decompress(packed.body)
    assert get(app, "/nowhere").status == HTTPStatus.NOT_FOUND  # here; Streamlit stands behind it


def test_a_page_is_opened_by_whom_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    hers = replace(PAGES[0], path="hers", who=Role.OFFICIAL)
    app = Starlette(routes=looks(STATIC, lambda: serving(datetime.now(UTC)), [*PAGES, hers]))
    assert get(app, "/hers").status == HTTPStatus.FORBIDDEN
    assert get(app, "/hers", cookie=f"{SESSION_COOKIE}=good").status == HTTPStatus.OK
    monkeypatch.setattr(server, "PAGES", [*PAGES, replace(hers, title="Silent", who=cast("Any", None))])
    with pytest.raises(UsageError, match="Silent"):
        application(STATIC, None)


def test_scripts_come_compressed_to_whoever_takes_that() -> None:
    script = next(one for one in STATIC.glob("static/js/index.*.js") if one.stat().st_size > 100_000)
    app = Compressed(StaticFiles(directory=STATIC), STATIC)
    for _ in range(2):
        packed = get(app, f"/static/js/{script.name}", accept_encoding="br, gzip")
        assert packed.headers["content-encoding"] == "gzip"
        assert "immutable" in packed.headers["cache-control"]
        assert gzip.decompress(packed.body) == script.read_bytes()
        assert len(packed.body) < script.stat().st_size / 2
    plain = get(app, f"/static/js/{script.name}", accept_encoding="identity")
    assert "content-encoding" not in plain.headers
    assert plain.body == script.read_bytes()
    assert "content-encoding" not in get(app, "/index.html", accept_encoding="gzip").headers


def test_a_page_that_cannot_be_drawn_is_served_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(warm_up(cast("Any", SimpleNamespace()), lambda: True))
    assert "not drawn once" in caplog.text


def test_who_looks_is_who_has_the_session() -> None:
    def person(now: Any = NOW, **cookies: str) -> Person:
        return person_with(serving(), {name.replace("HOST_", "__Host-"): value for name, value in cookies.items()}, now)

    assert person() == PUBLIC
    assert person(livetally_session="good").role is Role.ADMIN
    assert person(HOST_livetally_session="good").role is Role.ADMIN
    assert person(livetally_session="foreign") == PUBLIC
    assert person(NOW + PERSON_HOLDS * 1.1, livetally_session="good") == PUBLIC  # PostgreSQL has not been asked for a while
