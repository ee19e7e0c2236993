"""The first look: a page as one piece of HTML, from the server's memory, there before any script has run."""

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

from livetally.show import address, header, sections, wall
from livetally.show.live import PAGES, REFRESH_S_MIN, Page, elections_of, followed, scene_at
from livetally.show.scene import Moment, Scene
from livetally.show.sources import Sources


def first_look(sources: Sources, page: Page, moment: Moment, asked: Mapping[str, str]) -> str:
    """`asked`: what the address says."""
    offered = elections_of(sources.look())
    chosen = followed(offered, asked.get(address.ELECTION, ""))
    scene = scene_at(sources, moment, chosen)
    if asked.get(address.VIEW) == address.WALL:
        drawn = wall.wall(scene) if scene else wall.without(sources.look(), moment)
        return _framed(drawn, "lt-first lt-first-wall stApp")
    drawn = _whole(sources, page, moment, scene, asked)
    return _framed(f'<aside><p class="lt-brand">livetally</p></aside><div class="lt-first-main">{drawn}</div>', "lt-first stApp")


def _framed(inner: str, css_class: str) -> str:
    return f'<div id="first-look" class="{css_class}"><div class="stMainBlockContainer"><div class="stHtml">{inner}</div></div></div>'


def _whole(sources: Sources, page: Page, moment: Moment, scene: Scene | None, asked: Mapping[str, str]) -> str:
    """The same parts in the same order as `live.refresh` draws them."""
    snapshot = sources.look() if scene is None else scene.snapshot
    head = header.masthead(scene) if scene else sections.no_election(moment, REFRESH_S_MIN)
    notices = header.notices(snapshot, moment)
    links = _links(page, asked)
    if scene is None:
        body = header.waiting(snapshot, None, None)
    elif scene.hides_everything:
        body = sections.sealed(scene)
    elif page.needs_votes and not scene.result.total_votes:
        body = f"{header.figures(scene)}{header.waiting(snapshot, scene.election, scene.result, is_closed=scene.is_closed)}"
    else:
        body = f"{header.figures(scene)}{page.first(scene, asked)}"
    return f"{head}{notices}{links}{body}{sections.footer(scene.election if scene else None)}"


def _links(current: Page, asked: Mapping[str, str]) -> str:
    """Real ones: whoever is faster than the scripts, or has none, is taken there all the same."""
    carried = {name: asked[name] for name in (address.ELECTION, address.EVERY) if asked.get(name)}
    query = escape(f"?{urlencode(carried)}") if carried else ""
    drawn = "".join(f"<a {_target(page, query, is_current=page is current)}><p>{page.title}</p></a>" for page in PAGES)
    return f'<nav class="st-key-pages">{drawn}</nav>'


def _target(page: Page, query: str, *, is_current: bool) -> str:
    return 'aria-disabled="true" aria-current="page"' if is_current else f'href="./{page.path}{query}"'
