"""A consumer as people wrote it for the reference, unchanged: a plain client, every message JSON, tables made with pandas, the largest total wins."""

import json
from typing import Any
from uuid import uuid4

import pandas as pd
from confluent_kafka import Consumer

from pipeline import Pipeline, Spark, tally_all

VOTE_FIELDS = {  # what the reference's Spark job names in its schema
    "voter_id", "candidate_id", "voting_time", "voter_name", "party_affiliation", "biography", "campaign_platform", "photo_url",
    "candidate_name", "date_of_birth", "gender", "nationality", "registration_number", "address", "email", "phone_number", "cell_number",
    "picture", "registered_age", "vote",
}  # fmt: skip


def fetched(kafka: str, topic: str) -> list[dict[str, Any]]:
    """It knows nothing of transactions, keys or versions."""
    consumer = Consumer(
        {"bootstrap.servers": kafka, "group.id": uuid4().hex, "auto.offset.reset": "earliest", "enable.partition.eof": True}
    )
    consumer.subscribe([topic])
    data: list[dict[str, Any]] = []
    ended: set[int | None] = set()
    try:
        while not ended or len(ended) < len(consumer.assignment()):
            if (message := consumer.poll(1.0)) is None:
                continue
            if message.error() is not None:
                ended.add(message.partition())
            else:
                data.append(json.loads(message.value() or b""))
    finally:
        consumer.close()
    return data


def largest(frame: pd.DataFrame, group: str, total: str) -> dict[str, int]:
    newest = frame.loc[frame.groupby(group)[total].idxmax()]
    return dict(zip(newest[group], newest[total], strict=True))


def counted(pipeline: Pipeline, by: str) -> dict[str, int]:
    return dict(
        pipeline.sql(f"SELECT {by}, count(*) FROM votes JOIN voters USING (voter_id) JOIN candidates USING (candidate_id) GROUP BY {by}")
    )


def test_a_consumer_of_the_reference_reads_ours_and_shows_the_right_result(pipeline: Pipeline, spark: Spark) -> None:
    pipeline.hold_election(60)
    for people in (range(25), range(25, 49)):
        pipeline.cast_votes(people)
        pipeline.record_all()
        tally_all(pipeline, spark)  # each total is announced more than once

    results = pd.DataFrame(fetched(pipeline.kafka, "aggregated_votes_per_candidate"))
    assert largest(results, "candidate_id", "total_votes") == counted(pipeline, "candidate_id")
    leading = results.loc[results["total_votes"].idxmax()]
    most = pipeline.sql(
        "SELECT candidate_name, party_affiliation, photo_url, count(*) FROM votes JOIN candidates USING (candidate_id) "
        "GROUP BY candidate_name, party_affiliation, photo_url ORDER BY 4 DESC LIMIT 1"
    )[0]
    assert tuple(leading[["candidate_name", "party_affiliation", "photo_url", "total_votes"]]) == most

    locations = pd.DataFrame(fetched(pipeline.kafka, "aggregated_turnout_by_location"))
    assert largest(locations, "state", "count") == counted(pipeline, "address_state")
    for topic, group, by in (
        ("aggregated_turnout_by_gender", "gender", "gender"),
        ("aggregated_party_wise_votes", "party_affiliation", "party_affiliation"),
    ):
        assert largest(pd.DataFrame(fetched(pipeline.kafka, topic)), group, "total_votes") == counted(pipeline, by), topic
    regions = pd.DataFrame(fetched(pipeline.kafka, "aggregated_votes_by_region"))
    regions["region"] = regions["city"] + ", " + regions["state"]
    assert largest(regions, "region", "total_votes") == counted(pipeline, "address_city || ', ' || address_state")

    votes = fetched(pipeline.kafka, "votes_topic")
    assert len(votes) == 49
    assert all(fields.keys() >= VOTE_FIELDS and fields["vote"] == 1 for fields in votes)
    assert {fields["address"]["state"] for fields in votes} == counted(pipeline, "address_state").keys()
