"""The page: the file that Streamlit runs from top to bottom for every viewer."""

from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from livetally.adapters.access import secured
from livetally.core.errors import UsageError
from livetally.settings import read_settings
from livetally.show import sections
from livetally.show.navigation import navigate
from livetally.show.sharing import shared
from livetally.show.sources import of_server

TITLE = "Election results"
SCRIPT = Path(__file__)
# Drawn here: an icon of Streamlit's own set would be fetched from another server, which then knows who is looking.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#9a2b2b"/>'
    '<path d="M3 13V9h2.5v4zM6.75 13V3h2.5v10zM10.5 13V6H13v7z" fill="#fff"/></svg>'
)


def main() -> None:
    st.set_page_config(TITLE, page_icon=ICON, layout="wide")
    st.html(SCRIPT.with_name("style.css"))
    try:
        settings = read_settings()
    except UsageError as error:
        st.html(sections.cannot_start(str(error)))
        return
    if settings.kafka_bootstrap_servers is None or settings.database_url is None:
        st.html(sections.cannot_start(sections.NO_ADDRESSES))
        return
    serving = shared(secured(settings.kafka_bootstrap_servers, settings), settings.database_url.get_secret_value())
    navigate(of_server(serving, st.context.cookies, lambda: datetime.now(UTC)))


if __name__ == "__main__":
    main()
