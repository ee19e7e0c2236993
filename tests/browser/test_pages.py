"""The page in a real browser, on a real election: what people see, with whatever they see it, and the pictures of it.

Screenshots of every page go to build/screenshots/, which git ignores: look at them after a change of the page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from browsing import SERIOUS, SHOWN_WITHIN_MS, UNCLIPPED, await_live, chromium, sideways, tab_to
from commandline import Livetally, wait_until
from livetally.embedded import placing
from livetally.show.dashboard import answers

pytestmark = pytest.mark.browser

VOTERS_ASKED = 2000
SCREENSHOTS = Path(__file__).parents[2] / "build/screenshots"
PATHS = {"results": "", "places": "places", "people": "people", "time": "time", "trust": "trust", "wall": "?view=wall"}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "color_scheme": "light"},
}
ZOOMED_WIDTH_PX = 320  # what is left of 1,280 at 400 %
MOVED_PX_MAX = 12  # from the first look to the page


@dataclass
class Held:
    """An election that has been held, its page, and what the command line says of it."""

    url: str
    results: Any
    livetally: Livetally
    browser: Browser

    def open(self, path: str, **look: Any) -> Page:
        context = self.browser.new_context(locale="en-GB", timezone_id="Europe/London", **(look or LOOKS["light"]))
        page = context.new_page()
        page.set_default_timeout(SHOWN_WITHIN_MS)
        page.goto(f"{self.url}/{path}")
        expect(page.get_by_test_id("total-votes").first).to_have_attribute(
            "data-value", str(self.results["total_votes"]), timeout=SHOWN_WITHIN_MS
        )
        await_live(page)
        return page


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    livetally = Livetally(tmp_path_factory.mktemp("browser") / "data")
    livetally("run", "--voters", str(VOTERS_ASKED), "--rate", "max", "--exit-when-done", "--no-dashboard")
    livetally("up")
    serving = livetally.begin("dashboard")
    try:
        serving.wait_for("http://")
        address = re.search(r"http://[^\s/]+", serving.said())
        assert address is not None
        wait_until(lambda: answers(address.group()), "the page answers")
        with chromium() as browser:
            yield Held(address.group(), livetally.json("results"), livetally, browser)
    finally:
        serving.end()
        livetally("down")
        placing.remove(livetally.data_dir)
    assert livetally.processes() == []


@pytest.fixture(autouse=True)
def closed_again(held: Held) -> Iterator[None]:
    """Every open page goes on refreshing: the next test has the browser to itself."""
    yield
    for context in held.browser.contexts:
        context.close()


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_the_numbers_are_those_of_the_command_line(held: Held, path: str) -> None:
    page = held.open(path)
    expect(page.get_by_test_id("total-voters").first).to_have_attribute("data-value", str(VOTERS_ASKED))
    expect(page.get_by_test_id("simulation").first).to_be_visible()
    expect(page.get_by_test_id("agreement").first).to_have_attribute("data-state", "green", timeout=SHOWN_WITHIN_MS)
    total, registered = held.results["total_votes"], held.results["registered"]
    expect(page.get_by_test_id("turnout").first).to_have_text(f"{total / registered:.1%}")
    if path in {"", "?view=wall"}:
        first, second = held.results["candidates"][:2]
        expect(page.get_by_test_id("leader-name")).to_have_text(first["candidate_name"])
        shown = [int(one.get_attribute("data-votes") or -1) for one in page.get_by_test_id("candidate").all()]
        assert shown == [one["total_votes"] for one in held.results["candidates"]]
        expect(page.get_by_test_id("margin")).to_contain_text(f"{first['total_votes'] - second['total_votes']:,} vote")
    if path == "places":
        assert votes_in(page, ".lt-atlas") == total
    if path == "people":
        figures = ("ages", "genders", "parties", "party-shares", "turnout-ages", "turnout-genders")
        assert {one: votes_in(page, f"[data-testid=figure-{one}]") for one in figures} == dict.fromkeys(figures, total)
    if path == "time":
        scrubber = page.locator(".st-key-moment [role=slider]")
        if scrubber.count():  # an election that was held within one minute has no other moment than now
            scrubber.press("ArrowLeft")
            expect(page.locator("[data-testid=figure-then] [data-testid=sentence]")).to_contain_text("At ")
            (moment,) = parse_qs(urlsplit(page.url).query)["at"]
            total = held.livetally.json("results", "--at", f"{moment}:00Z")["total_votes"]
        assert votes_in(page, "[data-testid=figure-then]") == votes_in(page, "[data-testid=figure-then-map]") == total
    if path == "trust":
        for witness in ("ledger", "topic", "tally"):
            expect(page.get_by_test_id(witness)).to_have_attribute("data-value", str(total))


def votes_in(page: Page, selector: str) -> int:
    return sum(int(one.get_attribute("data-votes") or -1) for one in page.locator(f"{selector} [data-votes]").all())


def test_one_county_is_what_the_tally_says(held: Held) -> None:
    query = "SELECT state, sum(votes)::bigint AS votes FROM votes_by_state GROUP BY state ORDER BY votes DESC LIMIT 1"
    (largest,) = held.livetally.json("sql", query)
    page = held.open(f"places?county={largest['state'].replace(' ', '+')}")
    expect(page.get_by_test_id("own-place")).to_have_text(largest["state"])
    own = page.locator("[data-testid=figure-own] .lt-bar")
    expect(own.first).to_be_visible()
    assert sum(int(bar.get_attribute("data-votes") or -1) for bar in own.all()) == largest["votes"]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PATHS)
def test_pictures_and_accessibility(held: Held, name: str, look: str) -> None:
    """axe-core finds nothing serious in what we draw, and nothing leaves the screen at its side."""
    page = held.open(PATHS[name], **LOOKS[look])
    unclipped = page.add_style_tag(content=UNCLIPPED)
    faults = Axe().run(page, context={"include": [[".stHtml"]]}).response["violations"]
    unclipped.evaluate("one => one.remove()")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in faults if one["impact"] in SERIOUS] == []
    assert sideways(page) <= 0
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    if name != "wall":
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": LOOKS[look]["viewport"]["width"], "height": min(height + 20, 6000)})
    page.screenshot(path=SCREENSHOTS / f"{name}-{look}.png")


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_nothing_is_lost_at_400_percent(held: Held, path: str) -> None:
    page = held.open(path, viewport={"width": ZOOMED_WIDTH_PX, "height": 256})
    assert sideways(page) <= 0


def test_with_the_keyboard_alone(held: Held) -> None:
    """From Results to Places, and the map in another colour, without a mouse."""
    page = held.open("")
    tab_to(page, "Places")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/places"))
    await_live(page)
    expect(page.get_by_test_id("map")).to_be_visible()
    tab_to(page, "Leader")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("colour=Turnout"))
    expect(page.get_by_test_id("map")).to_contain_text("turnout")


def test_a_square_of_the_map_leads_to_its_place_with_the_keyboard_too(held: Held) -> None:
    query = "SELECT state, sum(votes)::bigint AS votes FROM votes_by_state GROUP BY state ORDER BY votes DESC LIMIT 2"
    largest, second = (one["state"] for one in held.livetally.json("sql", query))
    page = held.open("places?colour=Turnout")
    page.locator(f".lt-tile-link[title='{largest}']").click()
    expect(page.get_by_test_id("own-place")).to_have_text(largest)
    await_live(page)
    expect(page.get_by_test_id("own-place")).to_have_text(largest)
    expect(page.locator(".lt-tile-chosen")).to_have_count(1)
    assert "colour=Turnout" in page.url
    page.locator(f".lt-tile-link[title='{second}']").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("own-place")).to_have_text(second)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_before_any_script_has_run_the_page_is_there_and_nothing_moves_when_it_comes_alive(held: Held, path: str) -> None:
    """Without scripts: the numbers, and links that lead somewhere. With them: the same things at the same places."""
    plain = held.browser.new_context(java_script_enabled=False, timezone_id="Europe/London", **LOOKS["light"]).new_page()
    plain.goto(f"{held.url}/{path}")
    expect(plain.get_by_test_id("total-votes").first).to_have_attribute("data-value", str(held.results["total_votes"]))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    plain.screenshot(path=SCREENSHOTS / f"first-{path.strip('?').replace('=', '-') or 'results'}.png")
    live = held.open(path)
    for mark in ("total-votes", "election", "total-candidates"):
        before, after = plain.get_by_test_id(mark).first.bounding_box(), live.get_by_test_id(mark).first.bounding_box()
        assert before is not None
        assert after is not None
        assert abs(before["x"] - after["x"]) + abs(before["y"] - after["y"]) < MOVED_PX_MAX
    if path != "?view=wall":
        plain.get_by_role("link", name="Trust").click() if path != "trust" else plain.get_by_role("link", name="Results").click()
        expect(plain.get_by_test_id("total-votes")).to_have_attribute("data-value", str(held.results["total_votes"]))


def test_the_first_look_goes_without_a_gap(held: Held) -> None:
    """At no frame is there a page without its number, and no mark stands in the document twice."""
    page = held.browser.new_context(**LOOKS["light"]).new_page()
    page.add_init_script(_WATCH_NUMBER)
    page.goto(held.url)
    await_live(page)
    assert page.evaluate("window.gaps") == 0
    assert page.evaluate("window.twice") == 0


def test_a_refresh_moves_nothing(held: Held) -> None:
    """Scrolled down, with a table open and a choice made: after the next refresh all is where it was, and nothing was grey in between."""
    page = held.open("places?every=5")
    opened = page.get_by_text("Numbers: The map")
    opened.click()
    table = page.locator(".st-key-behind-map table")
    expect(table).to_be_visible()
    opened.scroll_into_view_if_needed()
    page.evaluate(_UNTIL_STILL)
    refreshed = page.get_by_test_id("refreshed")
    was = refreshed.inner_text()
    page.evaluate(_WATCH_OPACITY)
    before = [opened.bounding_box(), table.bounding_box()]
    expect(refreshed).not_to_have_text(was, timeout=SHOWN_WITHIN_MS)
    page.evaluate(_UNTIL_STILL)
    assert [opened.bounding_box(), table.bounding_box()] == before, (
        "where people see them: a line more or less above, out of sight, moves nothing"
    )
    expect(table).to_be_visible()
    assert page.evaluate("window.faintest") == 1


def test_a_table_goes_home_as_a_file(held: Held) -> None:
    page = held.open("")
    with page.expect_download() as taken:
        page.locator(".st-key-csv-all button").click()
    text = Path(taken.value.path()).read_text("utf-8")
    assert taken.value.suggested_filename.startswith("simulation-")
    assert text.count(",simulation,") == len(held.results["candidates"])


def test_no_other_server_learns_who_is_looking(held: Held) -> None:
    page = held.browser.new_context().new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(held.url)
    await_live(page)
    page.get_by_role("link", name="Places").click()
    expect(page.get_by_test_id("map")).to_be_visible()
    assert [url for url in asked if not url.startswith((held.url, held.url.replace("http", "ws"), "data:", "blob:"))] == []


# An opening table slides down; the page is still when for half a second's frames it has been as high as before, and scrolled as far.
_UNTIL_STILL = """() => new Promise(still => {
  const main = document.querySelector('[data-testid=stMain]');
  let before = '', same = 0;
  const look = () => {
    const now = `${main.scrollTop} ${main.scrollHeight}`;
    same = now === before ? same + 1 : 0;
    before = now;
    if (same === 30) still(); else requestAnimationFrame(look);
  };
  look();
})"""


_WATCH_OPACITY = """() => {
  window.faintest = 1;
  const look = () => {
    for (const one of document.querySelectorAll('.stMainBlockContainer .stElementContainer'))
      window.faintest = Math.min(window.faintest, parseFloat(getComputedStyle(one).opacity));
    requestAnimationFrame(look);
  };
  look();
}"""


_WATCH_NUMBER = """
window.gaps = 0; window.twice = 0;
let begun = false;
const look = () => {
  const found = document.querySelectorAll('[data-testid="total-votes"]').length;
  const first = document.getElementById('first-look');
  begun = begun || found > 0;
  if (begun && !found && !first) window.gaps += 1;
  if (found > 1) window.twice += 1;
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
