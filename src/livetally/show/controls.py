"""What one can do on a page: open the table behind a chart, take it home, sort, search and leaf through a long one."""

from collections.abc import Sequence

import streamlit as st

from livetally.core.export import csv_of, file_name
from livetally.show import address
from livetally.show.scene import Scene
from livetally.show.sheet import PAGE_SIZES, Column, Row, arrange, found, pages_of, table
from livetally.show.words import plural

BY_VOTES = "Votes"
ROWS_WITHOUT_CONTROLS_MAX = PAGE_SIZES[0]  # a shorter table fits its first page whatever one chooses
ROWS_BEHIND_MAX = 50  # behind a chart; the export has all


def figure(scene: Scene, key: str, title: str, sentence: str, chart: str, columns: Sequence[Column[Row]], rows: Sequence[Row]) -> None:
    """A chart: what it shows in a sentence, the drawing, and the table behind it."""
    st.html(framed(key, title, sentence, chart))
    behind(scene, key, title, columns, rows)


def framed(key: str, title: str, sentence: str, chart: str) -> str:
    return (
        f'<section class="lt-chart" data-testid="figure-{key}"><h3 class="lt-chart-title">{title}</h3>'
        f'<p class="lt-sentence lt-sentence-small" data-testid="sentence">{sentence}</p>{chart}</section>'
    )


def behind(
    scene: Scene, key: str, title: str, columns: Sequence[Column[Row]], rows: Sequence[Row], of_file: Sequence[Column[Row]] | None = None
) -> None:
    """The numbers of a chart as a table, and as a file; `of_file` where that has other columns: what is on the page is sent at every refresh."""
    with st.expander(f"Numbers: {title}", key=f"behind-{key}"):
        shown = rows[:ROWS_BEHIND_MAX]
        caption = f"{title}. The first {len(shown):,} of {len(rows):,}; the file has all." if len(rows) > len(shown) else title
        st.html(table(columns, arrange(shown, None, descending=False, page=1, size=ROWS_BEHIND_MAX), caption, None, descending=False))
        download(scene, key, title, of_file or columns, rows)


def download(scene: Scene, key: str, title: str, columns: Sequence[Column[Row]], rows: Sequence[Row]) -> None:
    origin = scene.origin
    st.download_button(
        "Save as CSV (simulation)" if origin.is_simulation else "Save as CSV",
        # Made when somebody takes it, not at every refresh.
        data=lambda: csv_of(origin, [column.title for column in columns], [[column.value(row) for column in columns] for row in rows]),
        file_name=file_name(origin, title),
        mime="text/csv",
        key=f"csv-{key}",
        on_click="ignore",
    )


def listing(scene: Scene, key: str, title: str, rows: Sequence[Row], columns: Sequence[Column[Row]], *, named: str = "") -> None:
    """A table that one can search, sort by any column and leaf through. `named` says what one searches for, if anything."""
    titles = [column.title for column in columns]
    order, descending, size, number, wanted = BY_VOTES, True, PAGE_SIZES[0], 1, ""
    if len(rows) > ROWS_WITHOUT_CONTROLS_MAX:
        with st.container(key=f"controls-{key}", horizontal=True, vertical_alignment="bottom"):
            if named:
                wanted = st.text_input(f"Find a {named}", key=f"find-{key}", max_chars=100, bind="query-params", width=220, live=True) or ""
            order = st.selectbox("Sort by", titles, index=titles.index(BY_VOTES), key=f"sort-{key}", width=170, bind="query-params")
            descending = (
                st.selectbox("Order", ["Descending", "Ascending"], key=f"order-{key}", width=140, bind="query-params") == "Descending"
            )
            size = st.selectbox("Rows per page", PAGE_SIZES, key=f"size-{key}", width=120, bind="query-params")
    shown = found(rows, columns, wanted)
    sorted_by = columns[titles.index(order)]
    pages = pages_of(len(shown), size)
    table_place = st.container(key=f"table-{key}")
    if pages > 1:
        number = choose_page(pages, f"page-{key}")
    sheet = arrange(shown, sorted_by, descending=descending, page=number, size=size)
    if not shown:
        caption = f"No {named} has such a name." if wanted else title
    elif pages > 1:
        caption = f"{title} {sheet.first + 1:,}–{sheet.first + len(sheet.rows):,} of {sheet.total:,}"
    else:
        caption = f"{title}{f': {plural(len(shown), named)} found' if wanted else ''}"
    table_place.html(table(columns, sheet, caption, sorted_by, descending=descending))
    download(scene, key, title, columns, shown)


def choose_page(pages: int, key: str) -> int:
    """A page that is no more, because somebody chose longer ones, becomes the last one."""
    if key not in st.session_state and (asked := address.asked(key)).isdecimal():
        st.session_state[key] = int(asked)
    if not 1 <= st.session_state.get(key, 1) <= pages:
        st.session_state[key] = pages
    return st.pagination(pages, key=key, on_change=address.keeper(key, key, lambda number: "" if number == 1 else str(number)))
