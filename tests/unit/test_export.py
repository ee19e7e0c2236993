"""What one takes home says of itself where it comes from, and does nothing in a spreadsheet."""

import csv
import io

import pytest

from livetally.core.export import FILE_NAME_CHARS_MAX, csv_of, file_name, origin
from livetally.show.result import Group
from livetally.show.sheet import candidate_columns, group_columns
from pages import NOW, election, result


def rows(document: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(document.decode(), newline="")))


def test_every_row_says_whether_it_is_of_a_simulation() -> None:
    simulated = origin("e", election(kind="simulated"), NOW)
    found = rows(csv_of(simulated, ["County", "Votes"], [["Kent", 3], ["Fife", None]]))
    assert found == [
        {"election_id": "e", "kind": "simulation", "as_of_utc": "2026-05-04 21:00:10.000", "County": "Kent", "Votes": "3"},
        {"election_id": "e", "kind": "simulation", "as_of_utc": "2026-05-04 21:00:10.000", "County": "Fife", "Votes": ""},
    ]
    assert file_name(simulated, "Votes by age") == "simulation-votes-by-age-2026-05-04-210010.csv"


def test_a_real_one_and_one_of_which_nobody_knows() -> None:
    assert rows(csv_of(origin("e", election(), None), ["a"], [[1]]))[0]["kind"] == "election"
    assert rows(csv_of(origin("e", None, None), ["a"], [[1]]))[0]["kind"] == "unknown"
    assert file_name(origin("e", election(), None), "Votes") == "votes.csv"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " \t=x", "\r=x"])
def test_no_name_is_a_formula(name: str) -> None:
    assert rows(csv_of(origin(name, election(), NOW), ["Name"], [[name]]))[0]["Name"] == f"'{name}"


@pytest.mark.parametrize("name", ['a "b", c', "two\nlines", "مرحبا", "plain"])
def test_other_names_stay_what_they_are(name: str) -> None:
    assert rows(csv_of(origin("e", election(), NOW), ["Name"], [[name]]))[0]["Name"] == name


def test_a_file_name_is_one_everywhere() -> None:
    name = file_name(origin("e", election(), NOW), "../Ünïcode / " + "x" * 200)
    assert name.endswith(".csv")
    assert len(name) <= FILE_NAME_CHARS_MAX + 4
    assert "/" not in name


def test_what_is_written_is_what_its_column_says() -> None:
    """A share is a share, a turnout a turnout: not the votes that both are sorted like."""
    shown = result({"Ada": 3, "Bo": 1})
    candidates = candidate_columns(shown, {"c0": "#000000", "c1": "#000000"})
    assert [[column.value(one) for column in candidates] for one in shown.candidates] == [
        ["Ada", "Ada party", 3, 0.75],
        ["Bo", "Bo party", 1, 0.25],
    ]
    places = group_columns(shown, "City", "County")
    assert [column.title for column in places] == ["City", "County", "Votes", "Share of all votes", "Registered", "Turnout"]
    assert [column.value(Group("Dover", 2, 8, within="Kent")) for column in places] == ["Dover", "Kent", 2, 0.5, 8, 0.25]
