"""The page while numbers change, on a wall, on a telephone, and when its own server is gone: an election that is played, in a real browser."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect

from browsing import SERIOUS, SHOWN_WITHIN_MS, await_live, chromium, sideways, tab_to
from played import Playhouse

pytestmark = pytest.mark.browser

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
HALL: dict[str, ViewportSize] = {"1920": {"width": 1920, "height": 1080}, "1280": {"width": 1280, "height": 800}}
PATHS = {"results": "", "places": "places", "people": "people", "time": "time", "trust": "trust"}


@dataclass
class Play:
    house: Playhouse
    browser: Browser

    def open(self, path: str, board: str = "moving", viewport: ViewportSize = DESKTOP) -> Page:
        self.house.show(board)
        page = self.browser.new_context(viewport=viewport, locale="en-GB", timezone_id="Europe/London").new_page()
        page.set_default_timeout(SHOWN_WITHIN_MS)
        page.goto(f"{self.house.url}/{path}")
        await_live(page)
        return page


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    house = Playhouse(tmp_path_factory.mktemp("played"))
    try:
        with chromium() as browser:
            yield Play(house, browser)
    finally:
        house.kill()


@pytest.fixture(autouse=True)
def closed_again(play: Play) -> Iterator[None]:
    yield
    for context in play.browser.contexts:
        context.close()


@pytest.mark.parametrize("size", HALL)
@pytest.mark.parametrize(("board", "notices"), [("six", 0), ("tie", 0), ("away", 2), ("all away", 2)])
def test_the_wall_fits_its_screen_with_everything_that_has_to_be_seen(play: Play, board: str, notices: int, size: str) -> None:
    page = play.open("?view=wall", board, HALL[size])
    assert page.evaluate("(main => main.scrollHeight - main.clientHeight)(document.querySelector('[data-testid=stMain]'))") == 0
    expect(page.get_by_test_id("notice")).to_have_count(notices)
    bars = page.get_by_test_id("candidate")
    assert bars.count() == 6 - notices
    for one in (*page.get_by_test_id("notice").all(), *bars.all(), page.get_by_test_id("agreement"), page.get_by_test_id("age")):
        expect(one).to_be_in_viewport(ratio=1)
    # What one bar is written in lies above the next one, and the last one above the figures.
    edges = [box["y"] + box["height"] for one in bars.all() if (box := one.bounding_box())]
    tops = [box["y"] for one in (*bars.all()[1:], page.locator(".lt-wall-figures")) if (box := one.bounding_box())]
    assert all(edge <= top + 1 for edge, top in zip(edges, tops, strict=True))
    for one in page.get_by_test_id("notice").all():
        assert float(one.evaluate("one => parseFloat(getComputedStyle(one).fontSize)")) >= HALL[size]["height"] / 40


def test_a_refresh_keeps_the_focus_the_selection_and_every_place(play: Play) -> None:
    """While every square of the map changes."""
    page = play.open("places?county=Kent&every=5")
    page.locator(".lt-tile-link[title='Fife']").focus()
    page.evaluate(_SELECT, "own-place")
    page.evaluate("window.focused = document.activeElement; window.squares = [...document.querySelectorAll('.lt-map .lt-tile')]")
    page.evaluate(_WATCH_OPACITY)
    opened = page.get_by_text("Numbers: The map")
    before = opened.bounding_box()
    votes = page.locator(".lt-tile[data-key='Fife']").get_attribute("data-votes")
    with refreshed(page, times=2):
        pass
    assert page.locator(".lt-tile[data-key='Fife']").get_attribute("data-votes") != votes
    assert page.evaluate("document.activeElement === window.focused && document.activeElement.title") == "Fife"
    assert page.evaluate("String(getSelection())") == "Kent"
    assert page.evaluate("window.squares.every(one => one.isConnected)")
    assert opened.bounding_box() == before
    assert page.evaluate("window.faintest") == 1


def test_numbers_that_get_longer_or_shorter_move_nothing_below_their_sentence(play: Play) -> None:
    page = play.open("time?every=60", "still")
    heights = page.evaluate(_REWORD)
    assert len(heights) >= 3
    for before, longer, shorter, again, _ in heights:
        assert longer == shorter == again == before
    assert any(much_shorter < before for before, *_, much_shorter in heights), "no sentence keeps all of its room for ever"


def test_tabbing_over_the_map_goes_on_where_it_was(play: Play) -> None:
    page = play.open("places")
    page.locator(".lt-tile-link[title='Fife']").focus()
    with refreshed(page):
        page.keyboard.press("Tab")
    after = page.evaluate("document.activeElement.title")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.title") == "Fife" != after


@pytest.mark.parametrize(("path", "gone"), [("", "killed"), ("?view=wall", "frozen")])
def test_a_server_that_is_gone_leaves_no_green_badge_and_the_page_recovers(play: Play, path: str, gone: str) -> None:
    page = play.open(path)
    badge, lost = page.get_by_test_id("agreement"), page.get_by_test_id("lost")
    expect(badge).to_have_attribute("data-state", "green")
    expect(lost).to_be_hidden()
    away: Callable[[], AbstractContextManager[None]] = play.house.frozen if gone == "frozen" else play.house.killed
    with away():
        expect(badge).to_have_attribute("data-state", "unknown", timeout=SHOWN_WITHIN_MS)
        expect(badge).to_have_text(re.compile(r"^Not known: no news for \d+ s$"))
        expect(lost).to_be_visible()
        expect(lost).to_be_in_viewport(ratio=1)
        assert int((page.locator("[data-old-s]").inner_text()).split(" ")[0]) >= 15
    expect(badge).to_have_attribute("data-state", "green", timeout=SHOWN_WITHIN_MS)
    expect(badge).to_have_text("Ledger, topic and tally agree")
    expect(lost).to_be_hidden()


def test_who_refreshes_once_a_minute_is_not_told_that_the_connection_is_lost(play: Play) -> None:
    assert play.open("?every=60").locator("[data-refreshed]").get_attribute("data-every-s") == "60"


@pytest.mark.parametrize("path", ["", "places?county=Kent", "time"])
def test_a_telephone_shows_every_column(play: Play, path: str) -> None:
    page = play.open(path, viewport=PHONE)
    for one in page.get_by_text(re.compile("^Numbers: ")).all():
        one.click()
    tables = page.locator("table.lt-table")
    expect(tables.last).to_be_visible()
    for table in tables.all():
        titles = table.locator("th").evaluate_all("all => all.map(one => one.textContent)")
        assert table.locator("tbody tr").count(), titles
        seen = table.evaluate(
            "table => [...table.tHead.rows[0].cells, ...table.tBodies[0].rows[0].querySelectorAll('.lt-below-title')]"
            ".filter(one => one.checkVisibility()).map(one => one.textContent)"
        )
        assert sorted(seen) == sorted(titles)
    assert sideways(page) <= 0


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_the_first_look_alone_passes_axe(play: Play, path: str) -> None:
    """As it stands where Streamlit's scripts never come."""
    play.house.show("still")
    page = play.browser.new_context(viewport=DESKTOP).new_page()
    page.route("**/static/js/**", lambda route: route.abort())
    page.goto(f"{play.house.url}/{path}")
    expect(page.locator("#first-look")).to_be_visible()
    faults = Axe().run(page, context={"include": [["#first-look"]]}).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in faults if one["impact"] in SERIOUS] == []


def test_the_first_look_stays_until_every_control_is_drawn(play: Play) -> None:
    """Their scripts come last, and what stands in for them meanwhile is of another height."""
    play.house.show("still")
    page = play.browser.new_context(viewport=DESKTOP).new_page()
    awaited: list[Route] = []
    page.route(re.compile(r"/static/js/(ButtonGroup|Slider)\."), lambda route: awaited.append(route))  # noqa: PLW0108 (Playwright marks what it is given, and cannot mark a list's method)
    page.goto(f"{play.house.url}/places")
    expect(page.locator("#root .lt-footer")).to_have_count(1, timeout=SHOWN_WITHIN_MS)
    expect(page.locator("#first-look")).to_be_visible()
    assert len(awaited) == 2
    for one in awaited:
        one.continue_()
    await_live(page)
    assert page.get_by_test_id("stSkeleton").count() == 0


def test_the_controls_with_the_keyboard_alone(play: Play) -> None:
    """Slider, search, order, pages, a table behind a chart, and a file; all of it while numbers change."""
    page = play.open("places")
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("every=6"))
    page.get_by_label("Find a county").focus()
    page.keyboard.type("shire")
    table = page.locator(".st-key-table-counties table")
    expect(table).to_contain_text("of 31")
    expect(table).not_to_contain_text("Argyll")
    page.get_by_label("Sort by").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="Registered")).to_be_visible()
    page.keyboard.type("Registered")
    page.keyboard.press("Enter")
    expect(table.locator("th[aria-sort]")).to_have_text("Registered")
    tab_to(page, "2")
    page.keyboard.press("Enter")
    expect(table.locator("caption")).to_contain_text("11–20")
    with page.expect_download():
        tab_to(page, "Save as CSV (simulation)")
        page.keyboard.press("Enter")
    page.locator(".st-key-behind-map summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-behind-map table")).to_be_visible()


def test_the_scrubber_with_the_keyboard_alone(play: Play) -> None:
    page = play.open("time")
    page.get_by_role("slider").last.focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(r"at=2026-05-04T19"))
    expect(page.get_by_test_id("figure-then")).to_contain_text("At ")


def test_a_square_of_the_map_takes_along_what_is_chosen_of_the_table(play: Play) -> None:
    page = play.open("places?level=Cities&sort-cities=Turnout&order-cities=Ascending&page-cities=2&every=20")
    caption = page.locator(".st-key-table-cities caption")
    expect(caption).to_contain_text("11–20")
    page.locator(".lt-tile-link[title='Fife']").click()
    expect(page.get_by_test_id("own-place")).to_have_text("Fife")
    await_live(page)
    expect(caption).to_contain_text("11–20")
    expect(page.locator(".st-key-table-cities th[aria-sort=ascending]")).to_have_text("Turnout")
    assert "every=20" in page.url


@contextmanager
def refreshed(page: Page, times: int = 1) -> Iterator[None]:
    """What is done within it, and then so many refreshes."""
    mark = page.locator("#root [data-refreshed]")
    yield
    for _ in range(times):
        was = mark.get_attribute("data-refreshed") or ""
        expect(mark).not_to_have_attribute("data-refreshed", was, timeout=SHOWN_WITHIN_MS)


_SELECT = """mark => {
  const range = document.createRange();
  range.selectNodeContents(document.querySelector(`#root [data-testid=${mark}]`));
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}"""

# How high each text with a sentence is when it is new, with longer numbers, with shorter ones, as at first, and with a word.
_REWORD = """async () => {
  const settled = async () => { for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame); };
  const heights = [];
  for (const one of document.querySelectorAll('#root .stHtml:has(.lt-sentence)')) {
    const next = document.createElement('template');
    next.innerHTML = one.innerHTML;
    const sentence = next.content.querySelector('.lt-sentence'), said = sentence.textContent;
    sentence.removeAttribute('style');
    const high = [];
    one.innerHTML = '';
    for (const text of [said, `${said} 99`, said.slice(0, -12), said, 'Yes.']) {
      sentence.textContent = text;
      one.innerHTML = next.innerHTML;
      await settled();
      high.push(one.offsetHeight);
    }
    heights.push(high);
  }
  return heights;
}"""

_WATCH_OPACITY = """() => {
  window.faintest = 1;
  const look = () => {
    for (const one of document.querySelectorAll('.stMainBlockContainer .stElementContainer'))
      window.faintest = Math.min(window.faintest, parseFloat(getComputedStyle(one).opacity));
    requestAnimationFrame(look);
  };
  look();
}"""
