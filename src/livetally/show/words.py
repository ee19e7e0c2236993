"""Numbers, times and other people's text, made ready for a page."""

import html
import re
from datetime import datetime, timedelta, tzinfo

from livetally.core.tally import UNKNOWN

# Only pictures that lie in the address itself: a page must need no network, and an address on the web would tell
# its owner who is looking. A browser runs no script of an SVG that it draws as a picture.
_PORTRAIT = re.compile(r"data:image/(?:svg\+xml|png|jpeg|webp|gif)[;,][\x21-\x7e ]+")
_PORTRAIT_CHARS_MAX = 100_000  # ours have 1,000; somebody else's candidate must not slow every refresh down

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


def said(text: str) -> str:
    """Text from people as HTML that shows just that text: no markup, and no direction of writing that spreads beyond it."""
    return f"<bdi>{html.escape(text)}</bdi>"


def party(name: str) -> str:
    return said(name) if name and name != UNKNOWN else "no party known"


def portrait(photo: str, name: str, css_class: str) -> str:
    """The picture, or the name's initial where there is none that can be drawn. Decoration: the name stands beside it."""
    if len(photo) <= _PORTRAIT_CHARS_MAX and _PORTRAIT.fullmatch(photo):
        return f'<img class="lt-portrait {css_class}" alt="" src="{html.escape(photo)}">'
    return f'<span class="lt-portrait lt-initial {css_class}" aria-hidden="true">{html.escape(name.strip()[:1].upper()) or "?"}</span>'


def number(count: int) -> str:
    return f"{count:,}"


def percent(part: float) -> str:
    """One decimal; what is not all and not nothing never looks as if it were."""
    shown = f"{part:.1%}"
    if part < 1 and shown == "100.0%":
        return "99.9%"
    return "&lt;0.1%" if part > 0 and shown == "0.0%" else shown


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def time_of_day(moment: datetime, zone: tzinfo, today: datetime) -> str:
    """`21:04:03`, with the day before it unless it is today's."""
    local = moment.astimezone(zone)
    return f"{local:%H:%M:%S}" if local.date() == today.astimezone(zone).date() else f"{local:%-d %B %Y, %H:%M:%S}"


def length(time: timedelta) -> str:
    """`3 s`, `4 min`, `2 h`, `5 days`. A clock that is a little behind makes no negative age."""
    seconds = max(0, int(time.total_seconds()))
    if seconds < 2 * MINUTE_S:
        return f"{seconds} s"
    if seconds < 2 * HOUR_S:
        return f"{seconds // MINUTE_S} min"
    return f"{seconds // HOUR_S} h" if seconds < 2 * DAY_S else f"{seconds // DAY_S} days"
