"""What is chosen lives in the page's address, so that whoever is sent it sees the same.

Widgets whose choices are plain words carry themselves (`bind="query-params"`, their key is the parameter). The others are kept here:
an election by its id, a moment in UTC, the number of a table's page.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlencode

import streamlit as st

ELECTION, EVERY, VIEW, AT, COLOUR, COUNTY = "election", "every", "view", "at", "colour", "county"
WALL = "wall"
TABLES = ("counties", "cities")
# What is chosen of the page Places besides the place: a square of the map takes it along, so that nothing but the place is another one.
ABOUT_PLACES = (COLOUR, "level", *(f"{control}-{table}" for table in TABLES for control in ("find", "sort", "order", "size", "page")))
CHARS_MAX = 300  # whoever wrote an address by hand wrote it wrong; nothing here is longer

T = TypeVar("T")


def asked(name: str) -> str:
    """What the address says, or nothing."""
    return str(st.query_params.get(name, ""))[:CHARS_MAX]


def chosen(name: str, options: dict[str, T]) -> T | None:
    """The option that the address names. What is not offered (any more) is as if it were not asked for."""
    return options.get(asked(name))


def keep(name: str, text: str) -> None:
    """Into the address, or out of it when there is nothing to say. Costs nothing if it is there already."""
    if asked(name) == text:
        return
    if text:
        st.query_params[name] = text
    elif name in st.query_params:
        del st.query_params[name]


def keeper(name: str, key: str, text: Callable[[T], str]) -> Callable[[], None]:
    """A callback for a widget with this key: its new value goes into the address."""

    def remember() -> None:
        keep(name, text(st.session_state[key]))

    return remember


def link(path: str, asked: Mapping[str, str], **chosen: str) -> str:
    """The address of a place: all that the address says now, and the place."""
    kept = {name: asked[name][:CHARS_MAX] for name in (ELECTION, EVERY, *ABOUT_PLACES) if asked.get(name)}
    return f"./{path}?{urlencode(kept | chosen)}"


def now() -> dict[str, str]:
    """What a link is made from."""
    return {name: asked(name) for name in (ELECTION, EVERY, *ABOUT_PLACES)}


def carried() -> dict[str, str]:
    """What a link to another page takes along: the election and the pace, not a table's page."""
    return {name: asked(name) for name in (ELECTION, EVERY) if asked(name)}
