"""The pages and the way between them, at addresses that stay what they are."""

from functools import partial

import streamlit as st

from livetally.core.access import may
from livetally.show import address
from livetally.show.live import PAGES, Page, draw
from livetally.show.sources import Sources


def navigate(sources: Sources) -> None:
    """Draws the page that the address names. The links are ours: below the title at every width, and they carry what is chosen."""

    def show(page: Page) -> None:
        draw(sources, page, partial(links, page))

    def links(current: Page) -> None:
        for page, target in targets:
            st.page_link(target, label=page.title, query_params=address.carried(), disabled=page is current)

    open_to = [page for page in PAGES if may(sources.person(), page.who, None)]
    targets = [(page, st.Page(partial(show, page), title=page.title, url_path=page.path, default=page is PAGES[0])) for page in open_to]
    st.navigation([target for _, target in targets], position="hidden").run()
