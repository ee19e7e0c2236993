"""The ballot page in a real browser: from the code to the receipt, without a script, with the keyboard, and on every wrong turn.

Screenshots go to build/screenshots/, which git ignores: look at them after a change of the page.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from booths import REAL, TESTER, cast, hold_real_election, issue_codes
from livetally.adapters.ballot_sender import Sender, Tell
from livetally.adapters.codes import Codes, codes_key
from livetally.core.wire import BALLOTS
from livetally.web.booth.words import NOTHING_NOW
from livetally.web.parts import every_part
from pipeline import Pipeline, clean_pipeline, recording
from servers import Servers
from website import Site, served

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).parents[2] / "build/screenshots"
VOTERS = 60
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "color_scheme": "light"},
    "at 400 percent": {"viewport": {"width": 320, "height": 256}, "color_scheme": "dark"},
}
PORTRAIT = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="


@dataclass
class Polls:
    pipeline: Pipeline
    site: Site
    browser: Browser
    codes: dict[str, str]
    senders: list[Sender] = field(default_factory=list)
    _next: int = 0

    def code(self) -> str:
        """Of somebody who has not voted yet."""
        self._next += 1
        return self.codes[f"v{self._next}"]

    def context(self, **look: Any) -> BrowserContext:
        context = self.browser.new_context(**({"java_script_enabled": False} | (look or LOOKS["light"])))
        context.set_default_timeout(30_000)
        return context

    def page(self, **look: Any) -> Page:
        return self.context(**look).new_page()

    def at_ballot(self, code: str, context: BrowserContext | None = None) -> Page:
        page = (context or self.context()).new_page()
        page.goto(f"{self.site.url}/vote/{REAL}")
        enter(page, code)
        return page

    def ballots(self) -> int:
        return self.pipeline.end(BALLOTS)


@pytest.fixture(scope="module")
def polls(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Polls]:
    senders: list[Sender] = []

    def make_sender(bootstrap_servers: str, wait_ms: int, tell: Tell) -> Sender:
        senders.append(Sender(bootstrap_servers, wait_ms, tell))
        return senders[-1]

    with clean_pipeline(servers, tmp_path_factory.mktemp("booth")) as pipeline, sync_playwright() as playwright:
        hold_real_election(pipeline.connection, VOTERS)
        pipeline.sql("UPDATE candidates SET photo_url = %s", (PORTRAIT,))
        codes = issue_codes(pipeline.connection, pipeline.data_dir)
        browser = playwright.chromium.launch(
            executable_path=_chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        with served(pipeline.kafka, pipeline.database_url, parts=every_part(make_sender), data_dir=pipeline.data_dir) as site:
            yield Polls(pipeline, site, browser, codes, senders)
        browser.close()


@pytest.fixture(autouse=True)
def closed_again(polls: Polls) -> Iterator[None]:
    yield
    for context in polls.browser.contexts:
        context.close()


def enter(page: Page, code: str) -> None:
    page.get_by_label("Your voting code").fill(code)
    page.get_by_role("button", name="Go on").click()


def choose(page: Page, name: str = "ada") -> None:
    page.get_by_label(f"Name of {name}-{REAL}").check()
    page.get_by_role("button", name="Go on to check").click()


def cast_it(page: Page) -> None:
    page.get_by_role("button", name="Cast this ballot").click()


def heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def test_a_voter_casts_a_ballot_and_keeps_the_receipt(polls: Polls) -> None:
    code, before = polls.code(), polls.ballots()
    page = polls.at_ballot(code)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Choose: Election of {REAL}")
    choose(page, "ben")
    expect(page.get_by_text(f"Name of ben-{REAL}")).to_be_visible()
    assert polls.ballots() == before
    cast_it(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your ballot is cast")
    assert polls.ballots() == before + 1
    receipt = page.get_by_test_id("receipt").inner_text()
    with recording(polls.pipeline):
        polls.pipeline.await_decided()
        page.get_by_role("link", name="Look again").click()
        expect(page.get_by_test_id("state")).to_have_attribute("data-state", "accepted")
    assert "ben" not in page.content()
    followed = polls.page()
    followed.goto(f"{polls.site.url}/receipts")
    followed.get_by_label("Your receipt").fill(code)
    followed.get_by_role("button", name="Look it up").click()
    expect(followed.get_by_role("alert")).to_contain_text("a voting code is no receipt")
    assert followed.url == f"{polls.site.url}/receipts"
    followed.get_by_label("Your receipt").fill(receipt.lower())
    followed.get_by_role("button", name="Look it up").click()
    expect(followed.get_by_test_id("state")).to_have_attribute("data-state", "accepted")
    letters = code.replace("-", "")
    assert [
        url for url in asked if letters in url.replace("-", "").upper() or "ben" in url or not url.startswith((polls.site.url, "data:"))
    ] == []


def test_the_order_is_another_for_everybody_and_the_same_on_reload(polls: Polls) -> None:
    orders = set()
    for _ in range(6):
        page = polls.at_ballot(polls.code())
        names = page.locator(".candidate .name").all_inner_texts()
        page.reload()
        assert page.locator(".candidate .name").all_inner_texts() == names
        assert page.locator(".candidate img").count() == len(names)
        orders.add(tuple(names))
    assert len(orders) > 1


def test_with_the_keyboard_alone(polls: Polls) -> None:
    page = polls.page(java_script_enabled=True)
    page.goto(f"{polls.site.url}/vote")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type(polls.code())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Choose")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your choice")
    while page.evaluate("document.activeElement.textContent") != "Cast this ballot":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your ballot is cast")


def test_a_code_that_was_used_says_that_the_vote_stands(polls: Polls) -> None:
    code = polls.code()
    receipt = cast(polls.site.url, code).json()["receipt"]
    before = polls.ballots()
    page = polls.at_ballot(code)
    assert heading(page) == "Your ballot had been cast already"
    expect(page.get_by_text("This code has been used. The ballot that was cast with it stands. Nothing was cast just now.")).to_be_visible()
    assert page.get_by_test_id("receipt").inner_text().replace("-", "") == receipt
    assert polls.ballots() == before


def test_codes_that_are_none(polls: Polls) -> None:
    page = polls.at_ballot("")  # the browser itself asks for one
    assert heading(page) == f"Vote: Election of {REAL}"
    for typed, said in {"abc": "This is no voting code", "0" * 25 + "1": "no voting code|not known"}.items():
        page = polls.at_ballot(typed)
        expect(page.get_by_role("alert")).to_contain_text(re.compile(said))
        assert page.title().startswith("Error: ")
        assert page.get_by_label("Your voting code").get_attribute("aria-invalid") == "true"


def test_a_void_code(polls: Polls) -> None:
    connection = polls.pipeline.connection
    voter_id = f"v{VOTERS - 1}"
    with connection.transaction():
        Codes(connection, codes_key(connection, polls.pipeline.data_dir)).reissue(REAL, voter_id, TESTER)
    page = polls.at_ballot(polls.codes[voter_id])
    assert heading(page) == "This code is void"
    expect(page.get_by_test_id("vote")).to_have_text(NOTHING_NOW)


def test_nothing_chosen(polls: Polls) -> None:
    page = polls.at_ballot(polls.code())
    page.get_by_role("button", name="Go on to check").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is chosen")
    choose(page)
    assert heading(page) == "Check your choice"
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_label(f"Name of ada-{REAL}")).to_be_checked()


def test_back_after_casting(polls: Polls) -> None:
    page = polls.at_ballot(polls.code())
    choose(page)
    cast_it(page)
    before = polls.ballots()
    page.goto(f"{polls.site.url}/vote/{REAL}/ballot")
    assert heading(page) == "Your ballot had been cast already"
    page.go_back()
    page.reload()
    assert heading(page) in ("Your ballot is cast", "Your ballot had been cast already")
    assert polls.ballots() == before


def test_two_windows(polls: Polls) -> None:
    """The first stands; the second says that its choice was not taken."""
    context, code = polls.context(), polls.code()
    one, other = polls.at_ballot(code, context), context.new_page()
    other.goto(f"{polls.site.url}/vote/{REAL}/ballot")
    choose(one, "ada")
    choose(other, "cleo")
    cast_it(one)
    before = polls.ballots()
    cast_it(other)
    assert heading(other) == "Your ballot had been cast already"
    expect(other.get_by_text("what you have just chosen was not taken")).to_be_visible()
    assert other.get_by_test_id("receipt").inner_text() == one.get_by_test_id("receipt").inner_text()
    assert polls.ballots() == before


def test_a_double_click(polls: Polls) -> None:
    page = polls.at_ballot(polls.code())
    choose(page)
    before = polls.ballots()
    page.get_by_role("button", name="Cast this ballot").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Your ballot (is cast|had been cast already)"))
    assert polls.ballots() == before + 1


def test_a_form_that_has_expired(polls: Polls) -> None:
    page = polls.at_ballot(polls.code())
    choose(page)
    page.context.clear_cookies()
    before = polls.ballots()
    cast_it(page)
    assert heading(page) == "This page has expired"
    expect(page.get_by_test_id("vote")).to_contain_text("Nothing was cast by what you just did.")
    assert polls.ballots() == before


def test_a_form_of_somebody_elses_making(polls: Polls) -> None:
    code = polls.code()
    with requests.Session() as session:
        page = session.get(f"{polls.site.url}/vote/{REAL}", timeout=10).text
        found = re.search(r'name="form_token" value="(\w+)"', page)
        assert found is not None
        assert session.post(f"{polls.site.url}/vote/code", data={"code": code}, timeout=10).status_code == 403
        stolen = requests.post(f"{polls.site.url}/vote/code", data={"code": code, "form_token": found[1]}, timeout=10)
        assert stolen.status_code == 403
        cookie = session.get(f"{polls.site.url}/vote", timeout=10).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_pages_are_kept_by_nobody_and_run_nothing(polls: Polls) -> None:
    answer = requests.get(f"{polls.site.url}/vote/{REAL}", timeout=10)
    assert answer.headers["cache-control"] == "no-store"
    assert "'unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")  # no other server learns of it
    assert not re.search(r"<script|<style| style=| on\w+=", answer.text)


def test_elections_in_which_nothing_can_be_cast(polls: Polls) -> None:
    connection, now = polls.pipeline.connection, datetime.now(UTC)
    hold_real_election(connection, 0, "later", opens_at=now + timedelta(hours=1))
    hold_real_election(connection, 0, "over", closes_at=now - timedelta(minutes=1))
    hold_real_election(connection, 0, "made-up", kind="simulated")
    hold_real_election(connection, 0, "hidden", status="draft", opens_at=None)
    for election_id, title, vote in (
        ("later", "The election is not open yet", "your code is still good"),
        ("over", "The election is closed", "Nothing was cast"),
    ):
        code = issue_codes(connection, polls.pipeline.data_dir, election_id)["v1"]
        page = polls.page()
        page.goto(f"{polls.site.url}/vote/{election_id}")
        enter(page, code)
        assert heading(page) == title
        expect(page.get_by_test_id("vote")).to_contain_text(vote)
    for election_id, title in (("made-up", "Nobody can vote here"), ("hidden", "no such election"), ("none", "no such election")):
        page = polls.page()
        page.goto(f"{polls.site.url}/vote/{election_id}")
        assert title in heading(page)


def test_kafka_away(polls: Polls) -> None:
    page = polls.at_ballot(polls.code())
    choose(page)
    (sender,) = polls.senders
    before = polls.ballots()
    sender.is_away, probe = True, sender._probe
    sender._probe = lambda: None  # type: ignore[method-assign]
    try:
        cast_it(page)
        assert heading(page) == "Ballots cannot be taken at present"
        expect(page.get_by_test_id("vote")).to_have_text(NOTHING_NOW)
    finally:
        sender._probe = probe  # type: ignore[method-assign]
        sender.is_away = False
    assert polls.ballots() == before


def test_leaving_forgets_the_code(polls: Polls) -> None:
    page = polls.at_ballot(polls.code())
    page.get_by_role("button", name="Leave without voting").click()
    page.goto(f"{polls.site.url}/vote/{REAL}/ballot")
    assert heading(page) == "This page has expired"


def test_it_says_who_can_see_how_people_vote(polls: Polls) -> None:
    page = polls.page()
    page.goto(f"{polls.site.url}/vote/{REAL}")
    expect(page.get_by_text("This is not a secret ballot.")).to_be_visible()
    expect(page.get_by_text("not meant for binding public elections")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_pictures_and_accessibility(polls: Polls, look: str) -> None:
    """axe-core finds nothing on any page of the way, and nothing leaves the screen at its side."""
    context = polls.context(**LOOKS[look], java_script_enabled=True)  # for axe; the page has no script of its own
    page = context.new_page()
    page.goto(f"{polls.site.url}/vote/{REAL}")
    faults = _looked_at(page, "code", look)
    enter(page, "abc")
    faults += _looked_at(page, "code-fault", look)
    enter(page, polls.code())
    faults += _looked_at(page, "ballot", look)
    page.get_by_role("button", name="Go on to check").click()
    faults += _looked_at(page, "ballot-fault", look)
    choose(page)
    faults += _looked_at(page, "review", look)
    cast_it(page)
    faults += _looked_at(page, "receipt", look)
    page.goto(f"{polls.site.url}/receipts")
    faults += _looked_at(page, "follow", look)
    page.goto(f"{polls.site.url}/vote/none")
    faults += _looked_at(page, "message", look)
    assert faults == []


def _looked_at(page: Page, name: str, look: str) -> list[tuple[str, str, list[str]]]:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"booth-{name}-{look.replace(' ', '-')}.png", full_page=True)
    sideways = int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
    found = [(name, one["id"], [node["html"] for node in one["nodes"]]) for one in Axe().run(page).response["violations"]]
    return found + ([(name, f"{sideways} pixels to the side", [])] if sideways > 0 else [])


def _chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path is not None, "Chromium is not installed (Debian: apt-get install chromium)"
    return path
