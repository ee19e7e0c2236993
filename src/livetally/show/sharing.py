"""What reads for this server process: made once, whoever looks first."""

import atexit

import streamlit as st

from livetally.show.serving import Serving, serve


@st.cache_resource(show_spinner=False)
def shared(bootstrap_servers: str, database_url: str) -> Serving:
    """The same for every session, and for the server when it starts."""
    serving = serve(bootstrap_servers, database_url)
    atexit.register(serving.close)
    return serving
