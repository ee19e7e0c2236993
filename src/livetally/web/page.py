"""The few pages for people who administer: HTML from templates that escape whatever they are given."""

from functools import cache
from importlib.resources import files

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


def page(template: str, status: int = 200, **values: object) -> HTMLResponse:
    return HTMLResponse(_templates().get_template(template).render({"fault": "", "user_name": ""} | values), status)


def style() -> Response:
    text = files("livetally.web").joinpath("pages", "account.css").read_text("utf-8")
    return Response(text, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("livetally.web", "pages"), autoescape=select_autoescape(default=True), undefined=StrictUndefined
    )
