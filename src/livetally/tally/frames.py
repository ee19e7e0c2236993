"""From messages to cells: DataFrame in, DataFrame out, each step with an explicit select.

`core/tally.py` defines in plain Python what must come out, once `collect` has made it storable; a property test holds the two together.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from livetally.core.head import COUNTED_BY, COUNTED_BY_IN_ADDRESS, CUTS, HEAD_BYTES, PLACES, SAID
from livetally.core.tally import AGE, AGE_GROUPS, AGE_YEARS_MAX, GENDER, REGION, STATE, UNKNOWN, VOTING_TIME, Cell

VOTING_TIME_LENGTH = len("YYYY-MM-DD HH:MM:SS.mmm")

_FIELDS = dict.fromkeys(COUNTED_BY, "") | dict.fromkeys(COUNTED_BY_IN_ADDRESS, "address.")  # field -> what it lies in

# As one text, because it is said for every batch: Python and Java would talk a dozen times as long about it in pieces as Spark needs to read it.
COUNTS = """
SELECT election_id, candidate_id, state, city, gender, age_group, minute, count(*) AS votes, max(second) AS second
FROM (SELECT election_id, candidate_id, state, city, gender, age_group, second, second DIV 60 AS minute FROM {{votes}})
GROUP BY {groups}
"""
TOGETHER = "election_id, candidate_id, state, city, gender, age_group, minute"
APART = """GROUPING SETS ((election_id, candidate_id, state, city, gender, age_group), (election_id, candidate_id, state, minute))
HAVING city IS NOT NULL OR minute IS NOT NULL"""


def votes(messages: DataFrame) -> DataFrame:
    """The groups of each vote, and when it was cast. A message that cannot be parsed is a vote in the group "unknown" of everything.

    In SQL's own functions from the first byte on, so that Spark compiles it into one loop: `from_json` would be a step of its own, which
    every message is copied into and out of. `core.head` says why the pieces of a message are enough.
    """
    cut = messages.selectExpr("value", f"split(cast(substring(value, 1, {HEAD_BYTES}) AS string), '\"', {CUTS + 1}) AS piece")
    heads = cut.selectExpr("value", "piece", f"size(piece) > {CUTS} AND {_said()} AND {_plain()} AS is_head")
    wholes = heads.selectExpr(
        "piece", "is_head", "CASE WHEN NOT coalesce(is_head, false) THEN try_parse_json(cast(value AS string)) END AS whole"
    )
    told = wholes.selectExpr(
        *(
            f"CASE WHEN is_head THEN piece[{PLACES[name]}] ELSE try_variant_get(whole, '$.{within}{name}', 'string') END AS {name}"
            for name, within in _FIELDS.items()
        )
    )
    groups = told.select(
        _text("election_id"),
        _text("candidate_id"),
        _text("state"),
        _text("city"),
        _text("gender"),
        _day(f.col("date_of_birth")).alias("born"),
        _day(f.col("voting_time")).alias("voted"),
        _second(f.col("voting_time")).alias("second"),
    )
    return _with_age_group(groups).select(*Cell._fields, "second")


def counts(votes: DataFrame, *, together: bool) -> DataFrame:
    """What these votes add: how many lie in each cell and in each minute, and the last second in it.

    Together, a row is of both: a cell and a minute. Apart, it is of a cell and has no minute, or it is of a minute, by state and candidate, and
    has neither city nor gender nor age group. Few votes lie in few minutes, and then together is quicker; many votes of a whole day would
    come out as a row for almost each. Votes that do not say when they were cast are in no minute.
    """
    return votes.sparkSession.sql(COUNTS.format(groups=TOGETHER if together else APART), votes=votes)


def registered(places: DataFrame, births: DataFrame, elections: DataFrame) -> DataFrame:
    """How many people are on the roll in each group of each election. Ages are those of the day on which it opens.

    `places`: roll, state, city, gender, voters; `births`: roll, date_of_birth, voters; `elections`: election_id, roll, opens_on. Elections
    of the same roll share its people. Who does not say their group is in the same one as their vote.
    """
    by_place = [
        (STATE, _text("state"), f.lit("")),
        (REGION, _text("city"), _text("state")),
        (GENDER, _text("gender"), f.lit("")),
    ]
    days = births.join(elections, "roll").select(
        "election_id", _day(f.col("date_of_birth")).alias("born"), _day(f.col("opens_on")).alias("voted"), "voters"
    )
    ages = _with_age_group(days).withColumnRenamed("age_group", "group_1")
    found = ages.select("election_id", f.lit(AGE.name).alias("view"), "group_1", f.lit("").alias("group_2"), "voters")
    for view, group_1, group_2 in by_place:
        rows = places.select("roll", f.lit(view.name).alias("view"), group_1.alias("group_1"), group_2.alias("group_2"), "voters")
        found = found.unionByName(rows.join(elections, "roll").select("election_id", "view", "group_1", "group_2", "voters"))
    return (
        found.groupBy("election_id", "view", "group_1", "group_2")
        .agg(f.sum("voters").alias("voters"))
        .select("election_id", "view", "group_1", "group_2", "voters")
    )


def _said() -> str:
    """Whether the pieces between the fields are those of a head."""
    return " AND ".join(f"get(piece, {number}) = '{said}'" for number, said in SAID.items())


def _plain() -> str:
    """Whether the fields stand there as they are."""
    return " AND ".join(f"NOT contains(get(piece, {PLACES[name]}), '\\\\')" for name in _FIELDS)


def _with_age_group(people: DataFrame) -> DataFrame:
    """Adds `age_group`, from the days `born` and `voted`.

    Each step in a select of its own: an expression that is written down twice is also worked out twice, and this one has a dozen branches.
    """
    numbers = people.select("*", _as_number(f.col("born")).alias("_born"), _as_number(f.col("voted")).alias("_voted"))
    years = numbers.select("*", f.floor((f.col("_voted") - f.col("_born")) / 10_000).alias("_years"))
    group = f.when(f.expr(f"_years IS NULL OR _years < 0 OR _years > {AGE_YEARS_MAX}"), UNKNOWN)
    for lowest, name in reversed(AGE_GROUPS):
        group = group.when(f.col("_years") >= lowest, name)
    return years.withColumn("age_group", group.otherwise(UNKNOWN))


def _as_number(day: Column) -> Column:
    """20260507: the difference of two, without its last four digits, is the number of birthdays between them."""
    return f.year(day) * 10_000 + f.month(day) * 100 + f.dayofmonth(day)


def _text(name: str) -> Column:
    return f.coalesce(f.when(f.col(name) != "", f.col(name)), f.lit(UNKNOWN)).alias(name)


def _day(time: Column) -> Column:
    """The day that an ISO 8601 text starts with; null if it starts with none."""
    return f.when(time.rlike("^[0-9]{4}-[0-9]{2}-[0-9]{2}"), f.substring(time, 1, 10).try_cast("date"))


def _second(time: Column) -> Column:
    """Seconds from 1970 to a time of voting; null if the text is none."""
    return f.when((f.length(time) == VOTING_TIME_LENGTH) & time.rlike(f"^{VOTING_TIME}"), f.unix_seconds(time.try_cast("timestamp")))
