"""From messages to cells: DataFrame in, DataFrame out, each step with an explicit select.

`core/tally.py` defines in plain Python what must come out; a property test holds the two together.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f
from pyspark.sql.types import StringType, StructField, StructType

from livetally.core.tally import AGE, AGE_GROUPS, AGE_YEARS_MAX, GENDER, REGION, STATE, UNKNOWN, VOTING_TIME, Cell

VOTING_TIME_LENGTH = len("YYYY-MM-DD HH:MM:SS.mmm")

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
    """The groups of each vote, and when it was cast. A message that cannot be parsed is a vote in the group "unknown" of everything."""
    vote = f.from_json(f.col("value").cast("string"), VOTE_SCHEMA)
    return messages.select(vote.alias("vote")).select(
        _text("vote.election_id").alias("election_id"),
        _text("vote.candidate_id").alias("candidate_id"),
        _text("vote.address.state").alias("state"),
        _text("vote.address.city").alias("city"),
        _text("vote.gender").alias("gender"),
        age_group(f.col("vote.date_of_birth"), f.col("vote.voting_time")).alias("age_group"),
        _second(f.col("vote.voting_time")).alias("second"),
    )


def counts(votes: DataFrame) -> DataFrame:
    """How many votes lie in each cell and minute; the minute is null for those that do not say when. Beside it the last second of them."""
    return (
        votes.groupBy(*Cell._fields, f.expr("second div 60").alias("minute"))
        .agg(f.count(f.lit(1)).alias("votes"), f.max("second").alias("second"))
        .select(*Cell._fields, "minute", "votes", "second")
    )


def registered(places: DataFrame, births: DataFrame, elections: DataFrame) -> DataFrame:
    """How many people are registered in each group of each election. Ages are those of the day on which it opens.

    `places`: state, city, gender, voters; `births`: date_of_birth, voters; `elections`: election_id, opens_on.
    """
    by_place = [
        (STATE, f.col("state"), f.lit("")),
        (REGION, f.col("city"), f.col("state")),
        (GENDER, f.col("gender"), f.lit("")),
    ]
    ages = births.crossJoin(elections).select(
        "election_id", age_group(f.col("date_of_birth"), f.col("opens_on")).alias("group_1"), "voters"
    )
    found = ages.select("election_id", f.lit(AGE.name).alias("view"), "group_1", f.lit("").alias("group_2"), "voters")
    for view, group_1, group_2 in by_place:
        rows = places.select(f.lit(view.name).alias("view"), group_1.alias("group_1"), group_2.alias("group_2"), "voters")
        found = found.unionByName(rows.crossJoin(elections.select("election_id")))
    return (
        found.groupBy("election_id", "view", "group_1", "group_2")
        .agg(f.sum("voters").alias("voters"))
        .select("election_id", "view", "group_1", "group_2", "voters")
    )


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


def _second(time: Column) -> Column:
    """Seconds from 1970 to a time of voting; null if the text is none, or one before that."""
    second = f.when((f.length(time) == VOTING_TIME_LENGTH) & time.rlike(f"^{VOTING_TIME}"), f.unix_seconds(time.try_cast("timestamp")))
    return f.when(second >= 0, second)
