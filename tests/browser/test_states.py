"""What people see when not all is well, and when they have chosen something: with whatever they see and use it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, ViewportSize, expect

from browsing import SERIOUS, SHOWN_WITHIN_MS, UNCLIPPED, await_live, chromium, sideways, tab_to
from played import Playhouse

pytestmark = pytest.mark.browser

DESKTOP: ViewportSize = {"width": 1280, "height": 1024}
ZOOMED: ViewportSize = {"width": 320, "height": 256}  # what is left of it at 400 %
# In dark everything is as in light, but for its colours: of axe-core's rules these are about them.
SCHEMES: dict[Literal["light", "dark"], list[str]] = {"light": [], "dark": ["color-contrast", "link-in-text-block"]}
ROWS_ALIKE = ".lt-table tbody tr:nth-child(n + 4)"  # drawn as those above them, and most of what there would be to look at
# What is played, the address, and what shows that this state is there.
STATES = {
    "amber": ("amber", "trust", ".lt-agreement-amber"),
    "unknown": ("unknown", "trust", ".lt-agreement-unknown"),
    "a tie": ("tie", "", "[data-lead=tie]"),
    "all services away": ("all away", "", "[data-testid=notice] >> nth=3"),
    "closed": ("closed", "", ".lt-flag-closed"),
    "a poll": ("poll", "", "text=Option 01"),
}
# With a red badge, every notice there is, alerts, and the county of the longest name chosen.
ALARM, ALARMED = "alarm", "[data-testid=recounting]"
PATHS = {
    "Results": "",
    "Places": "places?county=East+Riding+of+Yorkshire",
    "People": "people",
    "Over time": "time",
    "Trust": "trust",
    "wall": "?view=wall",
}


@dataclass
class Looking:
    """One viewer, who keeps a page open at each address: to load one takes longer than all else here."""

    house: Playhouse
    context: BrowserContext
    pages: dict[str, Page] = field(default_factory=dict)

    def at(self, board: str, path: str, mark: str) -> Page:
        """A page that is already open shows another board at its next refresh; a wall refreshes by itself."""
        self.house.show(board)
        if path not in self.pages:
            self.pages[path] = self.open(path)
        elif path != PATHS["wall"]:
            refreshed = self.pages[path].locator("[data-refreshed]")
            was = refreshed.get_attribute("data-refreshed") or ""
            self.pages[path].get_by_role("button", name="Refresh now").click()
            expect(refreshed).not_to_have_attribute("data-refreshed", was, timeout=SHOWN_WITHIN_MS)
        expect(self.pages[path].locator(mark).first).to_be_visible(timeout=SHOWN_WITHIN_MS)
        return self.pages[path]

    def open(self, path: str) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(SHOWN_WITHIN_MS)
        page.goto(f"{self.house.url}/{path}{'&' if '?' in path else '?'}every=60")
        await_live(page)
        return page


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looking]:
    house = Playhouse(tmp_path_factory.mktemp("played"))
    try:
        with chromium() as browser:
            yield Looking(house, browser.new_context(viewport=DESKTOP, locale="en-GB", timezone_id="Europe/London"))
    finally:
        house.kill()


def test_the_refresh_button_and_its_slider_with_the_keyboard_alone(looking: Looking) -> None:
    page = looking.at("still", PATHS["Results"], "[data-state=green]")
    tab_onto(page, page.get_by_role("slider"))
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("every=59"), timeout=SHOWN_WITHIN_MS)
    expect(page.locator("[data-refreshed]")).to_have_attribute("data-every-s", "59", timeout=SHOWN_WITHIN_MS)
    looking.house.show("amber")
    tab_to(page, "Refresh now")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("agreement")).to_have_attribute("data-state", "amber", timeout=30_000)  # by itself it would take 59 s


def test_the_county_chooser_with_the_keyboard_alone(looking: Looking) -> None:
    """To another county, and back."""
    page = looking.at("still", PATHS["Places"], "[data-testid=own-place]")
    for county in ("Dumfries and Galloway", "East Riding of Yorkshire"):
        tab_onto(page, page.get_by_role("combobox", name="County"))
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("option").first).to_be_visible(timeout=SHOWN_WITHIN_MS)
        page.keyboard.type(county)
        expect(page.get_by_role("option")).to_have_count(1, timeout=SHOWN_WITHIN_MS)
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("own-place")).to_have_text(county, timeout=SHOWN_WITHIN_MS)
        expect(page).to_have_url(re.compile(f"county={county.split()[0]}"))


def test_the_scrubber_with_the_keyboard_alone(looking: Looking) -> None:
    page = looking.at("still", PATHS["Over time"], "[data-testid=figure-then]")
    then = page.get_by_test_id("figure-then").get_by_test_id("sentence")
    scrubber = page.locator(".st-key-moment").get_by_role("slider")
    tab_onto(page, scrubber)
    page.keyboard.press("ArrowLeft")
    expect(then).to_contain_text("At ", timeout=SHOWN_WITHIN_MS)
    expect(page).to_have_url(re.compile("at=2026-05-04T19"))
    expect(scrubber).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(then).to_contain_text("Now: ", timeout=SHOWN_WITHIN_MS)


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_serious(looking: Looking, state: str) -> None:
    page = looking.at(*STATES[state])
    assert [(scheme, serious) for scheme in SCHEMES if (serious := serious_in(page, scheme))] == []


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_axe_finds_nothing_serious_in_red_with_every_table_opened(looking: Looking, path: str) -> None:
    page = looking.at(ALARM, path, ALARMED)
    open_tables(page)
    assert [(scheme, serious) for scheme in SCHEMES if (serious := serious_in(page, scheme))] == []


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_at_400_percent_nothing_scrolls_sideways(looking: Looking, path: str) -> None:
    """With every notice, a chosen county, and the tables opened."""
    page = looking.at(ALARM, path, ALARMED)
    open_tables(page)
    page.set_viewport_size(ZOOMED)
    page.wait_for_function("document.querySelector('[data-testid=stMain]').clientWidth === innerWidth")
    assert sideways(page) <= 0


def tab_onto(page: Page, wanted: Locator, presses_max: int = 200) -> None:
    """With the keyboard to what has no words of its own."""
    expect(wanted).to_be_visible()
    for _ in range(presses_max):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    pytest.fail(f"the keyboard does not reach {wanted}")


def open_tables(page: Page) -> None:
    """Every table behind a chart, until it has been drawn to its end."""
    page.evaluate("document.querySelectorAll('details:not([open]) > summary').forEach(one => one.click())")
    for table in page.locator("details table").all():
        expect(table).to_be_visible(timeout=SHOWN_WITHIN_MS)
    page.wait_for_function("[...document.querySelectorAll('details')].every(one => !one.getAnimations({subtree: true}).length)")


def serious_in(page: Page, scheme: Literal["light", "dark"]) -> list[tuple[str, list[str]]]:
    """What axe-core calls serious in what we draw."""
    page.emulate_media(color_scheme=scheme)
    expect(page.locator(".stApp")).to_have_css("color-scheme", scheme, timeout=SHOWN_WITHIN_MS)
    options = {"resultTypes": ["violations"]} | ({"runOnly": only} if (only := SCHEMES[scheme]) else {})
    unclipped = page.add_style_tag(content=UNCLIPPED)
    found = Axe().run(page, context={"include": [[".stHtml"]], "exclude": [[ROWS_ALIKE]]}, options=options).response["violations"]
    unclipped.evaluate("one => one.remove()")
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found if one["impact"] in SERIOUS]
