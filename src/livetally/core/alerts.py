"""What is conspicuous in the minute that has just ended: alerts that are new, go on, or are over.

Pure and without memory: the same minutes and the same known alerts always give the same answer, so whoever asks can stop between any
two minutes and go on. docs/alerts.md has the rules in words, `alert_settings.py` their numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from livetally.core import alert_rules as rules
from livetally.core.alert_facts import EVERYWHERE, Alert, Minute, Rule, Severity, State
from livetally.core.alert_past import Past
from livetally.core.alert_rules import Finding
from livetally.core.alert_settings import THRESHOLDS, Thresholds
from livetally.core.alert_window import WINDOW_MINUTES, Window

__all__ = ["EVERYWHERE", "QUIET_MINUTES", "SETTLE_S", "WINDOW_MINUTES", "Alert", "Minute", "Rule", "Severity", "State", "Window", "judge"]

QUIET_MINUTES = THRESHOLDS.quiet_minutes  # after so many that are not conspicuous an alert is cleared
SETTLE_S = THRESHOLDS.settle_s  # a minute is judged when votes of so long after its end have been seen

_GRADES: tuple[Severity, ...] = ("notice", "warning", "critical")


def judge(window: Window, registered: Mapping[str, int], known: Sequence[Alert], thresholds: Thresholds = THRESHOLDS) -> list[Alert]:
    """The alerts that the last minute of the window raises, updates or clears.

    `registered`: people by place, as far as known.
    `known`: alerts that were raised or were conspicuous within the window, cleared ones too. A minute that was judged before, with
    what came of it among the known, changes nothing.
    """
    if not window.length:
        return []
    past = Past(window, registered, known, thresholds)
    raised = {alert.key: alert for alert in known if alert.state == "raised"}
    changed = [after for alert in raised.values() if (after := _went_on(past, alert, thresholds)) is not None]
    begun = [
        _begun(past, rule, place, candidate_id, finding, thresholds)
        for rule, place, candidate_id, finding in _found(past, thresholds)
        if (rule, _subject(place, candidate_id)) not in raised
    ]
    if (Rule.REPEATS, EVERYWHERE) not in raised:
        finding = rules.repeats_everywhere(past, _flooded([*raised.values(), *begun]), None, thresholds)
        if finding is not None:
            begun.append(_begun(past, Rule.REPEATS, EVERYWHERE, "", finding, thresholds))
    return sorted(changed + begun, key=lambda alert: (alert.rule, alert.subject))


def _found(past: Past, limits: Thresholds) -> Iterator[tuple[Rule, str, str, Finding]]:
    """Each rule, asked of everything that it is about."""
    for place in past.places():
        if (finding := rules.burst_begins(past, place, limits)) is not None:
            yield Rule.BURST, place, "", finding
        if (finding := rules.silence_begins(past, place, limits)) is not None:
            yield Rule.SILENCE, place, "", finding
        if (finding := rules.repeats_begin(past, place, limits)) is not None:
            yield Rule.REPEATS, place, "", finding
        for candidate_id, finding in rules.shares_begin(past, place, limits).items():
            yield Rule.SHARE, place, candidate_id, finding


def _begun(past: Past, rule: Rule, place: str, candidate_id: str, finding: Finding, limits: Thresholds) -> Alert:
    first_minute = past.now - finding.span + 1
    alert = Alert(
        rule,
        _subject(place, candidate_id),
        place,
        candidate_id,
        "raised",
        "notice",
        finding.seen,
        finding.expected,
        first_minute,
        past.now,
        finding.base,
        "",
    )
    return _worded(replace(alert, severity=_severity(alert, finding, limits)))


def _went_on(past: Past, alert: Alert, limits: Thresholds) -> Alert | None:
    """The alert as it is after this minute; None if the minute changes nothing."""
    if past.now <= alert.last_minute:
        return None
    finding = _lasts(past, alert, limits)
    if finding is not None:
        after = replace(
            alert,
            severity=_severity(alert, finding, limits),
            seen=alert.seen + finding.seen,
            expected=alert.expected + finding.expected,
            last_minute=past.now,
        )
    elif past.now - alert.last_minute >= limits.quiet_minutes:
        after = replace(alert, state="cleared")
    else:
        return None
    return _worded(after)


def _lasts(past: Past, alert: Alert, limits: Thresholds) -> Finding | None:
    match alert.rule:
        case Rule.BURST:
            return rules.burst_lasts(past, alert.place, alert.base, limits)
        case Rule.SILENCE:
            return rules.silence_lasts(past, alert.place, alert.base, alert.first_minute, limits)
        case Rule.SHARE:
            return rules.share_lasts(past, alert.place, alert.candidate_id, alert.base, limits)
        case Rule.REPEATS if alert.place == EVERYWHERE:
            return rules.repeats_everywhere(past, _flooded(past.known), alert, limits)
        case Rule.REPEATS:
            return rules.repeats_last(past, alert.place, alert.base, limits)


def _flooded(alerts: Sequence[Alert]) -> set[str]:
    """Places whose repeated ballots have an alert of their own."""
    return {alert.place for alert in alerts if alert.rule is Rule.REPEATS and alert.state == "raised"}


def _severity(alert: Alert, finding: Finding, limits: Thresholds) -> Severity:
    grades = limits.grades[alert.rule]
    now = (finding.strength >= grades.warning) + (finding.strength >= grades.critical)
    return _GRADES[max(now, _GRADES.index(alert.severity))]


def _subject(place: str, candidate_id: str) -> str:
    return f"{place}, {candidate_id}" if candidate_id else place


def _worded(alert: Alert) -> Alert:
    """With the sentence that goes with its numbers."""
    first, last = _clock(alert.first_minute), _clock(alert.last_minute)
    when = f"at {first} UTC" if first == last else f"from {first} to {last} UTC"
    seen, expected = f"{alert.seen:,.0f}", f"{alert.expected:,.0f}"
    match alert.rule:
        case Rule.BURST:
            text = f"{alert.place}: {seen} votes {when}; its pace before, and that of all others meanwhile, let {expected} be expected."
        case Rule.SILENCE:
            text = f"{alert.place}: {seen} votes {when}; its pace before, and that of all others meanwhile, let {expected} be expected."
        case Rule.SHARE:
            text = f"{alert.place}: {seen} votes for {alert.candidate_id} {when}; its share before, {alert.base:.0%}, lets {expected} be expected."
        case Rule.REPEATS:
            text = f"{alert.place.capitalize()}: {seen} ballots {when} of people who had voted already; {expected} were to be expected."
    return replace(alert, evidence=text if alert.state == "raised" else f"{text} Over.")


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"
