"""What is conspicuous on the votes' topic is raised, updated and cleared, for whoever reads the topic or the table."""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from livetally.adapters.cells import Cells
from livetally.core.errors import ServiceError
from livetally.core.wire import ALERTS, VOTES, utc_text
from livetally.tally import count as count_module
from livetally.tally import watch as watch_module
from livetally.tally.points import Point
from livetally.tally.watch import Watch
from pipeline import CANDIDATES, ELECTION, Pipeline, Spark, tally_all, tallying, wait_for
from recovery.alarms import Alarms

MORNING = datetime(2026, 5, 7, 9, 0, tzinfo=UTC)
PACE = 30  # votes a minute in each place
BURST_MINUTE, BURST = 12, 400
QUIET_PLACES = ("Devon", "Rutland", "State 0")
PLACES = ("Kent", "Essex", "Surrey", "State 1", *QUIET_PLACES)
REPEATS = 200
# What happens from that minute on, where, and to whom; a silence takes three minutes of its place to be one.
HAPPENS = {"burst": "Kent", "silence": "Essex", "share-jump": f"Surrey, {CANDIDATES[0]}", "repeated-ballots": "State 1"}
HAPPEN_MINUTES = 3
ALERTS_TABLE = "SELECT rule, subject, state, from_time, to_time, seen, expected, evidence, generation, batch FROM alerts ORDER BY rule"


def send_minutes(pipeline: Pipeline, first: int, last: int, happening: Collection[str] = ("burst",)) -> None:
    """Votes of these minutes, every place at its pace; but for what happens."""
    values = []
    for minute in range(first, last + 1):
        rules = happening if BURST_MINUTE <= minute < BURST_MINUTE + (HAPPEN_MINUTES if len(happening) > 1 else 1) else ()
        for place in PLACES:
            votes = BURST if place == "Kent" and "burst" in rules else 0 if place == "Essex" and "silence" in rules else PACE
            for number in range(votes):
                moment = MORNING + timedelta(minutes=minute, seconds=59 * number / votes)
                for_one = place == "Surrey" and "share-jump" in rules
                vote = {
                    "election_id": ELECTION,
                    "candidate_id": CANDIDATES[0 if for_one else number % 3],
                    "address": {"state": place, "city": "A City"},
                    "voting_time": utc_text(moment),
                }
                values.append(orjson.dumps(vote))
    pipeline.cast(*values, partition=0, topic=VOTES)


def reject(pipeline: Pipeline, moment: datetime, count: int, first_offset: int = 0, voter_id: str = "v1") -> None:
    """Ballots that somebody, by default of State 1, has cast again, as *record* stores them."""
    pipeline.sql(
        """
        INSERT INTO rejections (ballot_partition, ballot_offset, election_id, voter_id, reason, detail, appended_at)
        SELECT 0, ballot, %s, %s, 'already_voted_same', '', %s FROM generate_series(%s::int, %s::int) AS ballot
        """,
        (ELECTION, voter_id, moment, first_offset, first_offset + count - 1),
    )


def told(pipeline: Pipeline) -> dict[str, list[dict[str, Any]]]:
    """What the topic says of each rule, in its order."""
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for message in pipeline.read(ALERTS):
        assert orjson.loads(message.key or b"") == [ELECTION, message.fields["rule"], message.fields["subject"]]
        found[message.fields["rule"]].append(message.fields)
    return dict(found)


def assert_told_as_kept(pipeline: Pipeline) -> None:
    alarms = Alarms()
    assert [fault for message in pipeline.read(ALERTS) for fault in alarms.take(message)] == []
    assert alarms.differ(pipeline.connection) == []


def test_each_rule_is_raised_once_and_cleared_though_the_tally_dies_and_counts_anew(pipeline: Pipeline, spark: Spark) -> None:
    begins = MORNING + timedelta(minutes=BURST_MINUTE)
    pipeline.hold_election(2)
    send_minutes(pipeline, 0, BURST_MINUTE + HAPPEN_MINUTES, happening=HAPPENS)
    for minute in range(HAPPEN_MINUTES):
        reject(pipeline, begins + timedelta(minutes=minute), REPEATS, first_offset=minute * REPEATS)

    def die_between_storing_and_telling(point: Point) -> None:
        if point is Point.BEFORE_PUBLISH_COMMIT and pipeline.sql(ALERTS_TABLE):
            raise ServiceError("the lights go out")

    with pytest.raises(ServiceError), tallying(pipeline, spark, die_between_storing_and_telling) as worker:
        wait_for(lambda: not worker.is_alive, "the tally ends")
    assert pipeline.read(ALERTS) == []
    stored = pipeline.sql(ALERTS_TABLE)
    assert {rule: (subject, state) for rule, subject, state, *_ in stored} == {rule: (where, "raised") for rule, where in HAPPENS.items()}
    tally_all(pipeline, spark)
    assert pipeline.sql(ALERTS_TABLE) == stored
    assert_told_as_kept(pipeline)
    raised = {rule: messages[0] for rule, messages in told(pipeline).items()}
    assert {rule: one["subject"] for rule, one in raised.items()} == HAPPENS
    assert {one["from"] for one in raised.values()} == {utc_text(begins)}
    assert (raised["burst"]["seen"], raised["repeated-ballots"]["seen"]) == (HAPPEN_MINUTES * BURST, HAPPEN_MINUTES * REPEATS)
    assert raised["burst"]["expected"] < raised["burst"]["seen"] / 3
    assert str(HAPPEN_MINUTES * REPEATS) in raised["repeated-ballots"]["evidence"]

    send_minutes(pipeline, BURST_MINUTE + HAPPEN_MINUTES + 1, BURST_MINUTE + HAPPEN_MINUTES + 5)
    tally_all(pipeline, spark)
    assert_told_as_kept(pipeline)
    cleared = {rule: messages[-1] for rule, messages in told(pipeline).items()}
    assert {rule: (one["subject"], one["state"], one["from"]) for rule, one in cleared.items()} == {
        rule: (where, "cleared", utc_text(begins)) for rule, where in HAPPENS.items()
    }
    assert all(one["version"] > raised[rule]["version"] for rule, one in cleared.items())
    assert cleared["burst"]["to"] == utc_text(begins + timedelta(minutes=HAPPEN_MINUTES))

    kept = pipeline.sql(ALERTS_TABLE)
    Cells(pipeline.connection).request_recount()
    with tallying(pipeline, spark):
        wait_for(lambda: pipeline.sql("SELECT generation FROM tally_generations WHERE state = 'shown'") == [(2,)], "the recount is shown")
    assert pipeline.sql(ALERTS_TABLE) == kept, "a recount raises nothing anew"
    assert_told_as_kept(pipeline)
    assert all(
        {**message, "as_of": ""} in ({**raised[rule], "as_of": ""}, {**cleared[rule], "as_of": ""})
        for rule, messages in told(pipeline).items()
        for message in messages
    )


def test_an_alert_of_the_last_minute_is_raised_and_cleared_when_nobody_votes_any_more(
    pipeline: Pipeline, spark: Spark, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.hold_election(1)
    send_minutes(pipeline, 0, BURST_MINUTE)
    tally_all(pipeline, spark)
    assert pipeline.read(ALERTS) == [], "its minute may not be over yet"
    last_votes = datetime.now(UTC)
    too_early = last_votes + timedelta(seconds=watch_module.NOBODY_VOTES_S - 1)
    assert Watch(pipeline.connection).look_behind_the_last_vote(1, 0, last_votes, too_early) == []
    assert pipeline.sql("TABLE alerts") == [], "somebody may vote yet"
    monkeypatch.setattr(watch_module, "NOBODY_VOTES_S", 0.5)
    monkeypatch.setattr(count_module, "LOOK_AGAIN_S", 0.2)
    with tallying(pipeline, spark):
        wait_for(lambda: pipeline.sql("SELECT state FROM alerts") == [("cleared",)], "the burst is over")
        wait_for(lambda: pipeline.read(ALERTS), "it is announced")
    (told,) = [message.fields for message in pipeline.read(ALERTS)]
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


def test_a_flood_of_repeated_ballots_is_seen_and_its_end_when_nobody_votes_any_more(
    pipeline: Pipeline, spark: Spark, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.hold_election(2)
    send_minutes(pipeline, 0, BURST_MINUTE - 1)
    tally_all(pipeline, spark)
    flood = MORNING + timedelta(minutes=BURST_MINUTE + 20)
    reject(pipeline, flood + timedelta(seconds=20), REPEATS)
    monkeypatch.setattr(count_module, "LOOK_AGAIN_S", 0.2)
    look = "SELECT rule, place, state, seen, from_time FROM alerts"
    with tallying(pipeline, spark):
        before = flood - timedelta(minutes=1)
        wait_for(lambda: pipeline.sql("SELECT up_to FROM judged") == [(before,)], "all minutes before the flood are looked at")
        assert pipeline.sql(look) == [], "the flood's minute may not be over yet"
        reject(pipeline, flood + timedelta(seconds=70), 1, first_offset=REPEATS, voter_id="v0")
        wait_for(lambda: pipeline.sql(look) == [("repeated-ballots", "State 1", "raised", REPEATS, flood)], "the flood is seen")
        wait_for(lambda: pipeline.read(ALERTS), "it is announced")
        monkeypatch.setattr(watch_module, "NOBODY_VOTES_S", 0.2)
        monkeypatch.setattr(watch_module, "NOBODY_TRIES_S", 0.2)
        wait_for(lambda: pipeline.sql(look) == [("repeated-ballots", "State 1", "cleared", REPEATS, flood)], "it is over")
        wait_for(lambda: len(pipeline.read(ALERTS)) == 2, "that is announced, too")
    assert_told_as_kept(pipeline)
