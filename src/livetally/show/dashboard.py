"""How the page is started, and whether it answers."""

import sys
import urllib.request
from urllib.error import URLError

from livetally.settings import Settings

HEALTH_PATH = "/_stcore/health"
HEALTH_TIMEOUT_S = 2.0

_PAPER = {"light": "#FFFFFF", "dark": "#14171A"}
_INK = {"light": "#16191D", "dark": "#ECEDEE"}
_SIDEBAR = {"light": "#F5F4F1", "dark": "#1B1F23"}
_ACCENT = {"light": "#9A2B2B", "dark": "#F0938A"}


def command(_settings: Settings, port: int, address: str) -> list[str]:
    """The program and its arguments; it takes the addresses of Kafka and PostgreSQL from its environment.

    Every stage is started from the settings; none of them changes how a page is served.
    """
    return [sys.executable, "-m", "livetally.show.server", "--port", str(port), "--address", address]


def options(port: int, address: str) -> dict[str, str | int | bool]:
    """How Streamlit serves."""
    return {
        "server.headless": True,  # opens no browser, asks for no mail address
        "server.port": port,
        "server.address": address,
        "server.fileWatcherType": "none",  # it would look at every imported file again and again
        "server.runOnSave": False,
        "runner.postScriptGC": False,  # looking at every object behind each refresh of each viewer took three quarters of this server's time
        "browser.gatherUsageStats": False,
        "logger.level": "warning",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",  # a viewer is no developer; the log has it all
        "theme.font": "sans-serif",
        **{f"theme.{theme}.{name}": colour for theme in ("light", "dark") for name, colour in _colours(theme).items()},
    }


def answers(url: str, path: str = HEALTH_PATH) -> bool:
    """Whether the page at this address can be looked at, or what else is served there."""
    try:
        with urllib.request.urlopen(url.rstrip("/") + path, timeout=HEALTH_TIMEOUT_S) as response:  # noqa: S310 (our own address)
            return bool(response.status == 200)  # noqa: PLR2004 (HTTP's own number)
    except (URLError, TimeoutError, ConnectionError):
        return False


def _colours(theme: str) -> dict[str, str]:
    return {
        "backgroundColor": _PAPER[theme],
        "secondaryBackgroundColor": _SIDEBAR[theme],
        "textColor": _INK[theme],
        "primaryColor": _ACCENT[theme],
    }
