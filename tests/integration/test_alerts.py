"""What is conspicuous on the votes' topic is raised, updated and cleared, for whoever reads the topic or the table."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from livetally.core.wire import VOTES, utc_text
from livetally.tally import count as count_module
from pipeline import CANDIDATES, ELECTION, Pipeline, Spark, tally_all, tallying, wait_for

MORNING = datetime(2026, 5, 7, 9, 0, tzinfo=UTC)
PACE = 30  # votes a minute in each place
BURST_MINUTE, BURST = 12, 400
PLACES = ("Devon", "Kent", "Rutland", "Surrey")


def send_minutes(pipeline: Pipeline, first: int, last: int) -> None:
    """Votes of these minutes, every place at its pace; in one minute one of them far above it."""
    values = []
    for minute in range(first, last + 1):
        for place in PLACES:
            votes = BURST if (minute, place) == (BURST_MINUTE, "Kent") else PACE
            for number in range(votes):
                moment = MORNING + timedelta(minutes=minute, seconds=59 * number / votes)
                vote = {
                    "election_id": ELECTION,
                    "candidate_id": CANDIDATES[number % 3],
                    "address": {"state": place, "city": "A City"},
                    "voting_time": utc_text(moment),
                }
                values.append(orjson.dumps(vote))
    pipeline.cast(*values, partition=0, topic=VOTES)


def test_a_burst_is_raised_once_and_cleared_and_a_restart_tells_it_again(pipeline: Pipeline, spark: Spark) -> None:
    pipeline.hold_election(1)
    send_minutes(pipeline, 0, BURST_MINUTE + 1)
    tally_all(pipeline, spark)
    (raised,) = pipeline.read("alerts_topic")
    assert raised.key == orjson.dumps([ELECTION, "burst", "Kent"])
    told = raised.fields
    assert (told["state"], told["place"], told["from"]) == ("raised", "Kent", utc_text(MORNING + timedelta(minutes=BURST_MINUTE)))
    assert told["seen"] == BURST
    assert told["expected"] < BURST / 3
    assert str(BURST) in told["evidence"]
    send_minutes(pipeline, BURST_MINUTE + 2, BURST_MINUTE + 5)
    tally_all(pipeline, spark)
    first, *_, last = [message.fields for message in pipeline.read("alerts_topic")]
    assert first == told
    assert (last["state"], last["from"], last["to"]) == ("cleared", told["from"], utc_text(MORNING + timedelta(minutes=BURST_MINUTE + 1)))
    assert last["version"] > first["version"]
    assert pipeline.sql("SELECT rule, subject, state, seen FROM alerts") == [("burst", "Kent", "cleared", BURST)]
    tally_all(pipeline, spark)
    assert pipeline.read("alerts_topic")[-1].fields["version"] == last["version"], "told again as it stands"
    assert pipeline.sql("SELECT count(*) FROM alerts") == [(1,)]


def test_an_alert_of_the_last_minute_is_raised_and_cleared_when_nobody_votes_any_more(
    pipeline: Pipeline, spark: Spark, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.hold_election(1)
    send_minutes(pipeline, 0, BURST_MINUTE)
    tally_all(pipeline, spark)
    assert pipeline.read("alerts_topic") == [], "its minute may not be over yet"
    monkeypatch.setattr(count_module, "NOBODY_VOTES_S", 0.5)
    with tallying(pipeline, spark):
        wait_for(lambda: pipeline.sql("SELECT state FROM alerts") == [("cleared",)], "the burst is over")
        wait_for(lambda: pipeline.read("alerts_topic"), "it is announced")
    (told,) = [message.fields for message in pipeline.read("alerts_topic")]
    assert (told["state"], told["seen"]) == ("cleared", BURST)
    assert (told["from"], told["to"]) == tuple(utc_text(MORNING + timedelta(minutes=BURST_MINUTE + one)) for one in (0, 1))


def test_repeated_ballots_are_found_among_the_rejections(pipeline: Pipeline, spark: Spark) -> None:
    pipeline.hold_election(600)
    pipeline.cast_votes(range(1, 600, 3))  # all of State 1
    pipeline.cast_votes(range(1, 600, 3), candidate_id="c0")
    pipeline.record_all()
    minute = pipeline.sql("SELECT date_trunc('minute', max(appended_at)) FROM rejections")[0][0]
    pipeline.tamper("UPDATE rejections SET appended_at = %s", (minute,))
    votes = [
        {
            "election_id": ELECTION,
            "candidate_id": "c0",
            "address": {"state": place},
            "voting_time": utc_text(minute + timedelta(minutes=offset)),
        }
        for offset in range(-8, 2)
        for place in ("State 0", "State 1", "State 2")
        for _ in range(PACE)
    ]
    votes.append({"election_id": ELECTION, "candidate_id": "c0", "voting_time": utc_text(minute + timedelta(seconds=70))})
    pipeline.cast(*map(orjson.dumps, votes), partition=0, topic=VOTES)
    tally_all(pipeline, spark)
    assert pipeline.sql("SELECT rule, place, seen, from_time FROM alerts WHERE rule = 'repeated-ballots'") == [
        ("repeated-ballots", "State 1", 200, minute)
    ]
