"""The suite's zeros mean something: a vote that is missing, doubled or elsewhere is found, in whichever table or topic it is."""

import json
from contextlib import ExitStack, closing

from pipeline import Pipeline, Spark, tally_all, wait_for
from recovery.comparison import compare, compare_anew
from recovery.ledger import Ledger
from recovery.views import CANDIDATES, TOPICS
from recovery.watcher import Watcher

VOTERS = 60

RAISED = """
    INSERT INTO alerts (election_id, rule, subject, from_time, to_time, state, severity, place, candidate_id, seen, expected, base, evidence,
                        generation, batch)
    SELECT 'e', 'burst', 'Kent', moment, moment + interval '2 minutes', 'cleared', 'notice', 'Kent', '', 90, 9, 0.1, 'many', 1, 0
    FROM unnest(%s::timestamptz[]) AS moment
"""
NOT_RAISED = "DELETE FROM alerts"

# Where something goes wrong, how, and how it is put right again.
WRONGS = (
    ("cells", "UPDATE cells SET votes = votes + 1 WHERE city = 'City 0'", "UPDATE cells SET votes = votes - 1 WHERE city = 'City 0'"),
    ("cells", "UPDATE cells SET state = city, city = state", "UPDATE cells SET state = city, city = state"),
    (
        "group_totals",
        "UPDATE group_totals SET votes = votes - 1 WHERE view = 'age' AND candidate_id = 'c1'",
        "UPDATE group_totals SET votes = votes + 1 WHERE view = 'age' AND candidate_id = 'c1'",
    ),
    ("history", "UPDATE history SET votes = votes + 1 WHERE state <> ''", "UPDATE history SET votes = votes - 1 WHERE state <> ''"),
    (
        "history",
        "UPDATE history SET from_time = from_time - interval '1 hour'",
        "UPDATE history SET from_time = from_time + interval '1 hour'",
    ),
    ("alerts", RAISED % "ARRAY['2026-05-07 12:00']", NOT_RAISED),
    ("alerts", RAISED % "ARRAY['2026-05-07 12:00', '2026-05-07 12:01']", NOT_RAISED),
    ("tally_generations", "UPDATE tally_generations SET state = 'counting'", "UPDATE tally_generations SET state = 'shown'"),
)


def test_whatever_is_wrong_is_found(pipeline: Pipeline, spark: Spark) -> None:
    pipeline.hold_election(VOTERS)
    pipeline.cast_votes(range(VOTERS))
    pipeline.record_all()
    tally_all(pipeline, spark)
    with ExitStack() as exits:
        ledger = exits.enter_context(closing(Ledger(pipeline.database_url)))
        watcher = exits.enter_context(closing(Watcher(pipeline.kafka, ledger)))

        def all_seen() -> bool:
            watcher.look()
            return watcher.votes == VOTERS

        wait_for(all_seen, "all votes are seen")
        assert watcher.take_faults() == compare(ledger, watcher) == compare_anew(pipeline.kafka, ledger) == []
        for where, wrong, right in WRONGS:
            pipeline.sql(wrong)
            found = compare(ledger, watcher)
            assert found, wrong
            assert any(text.startswith(where) for text in found), found
            pipeline.sql(right)
        assert compare(ledger, watcher) == []

        generation, batch = watcher.version
        fields = {"election_id": "e", "candidate_id": "c0", "total_votes": VOTERS, "version": [generation, batch + 1]}
        pipeline.send(CANDIDATES, [(b'["e","c0"]', json.dumps(fields).encode(), 0, {})])
        messages = watcher.messages

        def forged_seen() -> bool:
            watcher.look()
            return watcher.messages > messages

        wait_for(forged_seen, "the forged total is seen")
        assert any("above" in fault for fault in watcher.take_faults())
        assert {text.split(":")[0] for text in compare(ledger, watcher)} == {CANDIDATES}
        assert {text.split(":")[0] for text in compare_anew(pipeline.kafka, ledger)} == {CANDIDATES}
        assert ledger.votes == VOTERS == sum(ledger.counts(CANDIDATES).values())
        assert all(sum(ledger.counts(topic).values()) == VOTERS for topic in TOPICS)
