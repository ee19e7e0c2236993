"""The reference's shape of the tally: one Spark query for each view, six queries in one session.

Each reads the topic, parses every message with the full schema, and writes what has changed to a topic, as the reference's own two
queries do: the schema, the casts, the watermark, the aggregation in update mode and the JSON of the result are the reference's. What
differs makes it faster: the session, memory, shuffle partitions, fetching, batch size and trigger are *tally*'s (Spark's default of 200
shuffle partitions alone would take it most of its time). It does less than *tally*: no history, no tables, no version, at least once.
"""

import argparse
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import IntegerType, TimestampType

from harness.views import peer_topic
from livetally.core.tally import AGE, AGE_GROUPS, AGE_YEARS_MAX, CANDIDATE, GENDER, PARTY, REGION, STATE, UNKNOWN
from livetally.core.wire import VOTES
from livetally.settings import Settings, read_settings
from livetally.tally.session import open_session
from livetally.tally.tally import AS_THE_SYSTEM_SEES_FIT, POLL_VOTES_MAX

VOTE = """
voter_id STRING, candidate_id STRING, voting_time TIMESTAMP, voter_name STRING, party_affiliation STRING, biography STRING,
campaign_platform STRING, photo_url STRING, candidate_name STRING, date_of_birth STRING, gender STRING, nationality STRING,
registration_number STRING, address STRUCT<street: STRING, city: STRING, state: STRING, country: STRING, postcode: STRING>,
email STRING, phone_number STRING, cell_number STRING, picture STRING, registered_age INT, vote INT
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--java-home", type=Path, required=True)
    parser.add_argument("--jars", required=True, help="separated by commas")
    parser.add_argument("--checkpoints", type=Path, required=True)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    settings = read_settings()
    spark = open_session(settings, arguments.java_home, [Path(jar) for jar in arguments.jars.split(",")])
    for view, frame in views(votes(spark, settings)).items():
        (
            frame.selectExpr("to_json(struct(*)) AS value")
            .writeStream.queryName(view)
            .format("kafka")
            .option("kafka.bootstrap.servers", settings.kafka_bootstrap_servers or "")
            .option("topic", peer_topic(view))
            .option("checkpointLocation", str(arguments.checkpoints / view))
            .outputMode("update")
            .trigger(processingTime=f"{settings.tally_interval_ms} milliseconds")
            .start()
        )
    spark.streams.awaitAnyTermination()


def votes(spark: SparkSession, settings: Settings) -> DataFrame:
    return (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", settings.kafka_bootstrap_servers or "")
        .option("subscribe", VOTES)
        .option("startingOffsets", "earliest")
        .option("kafka.isolation.level", "read_committed")
        .option("kafka.fetch.max.wait.ms", "50")
        .option("kafka.receive.buffer.bytes", AS_THE_SYSTEM_SEES_FIT)
        .option("kafka.max.poll.records", str(POLL_VOTES_MAX))
        .option("maxOffsetsPerTrigger", str(settings.tally_batch_votes_max))
        .load()
        .selectExpr("CAST(value AS STRING)")
        .select(f.from_json(f.col("value"), VOTE).alias("data"))
        .select("data.*")
        .withColumn("voting_time", f.col("voting_time").cast(TimestampType()))
        .withColumn("vote", f.col("vote").cast(IntegerType()))
        .withWatermark("voting_time", "1 minute")
    )


def views(votes: DataFrame) -> Mapping[str, DataFrame]:
    """The reference's two, and four more in its manner."""
    total = f.sum("vote").alias("total_votes")
    aged = votes.withColumn("age_group", _age_group(f.to_date("date_of_birth"), f.col("voting_time")))
    return {
        CANDIDATE.name: votes.groupBy("candidate_id", "candidate_name", "party_affiliation", "photo_url").agg(total),
        STATE.name: votes.groupBy("address.state").count(),
        PARTY.name: votes.groupBy("party_affiliation").agg(total),
        REGION.name: votes.groupBy("address.city", "address.state").agg(total),
        GENDER.name: votes.groupBy("gender").agg(total),
        AGE.name: aged.groupBy("age_group").agg(total),
    }


def _age_group(born: Column, voted: Column) -> Column:
    had_birthday = f.month(voted) * 100 + f.dayofmonth(voted) >= f.month(born) * 100 + f.dayofmonth(born)
    years = f.year(voted) - f.year(born) - f.when(had_birthday, 0).otherwise(1)
    group = f.when(years.isNull() | (years < 0) | (years > AGE_YEARS_MAX), UNKNOWN)
    for lowest, name in reversed(AGE_GROUPS):
        group = group.when(years >= lowest, name)
    return group


def _leave(_number: int, _frame: FrameType | None) -> None:
    """All has been counted; there is nothing to finish, and Spark's Java ends with us."""
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
