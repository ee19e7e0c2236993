"""The rules of the alerts: what they find, what they leave alone, and how an alert lives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetally.core.alert_past import Series, surprise, surprise_of_count
from livetally.core.alert_settings import THRESHOLDS
from livetally.core.alerts import EVERYWHERE, WINDOW_MINUTES, Alert, Minute, Rule, Window, judge

FIRST = 29_380_000
PACE = {"Kent": 60, "Essex": 55, "Fife": 9, "Orkney": 1, "London": 270, "Devon": 80, "Surrey": 75, "Norfolk": 50}
REGISTERED = {place: 30 * votes for place, votes in PACE.items()}
SHARES = {"ada": 0.5, "ben": 0.3, "cleo": 0.2}

Change = Callable[[int, str], float]  # minute, place -> times the usual pace


def usual(_minute: int, _place: str) -> float:
    return 1.0


def minute_of(
    number: int, pace: Change = usual, shares: Mapping[str, Mapping[str, float]] | None = None, repeats: Mapping[str, int] | None = None
) -> Minute:
    """Chance plays no part here: every place has exactly its pace."""
    votes: dict[tuple[str, str], int] = {}
    for place, usually in PACE.items():
        total, given_out = round(usually * pace(number, place)), 0
        of_place = (shares or {}).get(place, SHARES)
        for candidate_id, share in of_place.items():
            votes[place, candidate_id] = round(total * share)
            given_out += votes[place, candidate_id]
        votes[place, next(iter(of_place))] += total - given_out
    return Minute(FIRST + number, {key: count for key, count in votes.items() if count}, repeats or {})


class Watch:
    """Keeps what a table would keep, and notes what every minute brought."""

    def __init__(self, registered: Mapping[str, int] = REGISTERED) -> None:
        self._registered = registered
        self._minutes: list[Minute] = []
        self.kept: dict[tuple[Rule, str, int], Alert] = {}
        self.said: list[tuple[int, Rule, str, str]] = []

    def see(self, minute: Minute) -> list[Alert]:
        if not self._minutes or self._minutes[-1].number != minute.number:
            self._minutes = [*self._minutes, minute][-WINDOW_MINUTES:]
        known = [one for one in self.kept.values() if one.state == "raised" or one.last_minute >= self._minutes[0].number]
        changed = judge(Window(self._minutes), self._registered, known)
        for one in changed:
            name = one.name
            if name not in self.kept or one.state == "cleared":
                self.said.append((minute.number - FIRST, one.rule, one.subject, one.state))
            self.kept[name] = one
        return changed

    def see_all(self, minutes: Sequence[Minute]) -> None:
        for minute in minutes:
            self.see(minute)


def seen(pace: Change = usual, minutes: int = 40, registered: Mapping[str, int] = REGISTERED) -> Watch:
    watch = Watch(registered)
    watch.see_all([minute_of(number, pace) for number in range(minutes)])
    return watch


def in_kent(times: float, during: range) -> Change:
    return lambda minute, place: times if place == "Kent" and minute in during else 1.0


def test_an_ordinary_hour_says_nothing() -> None:
    assert seen(minutes=60).said == []


def test_a_burst_is_raised_once_updated_and_cleared() -> None:
    watch = seen(in_kent(5, range(20, 24)))
    assert watch.said == [(20, Rule.BURST, "Kent", "raised"), (25, Rule.BURST, "Kent", "cleared")]
    (alert,) = watch.kept.values()
    assert (alert.first_minute - FIRST, alert.last_minute - FIRST) == (20, 23)
    assert (alert.seen, round(alert.expected), alert.severity) == (1200, 240, "warning")
    assert alert.evidence.startswith("Kent: 1,200 votes from 19:00 to 19:03 UTC; ")
    assert alert.evidence.endswith("let 240 be expected. Over.")


def test_a_burst_is_found_where_nobody_knows_how_large_places_are() -> None:
    assert seen(in_kent(5, range(20, 24)), registered={}).said[0] == (20, Rule.BURST, "Kent", "raised")


def test_twice_the_pace_is_no_burst() -> None:
    assert seen(in_kent(2, range(20, 24))).said == []


def test_a_silence_is_raised_once_updated_and_cleared_and_the_queue_is_no_burst() -> None:
    def pace(minute: int, place: str) -> float:
        if place != "Kent" or minute not in range(20, 28):
            return 1.0
        return 0.0 if minute < 25 else 3.5

    watch = seen(pace)
    assert watch.said == [(20, Rule.SILENCE, "Kent", "raised"), (26, Rule.SILENCE, "Kent", "cleared")]
    (alert,) = watch.kept.values()
    assert (alert.seen, round(alert.expected)) == (0, 300)


def test_a_burst_after_a_silence_that_nobody_waited_for_is_one() -> None:
    watch = seen(lambda minute, place: {20: 0, 21: 0, 24: 15, 25: 15}.get(minute, 1.0) if place == "Kent" else 1.0)
    assert (24, Rule.BURST, "Kent", "raised") in watch.said


def test_a_smaller_place_takes_longer_to_be_missed() -> None:
    watch = seen(lambda minute, place: 0.0 if place == "Fife" and minute >= 20 else 1.0)
    assert watch.said == [(24, Rule.SILENCE, "Fife", "raised")]
    (alert,) = watch.kept.values()
    assert alert.first_minute - FIRST == 20


def test_a_tiny_place_is_never_missed() -> None:
    assert seen(lambda minute, place: 0.0 if place == "Orkney" and minute >= 20 else 1.0).said == []


@pytest.mark.parametrize(
    "pace",
    [
        pytest.param(lambda minute, _place: 3.0 if minute in range(20, 30) else 1.0, id="a rush hour everywhere"),
        pytest.param(lambda minute, _place: 0.0 if minute >= 20 else 1.0, id="the closing"),
        pytest.param(lambda minute, _place: 0.0 if minute in range(20, 24) else 2.0 if minute in range(24, 28) else 1.0, id="an outage"),
        pytest.param(
            lambda minute, place: (0.0 if minute < 15 else 3.0 if minute < 22 else 1.0) if place == "Kent" else 1.0,
            id="a late opening with a queue",
        ),
    ],
)
def test_what_is_no_anomaly(pace: Change) -> None:
    assert seen(pace).said == []


def test_the_first_minutes_have_no_past_to_differ_from() -> None:
    assert seen(lambda minute, place: 8.0 if place == "Kent" and minute > 0 else 1.0, minutes=4).said == []


def test_an_anomaly_never_becomes_its_own_normal() -> None:
    """Twice as long as anybody looks back."""
    lasts = 2 * WINDOW_MINUTES
    assert seen(in_kent(5, range(20, 200)), minutes=20 + lasts).said == [(20, Rule.BURST, "Kent", "raised")]
    assert seen(in_kent(0, range(20, 200)), minutes=20 + lasts).said == [(20, Rule.SILENCE, "Kent", "raised")]


def jump(minute: int, shares: Mapping[str, float], *places: str) -> Minute:
    return minute_of(minute, shares=dict.fromkeys(places, shares))


def test_a_share_that_jumps_is_raised_for_that_candidate_alone() -> None:
    watch = Watch()
    for minute in range(40):
        watch.see(jump(minute, {"cleo": 0.8, "ada": 0.2} if minute in range(20, 25) else SHARES, "Kent"))
    assert watch.said == [(20, Rule.SHARE, "Kent, cleo", "raised"), (26, Rule.SHARE, "Kent, cleo", "cleared")]
    (alert,) = watch.kept.values()
    assert (alert.place, alert.candidate_id, alert.seen, round(alert.expected), alert.severity) == ("Kent", "cleo", 240, 60, "critical")
    assert "its share before, 20%, lets 60 be expected" in alert.evidence


def test_a_candidate_who_rises_everywhere_jumps_nowhere() -> None:
    watch = Watch()
    for minute in range(40):
        watch.see(jump(minute, {"cleo": 0.8, "ada": 0.2} if minute >= 20 else SHARES, *PACE))
    assert watch.said == []


def flood(number: int, counts: Mapping[str, int], during: range) -> Minute:
    few = {"Kent": 1, "London": 2}
    return minute_of(number, repeats=counts if number in during else few)


def test_a_flood_of_repeated_ballots_in_one_place() -> None:
    watch = Watch()
    watch.see_all([flood(number, {"Kent": 150, "London": 3}, range(20, 23)) for number in range(40)])
    assert watch.said == [(20, Rule.REPEATS, "Kent", "raised"), (24, Rule.REPEATS, "Kent", "cleared")]
    (alert,) = watch.kept.values()
    assert (alert.seen, round(alert.expected), alert.severity) == (450, 3, "critical")


def test_a_flood_of_repeated_ballots_needs_no_past_but_others() -> None:
    watch = Watch()
    watch.see_all([flood(number, {"Kent": 150, "London": 3}, range(3)) for number in range(3)])
    assert watch.said == [(0, Rule.REPEATS, "Kent", "raised")]


def test_a_flood_everywhere_is_one_alert() -> None:
    watch = Watch()
    watch.see_all([flood(number, PACE, range(20, 23)) for number in range(40)])
    assert watch.said == [(20, Rule.REPEATS, EVERYWHERE, "raised"), (24, Rule.REPEATS, EVERYWHERE, "cleared")]
    (alert,) = watch.kept.values()
    assert alert.evidence.startswith("Everywhere: ")


def after_the_last_vote(number: int, counts: Mapping[str, int]) -> Minute:
    """Everybody has voted by the twentieth minute; ten minutes later there is a flood."""
    return minute_of(number, lambda minute, _: float(minute < 20), repeats=counts if number in range(30, 33) else {})


def test_a_flood_is_seen_when_nobody_votes_any_more() -> None:
    watch = Watch()
    watch.see_all([after_the_last_vote(number, {"Kent": 150, "London": 3}) for number in range(40)])
    assert watch.said == [(30, Rule.REPEATS, "Kent", "raised"), (34, Rule.REPEATS, "Kent", "cleared")]


def test_a_flood_everywhere_is_one_alert_when_nobody_votes_any_more_too() -> None:
    watch = Watch()
    watch.see_all([after_the_last_vote(number, {place: 5 * size for place, size in PACE.items()}) for number in range(40)])
    assert watch.said == [(30, Rule.REPEATS, EVERYWHERE, "raised"), (34, Rule.REPEATS, EVERYWHERE, "cleared")]


def test_some_repeated_ballots_everywhere_are_none() -> None:
    """What cast them was killed and repeated its last second."""
    watch = Watch()
    watch.see_all([flood(number, {place: votes // 30 for place, votes in PACE.items()}, range(20, 21)) for number in range(40)])
    assert watch.said == []


def test_a_minute_that_is_judged_again_changes_nothing() -> None:
    watch = Watch()
    for number in range(40):
        minute = minute_of(number, in_kent(5, range(20, 24)))
        watch.see(minute)
        assert watch.see(minute) == []


def test_a_new_anomaly_after_the_last_one_is_a_new_alert() -> None:
    watch = seen(lambda minute, place: 5.0 if place == "Kent" and minute in (20, 21, 28, 29) else 1.0)
    assert [(minute, state) for minute, _, _, state in watch.said] == [(20, "raised"), (23, "cleared"), (28, "raised"), (31, "cleared")]


def test_severity_never_falls_while_an_alert_lasts() -> None:
    watch = seen(lambda minute, place: {20: 9.0, 21: 3.0, 22: 3.0}.get(minute, 1.0) if place == "Kent" else 1.0)
    (alert,) = watch.kept.values()
    assert (alert.severity, alert.last_minute - FIRST) == ("critical", 22)


def test_every_rule_has_grades() -> None:
    assert set(THRESHOLDS.grades) == set(Rule)
    assert all(grades.warning <= grades.critical for grades in THRESHOLDS.grades.values())
    assert max(THRESHOLDS.spans_minutes) + THRESHOLDS.past_minutes < WINDOW_MINUTES <= 60


def test_no_minutes_no_alerts() -> None:
    assert judge(Window(), REGISTERED, []) == []


MINUTES = st.lists(
    st.tuples(
        st.dictionaries(st.tuples(st.sampled_from(["Kent", "Fife", "unknown"]), st.sampled_from(["ada", "ben"])), st.integers(0, 5000)),
        st.dictionaries(st.sampled_from(["Kent", "Fife", "nowhere"]), st.integers(0, 5000)),
    ),
    min_size=1,
    max_size=WINDOW_MINUTES + 15,
)


@given(MINUTES, st.sampled_from([{}, {"Kent": 0}, {"Kent": 100}, {"Kent": 100, "Fife": 3, "elsewhere": 10}]))
@settings(max_examples=50, deadline=None)
def test_whatever_happens_there_is_one_alert_at_a_time_of_each_kind(counts: list[tuple[dict, dict]], registered: dict[str, int]) -> None:  # type: ignore[type-arg]
    watch, again = Watch(registered), Watch(registered)
    for number, (votes, repeats) in enumerate(counts):
        minute = Minute(FIRST + number, votes, repeats)
        changed = watch.see(minute)
        assert changed == again.see(replace(minute, votes=dict(reversed(votes.items()))))
        raised = [one.key for one in watch.kept.values() if one.state == "raised"]
        assert len(raised) == len(set(raised))
        for one in changed:
            assert one.first_minute <= one.last_minute <= minute.number
            assert one.state == "cleared" or one.last_minute == minute.number
            assert min(one.seen, one.expected) >= 0
            assert one.evidence


def test_series_sums_as_lists_do() -> None:
    series = Series([3, 0, 4, 5])
    assert [series.last(span) for span in (0, 1, 2, 9)] == [0, 5, 9, 12]
    assert (series.over(range(1, 3)), series.over([0, 3]), series.over(range(0)), series.over([])) == (4, 8, 0, 0)
    assert (Series([0, 0, 1]).first(), Series([0, 0]).first()) == (2, 2)


def test_surprise_is_nothing_where_shares_agree_and_grows_with_the_numbers() -> None:
    assert surprise(10, 100, 100, 1000) == pytest.approx(0)
    assert 0 < surprise(20, 100, 100, 1000) < surprise(40, 200, 200, 2000)
    assert surprise(20, 100, 2, 20) < surprise(20, 100, 100, 1000)
    assert surprise(5, 5, 0, 0) == 0
    assert surprise_of_count(10, 10) == pytest.approx(0)
    assert surprise_of_count(0, 10) == 10
