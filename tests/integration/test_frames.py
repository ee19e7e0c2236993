"""Spark counts what the plain Python tally counts, whatever lies on the topic."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql.types import BinaryType, StructField, StructType

from electorate import candidate, voter
from livetally.core.head import counted_by
from livetally.core.tally import TEXT_BYTES_MAX, UNKNOWN, Cell, cell_of, second_of
from livetally.core.wire import vote_message, vote_parts, voter_message
from livetally.embedded.java import make_java_home
from livetally.settings import Settings
from livetally.tally import frames
from livetally.tally.collect import collect
from livetally.tally.session import open_session

SPARK_EXAMPLES = 12  # each is a Spark job


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    directory: Path = tmp_path_factory.mktemp("spark")
    session = open_session(
        Settings(data_dir=directory, spark_master="local[1]", spark_memory_mb=512), make_java_home(directory / "java"), []
    )
    yield session
    session.stop()


Minute = tuple[str, str, str, int]  # election, candidate, state, minute


def count(spark: SparkSession, values: list[bytes | None], *, together: bool = True) -> tuple[Counter[Cell], Counter[Minute]]:
    messages = spark.createDataFrame([(value,) for value in values], StructType([StructField("value", BinaryType())]))
    cells: Counter[Cell] = Counter()
    minutes: Counter[Minute] = Counter()
    counts = collect(frames.counts(frames.votes(messages), together=together))
    for *texts, minute, votes in csv.reader(io.StringIO(counts.rows.decode(), newline="")):
        cell = Cell(*texts)
        if cell.city:
            cells[cell] += int(votes)
        if minute:
            minutes[cell.election_id, cell.candidate_id, cell.state, int(minute)] += int(votes)
    assert (counts.reached_s is None) == (not minutes)
    assert counts.reached_s is None or counts.reached_s // 60 == max(minute for *_, minute in minutes)
    return cells, minutes


def expected(votes: Iterable[bytes]) -> tuple[Counter[Cell], Counter[Minute]]:
    cells: Counter[Cell] = Counter()
    minutes: Counter[Minute] = Counter()
    for vote in map(counted_by, votes):
        cell, second = cell_of(vote), second_of(vote.get("voting_time"))
        cells[cell] += 1
        if second is not None:
            minutes[cell.election_id, cell.candidate_id, cell.state, second // 60] += 1
    return cells, minutes


days = st.dates().map(str) | st.sampled_from(
    ["2004-02-29", "2004-02-30", "1990-13-01", "1850-01-01", "8999-12-31", "9999-12-31", "", "yesterday", "2008-05-07T10:00:00.000Z"]
)
times = st.sampled_from(["08:00:00.000", "23:59:59.999", "24:00:00.000", "08:00:00", "08:00:00.000\n", "08:60:00.000", "8:00:00.000", ""])
longest = "x" * TEXT_BYTES_MAX
texts = st.sampled_from(
    [
        "Kent",
        "Devon",
        "",
        UNKNOWN,
        "Ynys Môn",
        "<b>",
        "女",
        "a\nb",
        "}",
        '"}}',
        "\\",
        "a\0b",
        longest,
        longest + "x",
        longest[1:] + "é",
        longest[2:] + "\0",
    ]
)
maybe = st.one_of(st.none(), texts)
anything = st.fixed_dictionaries(
    {},
    optional={
        "election_id": maybe,
        "candidate_id": maybe,
        "gender": maybe,
        "date_of_birth": st.none() | days,
        "voting_time": st.none() | st.builds("{} {}".format, days, times),
        "address": st.none() | st.fixed_dictionaries({}, optional={"state": maybe, "city": maybe, "street": texts}),
    },
)


recorded = st.builds(
    lambda number, candidate_id, detail, day, time, gender, city: vote_message(
        voter_message(voter(number)._replace(gender=gender, address_city=city)),
        vote_parts(candidate(candidate_id), detail),
        f"{day} {time}",
    ),
    st.integers(1, 50),
    st.sampled_from(["c0", "c1", "\\", '","voting_time":"']),
    st.sampled_from(["full", "group"]),
    days,
    times,
    texts,
    texts,
)
votes = anything.map(lambda vote: json.dumps(vote).encode()) | recorded
cut_off = st.builds(lambda vote, share: vote[: int(len(vote) * share)], votes, st.floats(0, 1))


@settings(max_examples=SPARK_EXAMPLES)
@given(cast=st.lists(votes | cut_off, max_size=40), together=st.booleans())
def test_spark_counts_what_plain_python_counts(spark: SparkSession, cast: list[bytes], *, together: bool) -> None:
    assert count(spark, [*cast], together=together) == expected(cast)


def test_what_is_no_vote_is_counted_as_unknown_and_never_dropped(spark: SparkSession) -> None:
    junk: list[bytes | None] = [None, b"", b"not JSON", b"[1, 2]", b'"text"', b"\xff\xfe", b'{"candidate_id": {"a": 1}}']
    cells, minutes = count(spark, junk)
    assert sum(cells.values()) == len(junk)
    assert {(cell.state, cell.gender, cell.age_group) for cell in cells} == {(UNKNOWN, UNKNOWN, UNKNOWN)}
    assert minutes == {}


def test_every_age_around_every_birthday(spark: SparkSession) -> None:
    born = [
        f"{year}-{day}"
        for year in (1958, 1960, 1961, 1999, 2000, 2007, 2008)
        for day in ("02-28", "02-29", "03-01", "05-06", "05-07", "05-08", "12-31")
    ]
    voted = ("2026-05-07", "2026-02-28", "2028-02-29", "2026-01-01")
    cast = [{"date_of_birth": birth, "voting_time": f"{day} 00:00:00.000"} for birth in born for day in voted]
    values = [json.dumps(vote).encode() for vote in cast]
    assert count(spark, [*values]) == expected(values)


def test_the_registered_are_put_into_the_groups_of_the_votes(spark: SparkSession) -> None:
    people = [
        ("Kent", "Deal", "female", "2008-05-07"),
        ("Kent", "Dover", "male", "2008-05-08"),
        ("Devon", "Deal", "female", "1950-01-01T10:00:00Z"),
        ("", "", "", ""),
    ]
    members = [("Kent", "Deal", "male", "2000-01-01"), ("Wales", "", "female", "1960-01-01")]  # on the list of "club" alone
    elections = [
        ("spring", "", "2026-05-07"),
        ("autumn", "", "2026-11-05"),
        ("club", "club", "2026-05-07"),
        ("nobody's", "nobody's", "2026-05-07"),
    ]
    rolls = [("", people), ("club", members)]
    expected: Counter[tuple[str, str, str, str]] = Counter()
    for election_id, roll, day in elections:
        for state, city, gender, born in dict(rolls).get(roll, []):
            vote = {"gender": gender, "date_of_birth": born, "voting_time": day, "address": {"state": state, "city": city}}
            cell = cell_of(vote)  # of a vote of theirs
            for view, group_1, group_2 in (
                ("state", cell.state, ""),
                ("region", cell.city, cell.state),
                ("gender", cell.gender, ""),
                ("age", cell.age_group, ""),
            ):
                expected[election_id, view, group_1, group_2] += 2
    frame = frames.registered(
        spark.createDataFrame(
            [(roll, *place, 2) for roll, all_of_it in rolls for *place, _ in all_of_it],
            "roll STRING, state STRING, city STRING, gender STRING, voters BIGINT",
        ),
        spark.createDataFrame(
            [(roll, born, 2) for roll, all_of_it in rolls for *_, born in all_of_it], "roll STRING, date_of_birth STRING, voters BIGINT"
        ),
        spark.createDataFrame(elections, "election_id STRING, roll STRING, opens_on STRING"),
    )
    assert {tuple(row[:-1]): row[-1] for row in frame.collect()} == expected
    assert expected["spring", "age", "under 18", ""] == 2
    assert expected["autumn", "age", "under 18", ""] == 0
