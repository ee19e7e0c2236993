"""A viewer with a real browser: Chromium, which notes when it has drawn which total."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from livetally.core.errors import ServiceError, UsageError

sync_api: Any
try:
    from playwright import sync_api
except ImportError:  # a tool of development
    sync_api = None

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
WITHIN_MS = 60_000
NEEDS = (
    "This benchmark looks at the page with a real browser. It needs Chromium (Debian: `apt-get install chromium`) and the tools of "
    "development, which `./livetally test quick` installs."
)

PAINTED = "performance.getEntriesByName('first-contentful-paint').length"
PAINTED_MS = "performance.timeOrigin + performance.getEntriesByName('first-contentful-paint')[0].startTime"
LIVE = "!document.getElementById('first-look')"  # Streamlit has drawn the page to its end: one can choose and click

# Noted in the frame behind the change: what is in the document then is what the next picture shows.
NOTE = """
window.livetallySeen = [];
new MutationObserver(() => {
    const one = document.querySelector('[data-testid="total-votes"]');
    const total = one ? Number(one.dataset.value) : 0;
    const seen = window.livetallySeen;
    if (total && (!seen.length || seen[seen.length - 1][1] !== total)) {
        const note = [0, total];
        seen.push(note);
        requestAnimationFrame(() => { note[0] = Date.now(); });
    }
}).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
"""

Seen = tuple[int, int]  # nanoseconds of the machine's monotonic clock, total


class Browser:
    def __init__(self, chromium: Any, url: str) -> None:
        self._chromium = chromium
        self._url = url

    @contextmanager
    def look(self, path: str = "") -> "Iterator[Looking]":
        """A page in a profile of its own: nothing is in its cache. `path`: which page."""
        with self._chromium.new_context() as context:
            context.add_init_script(NOTE)
            yield Looking(context.new_page(), self._url + path)


class Looking:
    """Raises ServiceError if the page does not come up."""

    def __init__(self, page: Any, url: str) -> None:
        self._page = page
        began_s = time.time()
        try:
            self._page.goto(url, timeout=WITHIN_MS)
            self._page.wait_for_function("window.livetallySeen.length && window.livetallySeen[0][0]", timeout=WITHIN_MS)
            self._page.wait_for_function(PAINTED, timeout=WITHIN_MS)
            # In the document, and drawn at all: a frame is called for before what is in it is drawn for the first time.
            self.first_view_s = max(self._page.evaluate("window.livetallySeen[0][0]"), self._page.evaluate(PAINTED_MS)) / 1e3 - began_s
            self._page.wait_for_function(LIVE, timeout=WITHIN_MS)
            self.live_s = time.time() - began_s
        except sync_api.Error as error:
            raise ServiceError(f"Chromium shows no number from {url}: {error.message.splitlines()[0]}") from error

    def seen(self) -> list[Seen]:
        ahead_ns = time.time_ns() - time.monotonic_ns()
        noted = self._page.evaluate("window.livetallySeen")
        return [(int(at_ms) * 1_000_000 - ahead_ns, total) for at_ms, total in noted if at_ms]


@contextmanager
def browser(url: str) -> Iterator[Browser]:
    """Raises UsageError where there is none."""
    program = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if sync_api is None or program is None:
        raise UsageError(NEEDS)
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield Browser(chromium, url)
        finally:
            chromium.close()
