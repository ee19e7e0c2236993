"""Drawing a snapshot with Streamlit: what one chooses, and the part that runs again every few seconds.

A page draws the reader's snapshot. It does not fetch, fold or count.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from livetally.core.elections import Election
from livetally.show import charts, header, sections
from livetally.show.header import Moment
from livetally.show.result import Result, Snapshot
from livetally.show.sheet import PAGE_SIZES, Column, Row, arrange, candidate_columns, group_columns, pages_of, table

REFRESH_S_MIN, REFRESH_S_MAX = 5, 60
ROWS_WITHOUT_CONTROLS_MAX = PAGE_SIZES[0]  # a shorter table fits its first page whatever one chooses
BY_VOTES = "Votes"


def draw(look: Callable[[], Snapshot], clock: Callable[[], datetime]) -> None:
    """The whole page: what one chooses in the sidebar, what refreshes beside it."""
    snapshot = look()
    offered = elections_of(snapshot)
    with st.sidebar:
        st.html('<p class="lt-brand">livetally</p>')
        chosen = choose_election(offered)
        interval_s = st.slider("Refresh every … seconds", REFRESH_S_MIN, REFRESH_S_MAX, REFRESH_S_MIN, key="interval_s")
        st.button("Refresh now", key="refresh", width="stretch")
    # Only this function runs again: the rest of the page, its scroll position and its choices stay as they are.
    st.fragment(refresh, run_every=interval_s)(look, clock, chosen, tuple(offered))


def refresh(look: Callable[[], Snapshot], clock: Callable[[], datetime], chosen: str | None, offered: tuple[str, ...]) -> None:
    """Everything that changes by itself."""
    snapshot, moment = look(), Moment(clock(), viewers_zone())
    elections = elections_of(snapshot)
    if tuple(elections) != offered:
        st.rerun()  # there is another election to choose from
    election = elections.get(chosen) if chosen else None
    result = (snapshot.results or {}).get(chosen, Result(chosen)) if chosen else None
    if result:
        st.html(header.masthead(election, result, snapshot.facts, moment))
    else:
        st.html(sections.NO_ELECTION)
    with st.container(key="notices"):  # always there, so that nothing below moves to another place when one comes or goes
        if notices := header.notices(snapshot, moment):
            st.html(notices)
    if result:
        st.html(header.figures(result, snapshot.facts))
    if result and result.total_votes:
        st.html(header.lead(result))
    else:
        st.html(header.waiting(snapshot, election, result))
    if result and result.candidates:
        show_candidates(result)
    if result and result.total_votes:
        st.html(sections.people(result))
        show_places(result)
    st.html(sections.footer(election))


def elections_of(snapshot: Snapshot) -> dict[str, Election | None]:
    """Elections to choose from, newest first; while PostgreSQL has not said any, those that have numbers, without a name."""
    if snapshot.facts is not None:
        return {one.election_id: one for one in snapshot.facts.elections}
    return dict.fromkeys(sorted(snapshot.results or {}))


def choose_election(offered: dict[str, Election | None]) -> str | None:
    """The election that somebody chose; otherwise the newest, also when a newer one comes."""
    if not offered:
        return None
    ids = list(offered)
    if "own_choice" not in st.session_state or st.session_state.get("election") not in offered:
        st.session_state["election"] = ids[0]
    if len(ids) == 1:
        return ids[0]

    def name(election_id: str) -> str:
        election = offered[election_id]
        return election.name if election else election_id

    def remember() -> None:
        st.session_state["own_choice"] = True

    chosen: str = st.selectbox("Election", ids, format_func=name, key="election", on_change=remember)
    return chosen


def show_candidates(result: Result) -> None:
    colours = charts.candidate_colours(result)
    st.html(sections.candidates(result, colours))
    st.html('<h3 class="lt-table-title">All candidates</h3>')
    listing("candidates", result.candidates, candidate_columns(result, colours), "Votes of each candidate")


def show_places(result: Result) -> None:
    st.html(sections.PLACES_TITLE)
    level = st.segmented_control(
        "Places", ["Counties", "Cities"], default="Counties", required=True, key="level", label_visibility="collapsed"
    )
    if level == "Cities":
        listing("cities", result.cities, group_columns(result, "City", "County"), "Votes and turnout of each city")
    else:
        listing("counties", result.places, group_columns(result, "County"), "Votes and turnout of each county")


def listing(key: str, rows: Sequence[Row], columns: Sequence[Column[Row]], caption: str) -> None:
    """A table that one can sort by any column and leaf through."""
    titles = [column.title for column in columns]
    title, descending, size, number = BY_VOTES, True, PAGE_SIZES[0], 1
    if len(rows) > ROWS_WITHOUT_CONTROLS_MAX:
        with st.container(key=f"controls-{key}", horizontal=True, vertical_alignment="bottom"):
            title = st.selectbox("Sort by", titles, index=titles.index(BY_VOTES), key=f"sort-{key}", width=170)
            descending = st.selectbox("Order", ["Descending", "Ascending"], key=f"order-{key}", width=140) == "Descending"
            size = st.selectbox("Rows per page", PAGE_SIZES, key=f"size-{key}", width=120)
    sorted_by = columns[titles.index(title)]
    pages = pages_of(len(rows), size)
    table_place = st.container(key=f"table-{key}")
    if pages > 1:
        number = choose_page(pages, f"page-{key}")
    sheet = arrange(rows, sorted_by, descending=descending, page=number, size=size)
    counted = f"{sheet.first + 1:,}–{sheet.first + len(sheet.rows):,} of {sheet.total:,}" if pages > 1 else ""
    table_place.html(table(columns, sheet, f"{caption} {counted}".strip(), sorted_by, descending=descending))


def choose_page(pages: int, key: str) -> int:
    """A page that is no more, because somebody chose longer ones, becomes the last one."""
    return st.pagination(pages, default=pages if st.session_state.get(key, 1) > pages else 1, key=key)


def viewers_zone() -> tzinfo:
    """The time zone of the viewer's browser, UTC if it does not say one that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
