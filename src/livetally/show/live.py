"""Drawing a snapshot with Streamlit: what one chooses, and the part that runs again every few seconds.

A page draws the reader's snapshot. It does not fetch, fold or count.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from livetally.core.access import Role
from livetally.core.elections import Election
from livetally.core.sight import Sight
from livetally.show import address, changes, header, overtime_page, people_page, places_page, results_page, sections, trust_page, wall
from livetally.show.result import Result, Snapshot
from livetally.show.scene import Looks, Moment, Scene
from livetally.show.seen_by import sees_trust, sight_of
from livetally.show.sources import Sources

REFRESH_S_MIN, REFRESH_S_MAX = 5, 60


@dataclass(frozen=True, slots=True)
class Page:
    """`path` is its stable address; the first page is the address without one.

    `who` may open it, at least as what they are for every election; what of it they are shown, `seen_by.py` decides for each election.
    `first` is what there is of it before Streamlit has drawn anything, as HTML; it is told what the address says.
    """

    title: str
    path: str
    who: Role
    draw: Callable[[Scene], None]
    first: Callable[[Scene, Mapping[str, str]], str]
    needs_votes: bool = False  # before the first one it has nothing to draw


PAGES = (
    Page("Results", "", Role.VIEWER, results_page.draw, results_page.first),
    Page("Places", "places", Role.VIEWER, places_page.draw, places_page.first, needs_votes=True),
    Page("People", "people", Role.VIEWER, people_page.draw, people_page.first, needs_votes=True),
    Page("Over time", "time", Role.VIEWER, overtime_page.draw, overtime_page.first, needs_votes=True),
    Page("Trust", "trust", Role.VIEWER, trust_page.draw, trust_page.first),
)


def draw(sources: Sources, page: Page = PAGES[0], links: Callable[[], None] = lambda: None) -> None:
    """A whole page: what one chooses in the sidebar, what refreshes beside it. `links` draws the way to the other pages."""
    offered = elections_of(sources.look())
    if address.asked(address.VIEW) == address.WALL:
        st.html(wall.HIDES)
        chosen = followed(offered, address.asked(address.ELECTION))
        st.fragment(refresh_wall, run_every=REFRESH_S_MIN)(sources, chosen, tuple(offered))
        return
    with st.sidebar:
        st.html('<p class="lt-brand">livetally</p>')
        chosen = choose_election(offered, Moment(sources.clock(), viewers_zone()))
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
    st.html(header.masthead(scene) if scene else sections.no_election(moment, interval_s))
    with st.container(key="notices"):  # always there, so that nothing below moves to another place when one comes or goes
        if notices := header.notices(snapshot, moment):
            st.html(notices)
    with st.container(key="pages", horizontal=True):
        links()
    if scene is None:
        st.html(header.waiting(snapshot, None, None))
    elif scene.hides_everything:
        st.html(sections.sealed(scene))
    else:
        st.html(header.figures(scene))
        if page.needs_votes and not scene.result.total_votes:
            st.html(header.waiting(snapshot, scene.election, scene.result, is_closed=scene.is_closed))
        else:
            page.draw(scene)
    st.html(sections.footer(scene.election if scene else None))


def refresh_wall(sources: Sources, chosen: str | None, offered: tuple[str, ...]) -> None:
    scene = scene_of(sources, chosen, offered, REFRESH_S_MIN)
    st.html(wall.wall(scene) if scene else wall.without(sources.look(), Moment(sources.clock(), viewers_zone())))


def scene_of(sources: Sources, chosen: str | None, offered: tuple[str, ...], interval_s: int) -> Scene | None:
    """What there is to see now, and what it was at the last look; None while there is no election."""
    scene = scene_at(sources, Moment(sources.clock(), viewers_zone()), chosen)
    if tuple(elections_of(sources.look() if scene is None else scene.snapshot)) != offered:
        st.rerun()  # there is another election to choose from
    if scene is None:
        return None
    result, now = scene.result, scene.moment.now
    key = f"looks {chosen} {scene.sight.name}"  # what one may see now and could not before is no change of the result
    looks: Looks | None = st.session_state.get(key)
    newest = changes.look(result, now)
    looks = Looks(newest, newest) if looks is None else looks.next(result, now, timedelta(seconds=interval_s))
    st.session_state[key] = looks
    changed = changes.since(looks.before, result, now) if looks.before is not looks.newest else None
    return replace(scene, changes=changed, every_s=interval_s)


def scene_at(sources: Sources, moment: Moment, chosen: str | None) -> Scene | None:
    """What there is to see now of the election that was chosen."""
    snapshot, person = sources.look(), sources.person()
    if not chosen:
        return None
    result = (snapshot.results or {}).get(chosen, Result(chosen))
    election = elections_of(snapshot).get(chosen)
    if election is None:
        return Scene(snapshot, sources.asking, moment, None, result, sight=Sight.NOTHING, sees_trust=False)
    sight, trust = sight_of(person, election, moment.now), sees_trust(person, election)
    return Scene(snapshot, sources.asking, moment, election, result, sight=sight, sees_trust=trust)


def elections_of(snapshot: Snapshot) -> dict[str, Election]:
    """Elections to choose from, newest first; none while PostgreSQL has not said which there are, and what may be seen of them."""
    return {one.election_id: one for one in snapshot.facts.elections} if snapshot.facts else {}


def followed(offered: Mapping[str, Election], asked: str) -> str | None:
    """The election that the address names (`asked`); otherwise the newest, also when a newer one comes."""
    return asked if asked in offered else next(iter(offered), None)


def choose_election(offered: Mapping[str, Election], moment: Moment) -> str | None:
    """What somebody chooses goes into the address, and the address is what counts."""
    chosen = followed(offered, address.asked(address.ELECTION))
    if len(offered) < 2:  # noqa: PLR2004 (nothing to choose)
        return chosen
    st.session_state["chosen"] = chosen

    def name(election_id: str) -> str:
        return f"{offered[election_id].name} · {header.status(offered[election_id], moment.now)}"

    remember = address.keeper(address.ELECTION, "chosen", str)
    st.selectbox("Election", list(offered), format_func=name, key="chosen", on_change=remember)
    return chosen


def viewers_zone() -> tzinfo:
    """The time zone of the viewer's browser, UTC if it does not say one that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
