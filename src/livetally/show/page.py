"""The page: the file that Streamlit runs from top to bottom for every viewer."""

import atexit
import time
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from livetally.adapters.reading import Tail
from livetally.adapters.topics import Topics
from livetally.core.errors import UsageError
from livetally.settings import read_settings
from livetally.show import sections
from livetally.show.board import TOPICS
from livetally.show.facts import DatabaseFacts
from livetally.show.listening import Listening
from livetally.show.live import draw
from livetally.show.reader import Reader


def main() -> None:
    st.set_page_config("Election results", page_icon=":material/how_to_vote:", layout="wide")
    st.html(Path(__file__).with_name("style.css"))
    try:
        settings = read_settings()
    except UsageError as error:
        st.html(sections.cannot_start(str(error)))
        return
    if settings.kafka_bootstrap_servers is None or settings.database_url is None:
        st.html(sections.cannot_start(sections.NO_ADDRESSES))
        return
    reader = shared_reader(settings.kafka_bootstrap_servers, settings.database_url.get_secret_value())
    draw(lambda: reader.snapshot, lambda: datetime.now(UTC))


@st.cache_resource(show_spinner=False)
def shared_reader(bootstrap_servers: str, database_url: str) -> Reader:
    """The one reader of this server process, whoever looks."""
    topics = Topics(bootstrap_servers)
    reader = Reader(
        lambda: Listening(Tail(bootstrap_servers, TOPICS), topics.answer, time.monotonic),
        lambda: DatabaseFacts(database_url),
        lambda: datetime.now(UTC),
    )
    reader.start()
    atexit.register(reader.close)
    return reader


if __name__ == "__main__":
    main()
