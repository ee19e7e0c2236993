"""Looking at a page with a real Chromium."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

SHOWN_WITHIN_MS = 60_000
SERIOUS = {"serious", "critical"}  # what axe-core must not find
# Streamlit's frame hides what overflows it, and scrolls within: to axe-core all that has to be scrolled to is hidden, and it looks at none of it.
UNCLIPPED = ".stApp, .stApp > [data-testid=stAppViewContainer] { overflow: visible !important; }"


@contextmanager
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path is not None, "Chromium is not installed (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


def await_live(page: Page) -> None:
    """Until the first look has gone: Streamlit has drawn the page to its end."""
    expect(page.locator("#first-look")).to_have_count(0, timeout=SHOWN_WITHIN_MS)


def sideways(page: Page) -> int:
    """How many pixels one would have to scroll to the side."""
    return int(page.evaluate("(main => main.scrollWidth - main.clientWidth)(document.querySelector('[data-testid=stMain]'))"))


def tab_to(page: Page, text: str, presses_max: int = 200) -> None:
    """With the keyboard to what says this, or is labelled so."""
    for _ in range(presses_max):
        page.keyboard.press("Tab")
        if page.evaluate("(one => one.innerText || one.getAttribute('aria-label') || '')(document.activeElement)").strip() == text:
            return
    pytest.fail(f"the keyboard does not reach {text!r}")
