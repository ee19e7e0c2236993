"""The four rules. Each says when something begins to be conspicuous, and whether it still is. Pure; none knows what was raised by another.

Whatever hits all places alike (a rush hour, the closing, a stage that was away) is no anomaly of a place: expectations are made of what
the others do in the same minutes.
"""

from typing import NamedTuple

from livetally.core.alert_facts import EVERYWHERE, Alert, Rule
from livetally.core.alert_past import Past, surprise, surprise_of_count
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
    for span in limits.spans_minutes:
        now = past.lately(place, span)
        beside = past.by_registered(place, span)
        if now.votes < limits.burst_votes_min or (beside is not None and now.votes < limits.burst_factor_beside_others * beside):
            continue
        before = past.pace(place, past.before(Rule.BURST, place, span))
        if not before.others or past.is_claimed(Rule.BURST, place, span):
            continue
        base = before.votes / before.others
        expected = base * now.others + _waited(past, place, base, span)
        is_far = now.votes >= max(limits.burst_factor * expected, limits.burst_factor_beside_others * before.per_minute * span)
        if (
            is_far
            and surprise(now.votes, now.votes + now.others, before.votes, before.votes + before.others)
            >= limits.surprise_min * limits.dispersion
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
            since = past.now - alert.last_minute
            earlier, later = past.lately(place, since), past.lately(place, span)
            come = earlier.votes - later.votes - base * (earlier.others - later.others) if since > span else 0.0
            rest += max(0.0, alert.expected - alert.seen - max(0.0, come))
    return rest


def silence_begins(past: Past, place: str, limits: Thresholds) -> Finding | None:
    """Next to nothing from a place that has been voting, while the others go on."""
    for span in limits.spans_minutes:
        now = past.lately(place, span)
        beside = past.by_registered(place, span)
        if not now.others or (beside is not None and now.votes > limits.silence_share * beside):
            continue
        before = past.pace(place, past.before(Rule.SILENCE, place, span))
        if not before.votes or not before.others or past.is_claimed(Rule.SILENCE, place, span):
            continue
        base = before.votes / before.others
        expected = base * now.others
        if (
            now.votes <= limits.silence_share * min(expected, before.per_minute * span)
            and surprise(now.votes, now.votes + now.others, before.votes, before.votes + before.others)
            >= limits.surprise_min * limits.dispersion
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


def share_begins(past: Past, place: str, candidate_id: str, limits: Thresholds) -> Finding | None:
    """A candidate's share of a place's votes far above what it was there, and not because it has risen elsewhere too."""
    of_candidate = past.votes_for(place, candidate_id)
    for span in limits.spans_minutes:
        now, votes = past.lately(place, span), sum(of_candidate[-span:])
        if now.votes < limits.share_votes_min or votes < limits.share_jump * now.votes:
            continue
        indices = past.before(Rule.SHARE, place, span)
        before = past.pace(place, indices)
        if not before.votes or past.is_claimed(Rule.SHARE, place, span):
            continue
        votes_before = sum(of_candidate[index] for index in indices)
        base = votes_before / before.votes
        share = votes / now.votes
        if share - base < limits.share_jump or share - base - _rise_elsewhere(past, place, candidate_id, indices, span) < limits.share_jump:
            continue
        if surprise(votes, now.votes, votes_before, before.votes) >= limits.surprise_min * limits.dispersion and share_lasts(
            past, place, candidate_id, base, limits
        ):
            return Finding(votes, base * now.votes, base, share - base, span)
    return None


def share_lasts(past: Past, place: str, candidate_id: str, base: float, limits: Thresholds) -> Finding | None:
    now, votes = past.lately(place, 1), past.votes_for(place, candidate_id)[-1]
    if not now.votes or votes / now.votes - base < limits.share_jump_lasting:
        return None
    return Finding(votes, base * now.votes, base, votes / now.votes - base, 1)


def _rise_elsewhere(past: Past, place: str, candidate_id: str, indices: list[int], span: int) -> float:
    """By how much the candidate's share has risen in all other places together; nothing if it has fallen there."""
    here, all_places = past.votes_for(place, candidate_id), past.votes_for(None, candidate_id)
    now, before = past.lately(place, span), past.pace(place, indices)
    if not now.others or not before.others:
        return 0.0
    share_now = (sum(all_places[-span:]) - sum(here[-span:])) / now.others
    share_before = sum(all_places[index] - here[index] for index in indices) / before.others
    return max(0.0, share_now - share_before)


def repeats_begin(past: Past, place: str, limits: Thresholds) -> Finding | None:
    """Many ballots of people who had voted already, far above what is usual there and what is usual elsewhere now."""
    for span in limits.spans_minutes:
        seen = past.repeats(place, _last(past, span))
        if seen < limits.repeats_min or past.is_claimed(Rule.REPEATS, place, span):
            continue
        before = _repeats_before(past, place, span)
        found = _repeats(past, place, before, limits.repeats_factor, span)
        if (
            found is not None
            and surprise_of_count(found.seen, found.expected) >= limits.surprise_min * limits.dispersion
            and repeats_last(past, place, before, limits)
        ):
            return found
    return None


def repeats_last(past: Past, place: str, base: float, limits: Thresholds) -> Finding | None:
    return _repeats(past, place, base, limits.repeats_factor_lasting, 1)


def _repeats_before(past: Past, place: str, span: int) -> float:
    """A minute's usual number of them; at least a tenth of one, so that the first few in a place are no multiple of nothing."""
    indices = past.before(Rule.REPEATS, place, span)
    return max(0.1, past.repeats(place, indices) / len(indices)) if indices else 0.1


def _repeats(past: Past, place: str, base: float, factor: float, span: int) -> Finding | None:
    seen = past.repeats(place, _last(past, span))
    now = past.lately(place, span)
    others = sum(sum(past.minutes[index].repeats.values()) for index in _last(past, span)) - seen
    expected = max(base * span, others * now.votes / now.others if now.others else 0.0)
    if seen < max(1.0, factor * expected):
        return None
    return Finding(seen, expected, base, seen / max(now.votes, 1), span)


def _last(past: Past, span: int) -> range:
    return range(max(0, len(past.minutes) - span), len(past.minutes))


def repeats_everywhere(past: Past, but_for: set[str], is_known: Alert | None, limits: Thresholds) -> Finding | None:
    """The same in all places together, but for those that have an alert of their own."""

    def count(index: int) -> int:
        return sum(repeats for place, repeats in past.minutes[index].repeats.items() if place not in but_for)

    last = len(past.minutes) - 1
    claimed = {
        index
        for alert in past.known
        if alert.place == EVERYWHERE
        for index in range(alert.first_minute - past.minutes[0].number, alert.last_minute - past.minutes[0].number + 1)
    }
    indices = [index for index in range(last - 1, -1, -1) if index not in claimed][: limits.past_minutes]
    if is_known is not None:
        base, factor = is_known.base, limits.repeats_factor_lasting
    else:
        base, factor = max(1.0, sum(map(count, indices)) / max(len(indices), 1)), limits.repeats_factor
    seen, votes = count(last), sum(past.minutes[last].votes.values())
    if seen < max(limits.repeats_everywhere_min, factor * base, limits.repeats_share_everywhere * votes):
        return None
    return Finding(seen, base, base, seen / max(votes, 1), 1)
