"""From messages to cells: DataFrame in, DataFrame out, each step with an explicit select.

`core/tally.py` defines in plain Python what must come out; a property test holds the two together.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f
from pyspark.sql.types import StringType, StructField, StructType

from livetally.core.tally import AGE_GROUPS, AGE_YEARS_MAX, UNKNOWN, Cell

# What is counted by; the rest of a vote's two kilobytes is skipped while parsing.
VOTE_SCHEMA = StructType(
    [
        StructField("election_id", StringType()),
        StructField("candidate_id", StringType()),
        StructField("address", StructType([StructField("state", StringType()), StructField("city", StringType())])),
        StructField("gender", StringType()),
        StructField("date_of_birth", StringType()),
        StructField("voting_time", StringType()),
    ]
)


def votes(messages: DataFrame) -> DataFrame:
    """The groups of each vote. A message that cannot be parsed is a vote in the group "unknown" of everything."""
    vote = f.from_json(f.col("value").cast("string"), VOTE_SCHEMA)
    return messages.select(vote.alias("vote")).select(
        _text("vote.election_id").alias("election_id"),
        _text("vote.candidate_id").alias("candidate_id"),
        _text("vote.address.state").alias("state"),
        _text("vote.address.city").alias("city"),
        _text("vote.gender").alias("gender"),
        age_group(f.col("vote.date_of_birth"), f.col("vote.voting_time")).alias("age_group"),
    )


def cells(votes: DataFrame) -> DataFrame:
    """How many votes lie in each cell."""
    return votes.groupBy(*Cell._fields).agg(f.count(f.lit(1)).alias("votes")).select(*Cell._fields, "votes")


def age_group(date_of_birth: Column, voted_on: Column) -> Column:
    born, voted = _day(date_of_birth), _day(voted_on)
    had_birthday = f.month(voted) * 100 + f.dayofmonth(voted) >= f.month(born) * 100 + f.dayofmonth(born)
    years = f.year(voted) - f.year(born) - f.when(had_birthday, 0).otherwise(1)
    group = f.when(years.isNull() | (years < 0) | (years > AGE_YEARS_MAX), UNKNOWN)
    for lowest, name in reversed(AGE_GROUPS):
        group = group.when(years >= lowest, name)
    return group.otherwise(UNKNOWN)


def _text(name: str) -> Column:
    return f.coalesce(f.when(f.col(name) != "", f.col(name)), f.lit(UNKNOWN))


def _day(time: Column) -> Column:
    """The day that an ISO 8601 text starts with; null if it starts with none."""
    return f.when(time.rlike("^[0-9]{4}-[0-9]{2}-[0-9]{2}"), f.try_to_date(f.substring(time, 1, 10), "yyyy-MM-dd"))
