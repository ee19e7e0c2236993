"""A batch's counts, out of Spark and into the form in which PostgreSQL takes them: columns all the way, no row passes through Python."""

import io
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from pyspark.sql import DataFrame

from livetally.core.tally import TEXT_BYTES_MAX, UNKNOWN

NOT_STORABLE = "\0"  # in no text of PostgreSQL
IN_ITS_PLACE = "\ufffd"


class Counts(NamedTuple):
    rows: bytes  # CSV: the fields of a cell, minute, votes
    reached_s: int | None  # the last second in which somebody voted


def collect(counts: DataFrame) -> Counts:
    """One action: as many rows as groups and minutes have changed, however many votes there are."""
    table = counts.toArrow()
    reached_s = pc.max(table["second"]).as_py()
    table = table.drop_columns("second")
    for number, column in enumerate(table.schema):
        if pa.types.is_string(column.type):
            table = table.set_column(number, column.name, _storable(table.column(number)))
    sink = io.BytesIO()
    csv.write_csv(table, sink, csv.WriteOptions(include_header=False))
    return Counts(sink.getvalue(), reached_s)


def _storable(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """As `core.tally` has them. Done to the groups, of which there are few, and not to each vote."""
    storable = pc.replace_substring(texts, NOT_STORABLE, IN_ITS_PLACE)
    return pc.if_else(pc.greater(pc.binary_length(storable), TEXT_BYTES_MAX), UNKNOWN, storable)
