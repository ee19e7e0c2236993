"""The page Trust: whether the numbers agree, what looks unusual, what was turned away and why, how far behind each stage is, who is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import streamlit as st

from livetally.show import badge, reasons
from livetally.show.charts import Bar, bars
from livetally.show.controls import behind, figure
from livetally.show.scene import Scene
from livetally.show.sheet import Column
from livetally.show.trust import Agreement, AlertSeen, Health, Journey, Waiting
from livetally.show.words import length, number, plural, said

ALERTS_MAX = 30  # on the page; behind it are all
_SEVERITIES = {"critical": "!!!", "warning": "!!", "notice": "!"}
_RULES = {
    "burst": "Many votes at once",
    "silence": "Silence",
    "share-jump": "A share that jumped",
    "repeated-ballots": "Repeated ballots",
}

TITLE = '<h2 class="lt-section">Can one believe it?</h2>'
FOR_OBSERVERS = (
    '<section data-testid="for-observers"><h2 class="lt-section">For observers</h2><p class="lt-sentence">Alerts, rejected ballots and the '
    "audit of a real election are shown to its observers and officials. Whoever has an account signs in where ballots are cast, and comes "
    "back here.</p></section>"
)
STAGES = frozenset({"record", "tally"})


@dataclass(frozen=True, slots=True)
class Rejected:
    """Ballots that do not count, for one reason."""

    reason: str
    ballots: int
    names_election: bool = True

    @property
    def words(self) -> str:
        return reasons.words(self.reason) if self.names_election else f"{reasons.words(self.reason)} (names no election)"


Witnessed = tuple[str, str, int | str, str]  # key, name, count and how it is written; no count before anybody has compared
Step = tuple[str, float]  # of a vote's way, and how many seconds it took


def draw(scene: Scene) -> None:
    st.html(TITLE)
    show_agreement(scene)
    if scene.sees_trust:
        show_alerts(scene)
        left, right = st.columns(2, gap="large")
        with left:
            show_rejected(scene)
        with right:
            show_journey(scene)
            show_lag(scene)
    else:
        st.html(FOR_OBSERVERS)
        left, right = st.columns(2, gap="large")
        with left:
            show_journey(scene)
        with right:
            show_lag(scene)
    st.html(services(scene))


def first(scene: Scene, _asked: Mapping[str, str]) -> str:
    return f"{TITLE}{agreement(scene)}{'' if scene.sees_trust else FOR_OBSERVERS}{services(scene)}"


def show_agreement(scene: Scene) -> None:
    st.html(agreement(scene))
    if witnesses := _witnesses(scene.snapshot.agreement):
        columns: list[Column[Witnessed]] = [
            Column("Counted by", lambda one: one[1], lambda one: one[1], is_number=False),
            Column("Votes", lambda one: one[2], lambda one: one[3]),
        ]
        behind(scene, "audit", "Ledger, topic and tally", columns, witnesses)


def agreement(scene: Scene) -> str:
    """Three independent counts of the same ballots, side by side."""
    found = scene.snapshot.agreement
    counts = "".join(
        f'<div class="lt-figure"><dt>{name}</dt><dd data-testid="{key}" data-value="{count}">{text}</dd></div>'
        for key, name, count, text in _witnesses(found)
    )
    when = f" Last compared at {scene.moment.clock(found.checked_at)}." if found.checked_at else ""
    return (
        f'<section class="lt-agreement lt-agreement-{found.state}" data-testid="audit"><p>{badge.badge(found)}</p>'
        f'<p class="lt-sentence" data-testid="sentence">{badge.explained(found, scene.moment)}{when}</p>'
        f'{badge.differences(found)}<dl class="lt-figures lt-figures-few">{counts}</dl>{_unreadable(scene.snapshot.trust.unreadable_votes)}</section>'
    )


def _unreadable(votes: int) -> str:
    if not votes:
        return ""
    return (
        f'<p class="lt-sentence" data-testid="unreadable-votes" data-value="{votes}">{plural(votes, "vote")} on the topic could not be read or '
        f"{'is' if votes == 1 else 'are'} for nobody who stands. `livetally audit` says where.</p>"
    )


def show_alerts(scene: Scene) -> None:
    alerts = scene.snapshot.trust.alerts.get(scene.result.election_id, ())
    raised = [one for one in alerts if one.state == "raised"]
    st.html('<h2 class="lt-section">What looks unusual</h2>')
    if not alerts:
        st.html(
            '<p class="lt-sentence" data-testid="sentence">Nothing has looked unusual so far. An alert is a question to a person, never a verdict.</p>'
        )
        return
    sentence = (
        f"{plural(len(raised), 'alert is', 'alerts are')} raised, {plural(len(alerts) - len(raised), 'is over', 'are over')}. "
        "An alert is a question to a person, never a verdict: no vote is held back because of one."
    )
    listed = "".join(_alert(scene, one) for one in alerts[:ALERTS_MAX])
    st.html(f'<p class="lt-sentence" data-testid="sentence">{sentence}</p><ol class="lt-alerts">{listed}</ol>')
    columns: list[Column[AlertSeen]] = [
        Column("Rule", lambda one: one.rule, lambda one: _RULES.get(one.rule, said(one.rule)), is_number=False),
        Column("Subject", lambda one: one.subject, lambda one: said(one.subject), is_number=False),
        Column("State", lambda one: one.state, lambda one: said(one.state), is_number=False, minor=True),
        Column("Severity", lambda one: one.severity, lambda one: said(one.severity), is_number=False, minor=True),
        Column("Seen", lambda one: one.seen, lambda one: number(round(one.seen))),
        Column("Expected", lambda one: one.expected, lambda one: number(round(one.expected))),
        Column("From", lambda one: one.begins.isoformat(), lambda one: scene.moment.clock(one.begins), is_number=False, minor=True),
        Column("To", lambda one: one.ends.isoformat(), lambda one: scene.moment.clock(one.ends), is_number=False, minor=True),
    ]
    behind(scene, "alerts", "Alerts", columns, alerts)


def show_rejected(scene: Scene) -> None:
    """Ballots that name no election belong to none; they are shown with each, and said to be so."""
    rejected = scene.snapshot.trust.rejected
    here, nowhere = rejected.get(scene.result.election_id, ()), rejected.get("", ())
    both = [*(Rejected(*one) for one in here), *(Rejected(*one, names_election=False) for one in nowhere)]
    rows = sorted(both, key=lambda one: -one.ballots)
    total = sum(one.ballots for one in rows)
    sentence = (
        f"{plural(total, 'ballot does', 'ballots do')} not count; most often: {said(rows[0].words)} ({number(rows[0].ballots)})."
        if total
        else "Every ballot so far counts."
    )
    drawn = bars([Bar(said(one.words), one.ballots, "var(--lt-hue-2)") for one in rows], total) if total else ""
    columns: list[Column[Rejected]] = [
        Column("Why", lambda one: one.words, lambda one: said(one.words), is_number=False),
        Column("Reason", lambda one: one.reason, lambda one: f"<code>{said(one.reason)}</code>", is_number=False, minor=True),
        Column("Ballots", lambda one: one.ballots, lambda one: number(one.ballots)),
    ]
    figure(scene, "rejected", "Rejected ballots, by reason", sentence, drawn, columns, rows)


def show_journey(scene: Scene) -> None:
    """How long the newest vote took, stage by stage."""
    journey, p95_s = scene.snapshot.trust.journey, scene.snapshot.trust.journey_p95_s
    steps = _steps(journey) if journey else []
    columns: list[Column[Step]] = [
        Column("Step", lambda one: one[0], lambda one: one[0], is_number=False),
        Column("Seconds", lambda one: round(one[1], 3), lambda one: f"{one[1]:.1f}"),
    ]
    drawn = _way(journey.whole_s, steps) if journey else ""
    figure(scene, "journey", "From cast to screen", _journey(journey, p95_s), drawn, columns, steps)


def show_lag(scene: Scene) -> None:
    """What waits before each stage."""
    waiting = scene.snapshot.trust.waiting
    rows = [
        Bar(f"before {said(one.stage)}", one.count, "var(--lt-hue-1)", note=f'<span class="lt-bar-note">{said(one.what)}</span>')
        for one in waiting
    ]
    columns: list[Column[Waiting]] = [
        Column("Before", lambda one: one.stage, lambda one: said(one.stage), is_number=False),
        Column("What", lambda one: one.what, lambda one: said(one.what), is_number=False),
        Column("Waiting", lambda one: one.count, lambda one: number(one.count)),
    ]
    drawn = bars(rows, sum(one.count for one in waiting))
    figure(scene, "lag", "What waits", _waits(scene, waiting), drawn, columns, waiting)


def services(scene: Scene) -> str:
    health = scene.snapshot.trust.health
    away = [one for one in health if not one.is_up and not _is_done(scene, one)]
    if not health:
        sentence = "Nobody has asked them yet."
    elif away:
        sentence = f"{' and '.join(said(one.name) for one in away)} {'does' if len(away) == 1 else 'do'} not answer."
    else:
        sentence = "All who are needed are there."
    listed = "".join(_health(scene, one) for one in health)
    return (
        '<h2 class="lt-section">Services and stages</h2>'
        f'<p class="lt-sentence" data-testid="sentence">{sentence}</p><ul class="lt-services">{listed}</ul>'
    )


def _witnesses(found: Agreement) -> list[Witnessed]:
    if found.hides_counts:
        return []
    if found.checked_at is None and found.ledger_checked_at is None:
        return [(key, name, "", "–") for key, name in (("ledger", "Ledger"), ("topic", "Votes topic"), ("tally", "Tally"))]
    return [
        ("ledger", "Ledger", found.ledger, number(found.ledger)),
        ("topic", "Votes topic", found.topic, number(found.topic)),
        ("tally", "Tally", found.tally, number(found.tally)),
        ("behind", "On the way", found.behind, number(found.behind)),
    ]


def _alert(scene: Scene, one: AlertSeen) -> str:
    """The evidence is made of the numbers and names the candidate by its id; the name stands before it."""
    whom = f" · {said(scene.name_of(one.candidate_id))}" if one.candidate_id else ""
    over = "" if one.state == "raised" else '<span class="lt-flag">over</span>'
    sign = _SEVERITIES.get(one.severity, "!")
    return (
        f'<li class="lt-alert lt-alert-{"raised" if one.state == "raised" else "cleared"}" data-testid="alert" data-rule="{said_attribute(one.rule)}">'
        f'<span class="lt-alert-sign" aria-hidden="true">{sign}</span><div><p><b>{_RULES.get(one.rule, said(one.rule))}</b> · {said(one.place)}{whom} '
        f'<span class="lt-detail-inline">{said(one.severity)}, {scene.moment.clock(one.begins)} to {scene.moment.clock(one.ends)}</span> {over}</p>'
        f'<p class="lt-evidence">{said(one.evidence)}</p></div></li>'
    )


def said_attribute(text: str) -> str:
    """Only what a rule's name is made of; nothing that could end an attribute."""
    return "".join(character for character in text if character.isalnum() or character in "-_")


def _journey(journey: Journey | None, p95_s: float | None) -> str:
    if journey is None:
        return "No vote has been followed from cast to screen yet."
    usual = f"; 95 of 100 took at most {p95_s:.1f} s lately" if p95_s is not None else ""
    return f"The newest vote was here {journey.whole_s:.1f} s after it was cast{usual}. Your page adds up to its refresh interval."


def _steps(journey: Journey) -> list[Step]:
    return [("recorded", journey.recorded_s), ("tallied", journey.tallied_s), ("here", journey.shown_s)]


def _way(whole_s: float, steps: Sequence[Step]) -> str:
    shown = "".join(f'<li style="flex-grow:{max(seconds, 0.05):.2f}"><b>{seconds:.1f} s</b> {name}</li>' for name, seconds in steps)
    return f'<ol class="lt-way" data-testid="journey" data-seconds="{whole_s:.3f}">{shown}</ol>'


def _waits(scene: Scene, waiting: Sequence[Waiting]) -> str:
    if not waiting:
        return (
            "It is not shown beside elections that are not public."
            if scene.snapshot.agreement.hides_counts
            else "Nobody has counted it yet."
        )
    here = [f"{number(one.count)} {said(one.what)} before {said(one.stage)}" for one in waiting if one.count]
    return f"{' and '.join(here)}." if here else "Nothing waits."


def _is_done(scene: Scene, one: Health) -> bool:
    """A stage that has ended with the election: nobody expects it any more."""
    return one.name in STAGES and not one.is_up and scene.is_closed


def _health(scene: Scene, one: Health) -> str:
    ago = length(max(timedelta(0), scene.moment.now - one.since))
    detail = f'<span class="lt-detail">{said(one.detail)}</span>' if one.detail else ""
    state, sign = ("up", "✓") if one.is_up else ("done", "·") if _is_done(scene, one) else ("down", "✕")
    words = "answers" if one.is_up else "is not running" if one.name in STAGES else "does not answer"
    return (
        f'<li class="lt-service lt-service-{state}" data-testid="service" data-up="{int(one.is_up)}"><span aria-hidden="true">{sign}</span> '
        f"<b>{said(one.name)}</b> {words}, for {ago}{detail}</li>"
    )
