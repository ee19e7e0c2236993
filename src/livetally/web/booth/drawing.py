"""Templates, which escape whatever they are given, and the pictures in them."""

import base64
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

import segno
from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from livetally.core.codes import grouped
from livetally.web.booth.words import Told

KEPT_S = 3600


def draw(template: str, status: int = 200, **values: object) -> HTMLResponse:
    """Kept by nobody: the next who sits at this machine sees nothing by going back."""
    return HTMLResponse(_templates().get_template(f"{template}.html").render(values), status, {"Cache-Control": "no-store"})


def message(told: Told, *, address: str = "/vote", link: str = "Enter a code") -> HTMLResponse:
    page = draw("message", told.status, told=told, address=address, link=link)
    if told.status == 503:  # noqa: PLR2004 (a service is away)
        page.headers["Retry-After"] = "5"
    return page


def style() -> Response:
    text = files("livetally.web.booth").joinpath("pages", "booth.css").read_text("utf-8")
    return Response(text, media_type="text/css", headers={"Cache-Control": f"public, max-age={KEPT_S}"})


def qr(text: str) -> str:
    """As a data URI: no other server, and no file, learns of it."""
    return segno.make(text, error="m", micro=False).svg_data_uri(scale=5, dark="#000", light="#fff", border=4)


def portrait(photo_url: str) -> str | None:
    """Only one that lies in the list itself: a picture from elsewhere would tell that server who votes."""
    kind, _, content = photo_url.partition(",")
    if not kind.startswith("data:image/") or not content:
        return None
    return photo_url if kind.endswith(";base64") and _is_base64(content) else None


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%-d %B %Y, %H:%M UTC")


def _is_base64(content: str) -> bool:
    try:
        return bool(base64.b64decode(content, validate=True))
    except ValueError:
        return False


@cache
def _templates() -> Environment:
    found = Environment(
        loader=PackageLoader("livetally.web.booth", "pages"), autoescape=select_autoescape(default=True), undefined=StrictUndefined
    )
    found.filters |= {"moment": moment, "grouped": grouped, "portrait": portrait}
    return found
