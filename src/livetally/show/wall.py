"""`?view=wall`: the same for a projector. No controls, large type, readable from the back of a hall; nothing to scroll."""

from collections.abc import Sequence

from livetally.show import badge, header, sections
from livetally.show.contrast import painted
from livetally.show.result import Leads, Nobody, Snapshot, Standing, Tie
from livetally.show.scene import Moment, Scene
from livetally.show.words import number, party, percent, plural, portrait, said

REFRESH_S = 5  # the shortest interval of a page: on a wall nobody chooses one
CANDIDATES_MAX = 6  # more would be too small to read from the back
NOTICES_MAX = 2  # the most urgent; they take room from the bars, and each one takes the place of one

# Streamlit's own controls, and the room that they take.
HIDES = (
    "<style>[data-testid='stSidebar'],[data-testid='stHeader'],[data-testid='stSidebarCollapsedControl'],"
    "[data-testid='stExpandSidebarButton']{display:none!important}"
    ".stMainBlockContainer{max-width:none!important;padding:2.2vh 3vw!important}"
    ".stMainBlockContainer [data-testid='stVerticalBlock']{gap:0}</style>"
)


def wall(scene: Scene) -> str:
    result, moment = scene.result, scene.moment
    if scene.hides_everything:
        return _sealed(scene)
    age = f"As of {moment.clock(result.as_of)}, {header.old(moment, result.as_of)}" if result.as_of else "No vote counted yet"
    foot = f'{badge.badge(scene.snapshot.agreement)} <span data-testid="age">{age}</span>'
    return _framed(f"{_head(scene)}{_lead(scene)}{_bars(scene)}{_figures(scene)}", f"{foot}{_mark(moment, scene.every_s)}")


def without(snapshot: Snapshot, moment: Moment) -> str:
    """There is no election, or nobody knows which there are."""
    return _framed(f"{_notices(header.wrong(snapshot, moment))}{header.waiting(snapshot, None, None)}", _mark(moment, REFRESH_S))


def _sealed(scene: Scene) -> str:
    return _framed(f"{_head(scene)}{sections.sealed(scene)}", _mark(scene.moment, scene.every_s))


def _framed(inner: str, foot: str) -> str:
    return f'<main class="lt-wall" data-testid="wall">{inner}<footer class="lt-wall-foot">{foot}</footer>{header.LOST}</main>'


def _head(scene: Scene) -> str:
    name = scene.election.name if scene.election else scene.result.election_id
    return (
        f'<header class="lt-wall-head"><h1 data-testid="election">{said(name)}</h1><p>{header.flags(scene)}</p></header>'
        f"{_notices(header.wrong(scene.snapshot, scene.moment))}"
    )


def _notices(lines: Sequence[str]) -> str:
    """Where it is seen: nobody scrolls on a wall."""
    more = (
        f'<p class="lt-wall-more">and {plural(len(lines) - NOTICES_MAX, "other notice")} on the page</p>'
        if len(lines) > NOTICES_MAX
        else ""
    )
    return f'<div class="lt-wall-notices">{"".join(header.notice(line) for line in lines[:NOTICES_MAX])}{more}</div>' if lines else ""


def _mark(moment: Moment, every_s: int) -> str:
    return f"<span hidden {header.refreshed(moment, every_s)}></span>"


def _lead(scene: Scene) -> str:
    result = scene.result
    if scene.hides_choices:
        return sections.sealed(scene)
    match result.lead:
        case Leads() if scene.too_early:
            return _headline("Nobody leads yet", "Too early to say", f"Only {plural(result.total_votes, 'vote')} counted")
        case Leads(first, margin):
            return (
                f'<section class="lt-wall-lead" data-testid="lead">{portrait(first.photo, first.name, "lt-portrait-wall")}<div>'
                f'<p class="lt-eyebrow">{"Most votes" if scene.is_closed else "Leading"}</p><h2 data-testid="leader-name">{said(first.name)}</h2>'
                f"{_party(scene, first)}</div>"
                f'<div class="lt-wall-share"><b>{percent(result.share(first.votes))}</b>'
                f'<span data-testid="margin">{header.ahead(result, margin)}</span></div></section>'
            )
        case Tie(first):
            votes = f"{plural(first[0].votes, 'vote')} each, {percent(result.share(first[0].votes))} of all"
            return _headline("Nobody leads", f"A tie between {plural(len(first), 'candidate')}", votes)
        case Nobody():
            return header.waiting(scene.snapshot, scene.election, result, is_closed=scene.is_closed)


def _party(scene: Scene, one: Standing) -> str:
    if not scene.result.has_parties:
        return ""
    return f'<p><span class="lt-swatch" style="{painted(scene.colours[one.candidate_id])}"></span> {party(one.party)}</p>'


def _headline(eyebrow: str, title: str, line: str) -> str:
    return f'<section class="lt-wall-lead" data-testid="lead"><div><p class="lt-eyebrow">{eyebrow}</p><h2>{title}</h2><p>{line}</p></div></section>'


def _bars(scene: Scene) -> str:
    result = scene.result
    shown = result.candidates[: CANDIDATES_MAX - min(NOTICES_MAX, len(header.wrong(scene.snapshot, scene.moment)))]
    longest = max((one.votes for one in shown), default=0) or 1
    lines = "".join(_bar(scene, one, one.votes / longest) for one in shown)
    rest = len(result.candidates) - len(shown)
    more = f'<li class="lt-rest">and {plural(rest, "other")}</li>' if rest else ""
    rows = len(shown) + bool(rest)
    return f'<ol class="lt-wall-bars" style="--lt-rows:{rows}">{lines}{more}</ol>' if result.total_votes and not scene.hides_choices else ""


def _bar(scene: Scene, one: Standing, width: float) -> str:
    return (
        f'<li data-testid="candidate" data-votes="{one.votes}"><span class="lt-wall-name">{said(one.name)}</span>'
        f'<span class="lt-votes">{number(one.votes)}</span><span class="lt-share">{percent(scene.result.share(one.votes))}</span>'
        f'<div class="lt-track"><div class="lt-fill" style="width:{100 * width:.2f}%;{painted(scene.colours[one.candidate_id])}"></div></div></li>'
    )


def _figures(scene: Scene) -> str:
    return f'<div class="lt-wall-figures">{header.figures(scene)}</div>'
