"""Drawing a snapshot with Streamlit: what one chooses, and the part that runs again every few seconds.

A page draws the reader's snapshot. It does not fetch, fold or count.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from livetally.core.elections import Election
from livetally.show import address, changes, header, overtime_page, people_page, places_page, results_page, sections, trust_page, wall
from livetally.show.past import Asking
from livetally.show.result import Result, Snapshot
from livetally.show.scene import Looks, Moment, Scene

REFRESH_S_MIN, REFRESH_S_MAX = 5, 60


@dataclass(frozen=True, slots=True)
class Page:
    """`path` is its stable address; the first page is the address without one."""

    title: str
    path: str
    draw: Callable[[Scene], None]
    needs_votes: bool = False  # before the first one it has nothing to draw


PAGES = (
    Page("Results", "", results_page.draw),
    Page("Places", "places", places_page.draw, needs_votes=True),
    Page("People", "people", people_page.draw, needs_votes=True),
    Page("Over time", "time", overtime_page.draw, needs_votes=True),
    Page("Trust", "trust", trust_page.draw),
)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a page has everything from. None of them waits for a service."""

    look: Callable[[], Snapshot]
    asking: Asking
    clock: Callable[[], datetime]


def draw(sources: Sources, page: Page = PAGES[0], links: Callable[[], None] = lambda: None) -> None:
    """A whole page: what one chooses in the sidebar, what refreshes beside it. `links` draws the way to the other pages."""
    offered = elections_of(sources.look())
    if address.asked(address.VIEW) == address.WALL:
        st.html(wall.HIDES)
        chosen = followed(offered)
        st.fragment(refresh_wall, run_every=REFRESH_S_MIN)(sources, chosen, tuple(offered))
        return
    with st.sidebar:
        st.html('<p class="lt-brand">livetally</p>')
        chosen = choose_election(offered)
        interval_s = st.slider(
            "Refresh every … seconds", REFRESH_S_MIN, REFRESH_S_MAX, REFRESH_S_MIN, key=address.EVERY, bind="query-params"
        )
        st.button("Refresh now", key="refresh", width="stretch")
    # Only this function runs again: the rest of the page, its scroll position and its choices stay as they are.
    st.fragment(refresh, run_every=interval_s)(sources, page, links, chosen, tuple(offered), interval_s)


def refresh(sources: Sources, page: Page, links: Callable[[], None], chosen: str | None, offered: tuple[str, ...], interval_s: int) -> None:
    """Everything that changes by itself."""
    scene = scene_of(sources, chosen, offered, interval_s)
    snapshot = sources.look() if scene is None else scene.snapshot
    moment = Moment(sources.clock(), viewers_zone()) if scene is None else scene.moment
    st.html(header.masthead(scene) if scene else sections.NO_ELECTION)
    with st.container(key="notices"):  # always there, so that nothing below moves to another place when one comes or goes
        if notices := header.notices(snapshot, moment):
            st.html(notices)
    with st.container(key="pages", horizontal=True):
        links()
    if scene is None:
        st.html(header.waiting(snapshot, None, None))
    else:
        st.html(header.figures(scene))
        if page.needs_votes and not scene.result.total_votes:
            st.html(header.waiting(snapshot, scene.election, scene.result))
        else:
            page.draw(scene)
    st.html(sections.footer(scene.election if scene else None))


def refresh_wall(sources: Sources, chosen: str | None, offered: tuple[str, ...]) -> None:
    scene = scene_of(sources, chosen, offered, REFRESH_S_MIN)
    snapshot = sources.look() if scene is None else scene.snapshot
    st.html(wall.wall(scene) if scene else header.waiting(snapshot, None, None))
    if notices := header.notices(snapshot, Moment(sources.clock(), viewers_zone())):
        st.html(notices)


def scene_of(sources: Sources, chosen: str | None, offered: tuple[str, ...], interval_s: int) -> Scene | None:
    """What there is to see now, and what it was at the last look; None while there is no election."""
    snapshot, moment = sources.look(), Moment(sources.clock(), viewers_zone())
    elections = elections_of(snapshot)
    if tuple(elections) != offered:
        st.rerun()  # there is another election to choose from
    if not chosen:
        return None
    result = (snapshot.results or {}).get(chosen, Result(chosen))
    key = f"looks {chosen}"
    looks: Looks | None = st.session_state.get(key)
    newest = changes.look(result, moment.now)
    looks = Looks(newest, newest) if looks is None else looks.next(result, moment.now, timedelta(seconds=interval_s))
    st.session_state[key] = looks
    changed = changes.since(looks.before, result, moment.now) if looks.before is not looks.newest else None
    return Scene(snapshot, sources.asking, moment, elections.get(chosen), result, changed)


def elections_of(snapshot: Snapshot) -> dict[str, Election | None]:
    """Elections to choose from, newest first; while PostgreSQL has not said any, those that have numbers, without a name."""
    if snapshot.facts is not None:
        return {one.election_id: one for one in snapshot.facts.elections}
    return dict.fromkeys(sorted(snapshot.results or {}))


def followed(offered: dict[str, Election | None]) -> str | None:
    """The election that the address names; otherwise the newest, also when a newer one comes."""
    asked = address.asked(address.ELECTION)
    return asked if asked in offered else next(iter(offered), None)


def choose_election(offered: dict[str, Election | None]) -> str | None:
    """What somebody chooses goes into the address, and the address is what counts."""
    chosen = followed(offered)
    if len(offered) < 2:  # noqa: PLR2004 (nothing to choose)
        return chosen
    st.session_state["chosen"] = chosen

    def name(election_id: str) -> str:
        election = offered[election_id]
        return election.name if election else election_id

    remember = address.keeper(address.ELECTION, "chosen", str)
    st.selectbox("Election", list(offered), format_func=name, key="chosen", on_change=remember)
    return chosen


def viewers_zone() -> tzinfo:
    """The time zone of the viewer's browser, UTC if it does not say one that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
