"""Work that nobody looks at, so that Spark has generated its code, and Java has compiled it, before the first votes come."""

from collections.abc import Callable

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from livetally.tally import frames
from livetally.tally.collect import collect

FEW = 1_000
PORTION = 20_000
PORTIONS_MAX = 15  # and then it rests, should nobody vote
TASKS = 2
GROUPS = 997
INVENTED = (
    '{"election_id":"none","candidate_id":"#","voting_time":"2026-05-07 12:00:00.000","voter_id":"#","date_of_birth":"1980-05-05",'
    '"gender":"#","address":{"city":"#","state":"#"}}'
)


def generate_code(spark: SparkSession) -> None:
    """Spark generates the code for a batch when it first sees one, and takes seconds for it. Under `run` people are being registered meanwhile."""
    votes = frames.votes(_invented(spark, FEW))
    collect(frames.counts(votes.coalesce(1), together=True))
    collect(frames.counts(votes, together=False))


def compile_code(spark: SparkSession, is_over: Callable[[], bool]) -> None:
    """Java compiles what has been busy, on the cores on which the first votes would be counted. `is_over` is asked every few tenths of a second."""
    for _ in range(PORTIONS_MAX):
        if is_over():
            return
        collect(frames.counts(frames.votes(_invented(spark, PORTION)), together=False))


def _invented(spark: SparkSession, count: int) -> DataFrame:
    message = f.replace(f.lit(INVENTED), f.lit("#"), f.expr(f"cast(id % {GROUPS} AS string)"))
    return spark.range(count, numPartitions=TASKS).select(message.cast("binary").alias("value"))
