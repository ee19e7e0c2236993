"""The four rules. Each says when something begins to be conspicuous, and whether it still is. Pure; none knows what was raised by another.

Whatever hits all places alike (a rush hour, the closing, a stage that was away) is no anomaly of a place: expectations are made of what
the others do in the same minutes.
"""

import math
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from livetally.core.alert_facts import EVERYWHERE, Alert, Rule
from livetally.core.alert_past import Pace, Past, Series, surprise, surprise_of_count
from livetally.core.alert_settings import Thresholds


class Finding(NamedTuple):
    """Something conspicuous in the last `span` minutes."""

    seen: float
    expected: float
    base: float
    strength: float
    span: int


def burst_begins(past: Past, place: str, limits: Thresholds) -> Finding | None:
    """Far above its own pace before, and above what the others do now."""
    if past.lately(place, 1).votes < (past.by_registered(place, 1) or 1.0):
        return None  # nearly always; the rest is dear
    for span in limits.spans_minutes:
        now = past.lately(place, span)
        beside = past.by_registered(place, span)
        if now.votes < max(limits.burst_votes_min, limits.burst_factor_beside_others * (beside or 0.0)):
            continue
        before = past.pace(place, past.before(Rule.BURST, place, span))
        if not before.others or past.is_claimed(Rule.BURST, place, span):
            continue
        base = before.votes / before.others
        expected = base * now.others + _waited(past, place, base, span)
        usual = before.per_minute * span
        midway = expected if beside is None else math.sqrt(expected * max(expected, beside))
        if (
            now.votes >= max(limits.burst_factor * expected, limits.burst_factor_midway * midway, limits.burst_factor_beside_others * usual)
            and _surprises(now, before, limits)
            and burst_lasts(past, place, base, limits)
        ):
            return Finding(now.votes, expected, base, now.votes / max(expected, 1.0), span)
    return None


def burst_lasts(past: Past, place: str, base: float, limits: Thresholds) -> Finding | None:
    now = past.lately(place, 1)
    expected = base * now.others
    if now.votes < max(1.0, limits.burst_factor_lasting * expected):
        return None
    return Finding(now.votes, expected, base, now.votes / max(expected, 1.0), 1)


def _waited(past: Past, place: str, base: float, span: int) -> float:
    """Votes that did not come while the place was silent and have not come since: whoever waited may come at once."""
    rest = 0.0
    for alert in past.known:
        if alert.place == place and alert.rule is Rule.SILENCE:
            since, later = past.lately(place, past.now - alert.last_minute), past.lately(place, span)
            come = since.votes - later.votes - base * (since.others - later.others)  # above its pace, until `span` began
            rest += max(0.0, alert.expected - alert.seen - max(0.0, come))
    return rest


def silence_begins(past: Past, place: str, limits: Thresholds) -> Finding | None:
    """Next to nothing from a place that has been voting, while the others go on."""
    beside = past.by_registered(place, 1)
    if beside is not None and past.lately(place, 1).votes > limits.silence_share * beside:
        return None  # nearly always; the rest is dear
    for span in limits.spans_minutes:
        now = past.lately(place, span)
        beside = past.by_registered(place, span)
        share = limits.silence_share if span == 1 else limits.silence_share_longer
        if not now.others or (beside is not None and now.votes > share * beside):
            continue
        before = past.pace(place, past.before(Rule.SILENCE, place, span))
        if not before.votes or not before.others or past.is_claimed(Rule.SILENCE, place, span):
            continue
        base = before.votes / before.others
        expected = base * now.others
        if (
            now.votes <= share * min(expected, before.per_minute * span)
            and _surprises(now, before, limits)
            and silence_lasts(past, place, base, past.now, limits)
        ):
            return Finding(now.votes, expected, base, span, span)
    return None


def silence_lasts(past: Past, place: str, base: float, first_minute: int, limits: Thresholds) -> Finding | None:
    now = past.lately(place, 1)
    expected = base * now.others
    if not now.others or now.votes > limits.silence_share * expected:
        return None
    return Finding(now.votes, expected, base, past.now - first_minute + 1, 1)


def _surprises(now: Pace, before: Pace, limits: Thresholds) -> bool:
    """Whether the place's part of all votes has changed by more than chance explains."""
    found = surprise(now.votes, now.votes + now.others, before.votes, before.votes + before.others)
    return found >= limits.surprise_min * limits.dispersion


def shares_begin(past: Past, place: str, limits: Thresholds) -> dict[str, Finding]:
    """Candidates whose share of a place's votes is far above what it was there, and not because it has risen elsewhere too."""
    found: dict[str, Finding] = {}
    rising = _rising(past, place, limits)
    for span in limits.spans_minutes if rising else ():
        now = past.lately(place, span)
        if now.votes < limits.share_votes_min:
            continue
        indices = past.before(Rule.SHARE, place, span)
        before = past.pace(place, indices)
        if not before.votes or past.is_claimed(Rule.SHARE, place, span):
            continue
        for candidate_id, series in rising.items():
            votes, votes_before = series.last(span), series.over(indices)
            base = votes_before / before.votes
            if (
                votes >= (base + limits.share_jump) * now.votes
                and candidate_id not in found
                and surprise(votes, now.votes, votes_before, before.votes) >= limits.surprise_min * limits.dispersion
                and votes / now.votes - base - _rise_elsewhere(past, place, candidate_id, indices, span) >= limits.share_jump
                and share_lasts(past, place, candidate_id, base, limits)
            ):
                found[candidate_id] = Finding(votes, base * now.votes, base, votes / now.votes - base, span)
    return found


def _rising(past: Past, place: str, limits: Thresholds) -> dict[str, Series]:
    """Candidates who may have jumped: their share of the last minute is above that before it by what makes a jump last. Few are.

    If somebody jumped some minutes ago, those are part of this past; they are less than half of it, and a jump is twice what makes one last.
    """
    votes, before = past.lately(place, 1).votes, past.before(Rule.SHARE, place, 1)
    votes_before = past.pace(place, before).votes
    if not votes or not votes_before or past.lately(place, max(limits.spans_minutes)).votes < limits.share_votes_min:
        return {}
    of_past = itemgetter(*before)  # at least three, so this is a tuple
    return {
        candidate_id: Series(counts)
        for candidate_id, counts in past.candidates(place).items()
        if counts[-1] / votes - sum(of_past(counts)) / votes_before >= limits.share_jump_lasting
    }


def share_lasts(past: Past, place: str, candidate_id: str, base: float, limits: Thresholds) -> Finding | None:
    now, counts = past.lately(place, 1), past.candidates(place).get(candidate_id)
    votes = counts[-1] if counts else 0
    if not now.votes or votes < (base + limits.share_jump_lasting) * now.votes:
        return None
    return Finding(votes, base * now.votes, base, votes / now.votes - base, 1)


def _rise_elsewhere(past: Past, place: str, candidate_id: str, indices: Sequence[int], span: int) -> float:
    """By how much the candidate's share has risen in all other places together; nothing if it has fallen there."""
    here, everywhere = Series(past.candidates(place)[candidate_id]), past.everywhere(candidate_id)
    now, before = past.lately(place, span), past.pace(place, indices)
    if not now.others or not before.others:
        return 0.0
    share_now = (everywhere.last(span) - here.last(span)) / now.others
    return max(0.0, share_now - (everywhere.over(indices) - here.over(indices)) / before.others)


def repeats_begin(past: Past, place: str, limits: Thresholds) -> Finding | None:
    """Many ballots of people who had voted already, far above what is usual there and what is usual elsewhere now."""
    series = past.repeats(place)
    for span in limits.spans_minutes:
        if series.last(span) < limits.repeats_min or past.is_claimed(Rule.REPEATS, place, span):
            continue
        indices = past.before(Rule.REPEATS, place, span)
        base = max(limits.repeats_usual_min, series.over(indices) / len(indices)) if indices else limits.repeats_usual_min
        found = _repeats(past, place, base, limits.repeats_factor, span)
        if (
            found is not None
            and surprise_of_count(found.seen, found.expected) >= limits.surprise_min * limits.dispersion
            and repeats_last(past, place, base, limits)
        ):
            return found
    return None


def repeats_last(past: Past, place: str, base: float, limits: Thresholds) -> Finding | None:
    return _repeats(past, place, base, limits.repeats_factor_lasting, 1)


def _repeats(past: Past, place: str, base: float, factor: float, span: int) -> Finding | None:
    seen, now = past.repeats(place).last(span), past.lately(place, span)
    others = past.repeats_but_for([place]).last(span)
    beside = now.votes / now.others if now.others else past.size(place)  # nobody votes any more: then by how many live there
    expected = max(base * span, others * beside)
    if seen < max(1.0, factor * expected):
        return None
    return Finding(seen, expected, base, seen / max(now.votes, 1), span)


def repeats_everywhere(past: Past, but_for: Iterable[str], raised: Alert | None, limits: Thresholds) -> Finding | None:
    """The same in all places together, but for those that have an alert of their own."""
    series = past.repeats_but_for(but_for)
    if raised is not None:
        base, factor, least = raised.base, limits.repeats_factor_lasting, 1
    else:
        indices = past.quiet(Rule.REPEATS, EVERYWHERE, 1)
        base = max(1.0, series.over(indices) / max(len(indices), 1))
        factor, least = limits.repeats_factor, limits.repeats_everywhere_min
    seen, votes = series.last(1), past.lately(EVERYWHERE, 1).others
    if seen < max(least, factor * base, limits.repeats_share_everywhere * votes):
        return None
    return Finding(seen, base, base, seen / max(votes, 1), 1)
