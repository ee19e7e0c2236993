"""Candidates from a file: what organisers and their spreadsheets write, and every fault with its line."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetally.core.elections import LISTED_MAX, Candidate
from livetally.register.candidate_file import FILE_BYTES_MAX, is_utf_8, read_candidates

DRAWING = "data:image/svg+xml;base64," + b64encode(b"<svg/>").decode()


def picture(text: str) -> str:
    if text == "no.png":
        raise ValueError("the picture 'no.png' cannot be read")
    return f"<{text}>"


def read(text: str | bytes) -> tuple[list[Candidate], list[str]]:
    candidates, faults = read_candidates(text.encode() if isinstance(text, str) else text, "board", picture)
    return candidates, [str(fault) for fault in faults]


def test_everything_that_there_may_be() -> None:
    candidates, faults = read(
        "id,name,party,biography,platform,picture\r\n"
        f'ann,Ann Arbor,Greens,"Born, and raised.","Two lines\nof a plan.","{DRAWING}"\r\n'
        ' bob ,"Bob ""Bo"" Tie",, ,,ann.png\r\n'
    )
    assert faults == []
    assert candidates == [
        Candidate("ann", "Ann Arbor", "Greens", "Born, and raised.", "Two lines\nof a plan.", f"<{DRAWING}>", "board"),
        Candidate("bob", 'Bob "Bo" Tie', "", "", "", "<ann.png>", "board"),
    ]


def test_options_of_a_poll_need_a_name_and_nothing_else() -> None:
    candidates, faults = read("Name\nYes\nNo\nAbstention\n")
    assert faults == []
    assert [(one.candidate_name, one.party_affiliation, one.photo_url) for one in candidates] == [
        ("Yes", "", ""),
        ("No", "", ""),
        ("Abstention", "", ""),
    ]
    assert len({one.candidate_id for one in candidates}) == 3
    assert read("name\nNo\nYes\nAbstention\n")[0][0].candidate_id == candidates[1].candidate_id, "an id does not depend on the line"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_what_spreadsheets_save(separator: str, start: str) -> None:
    candidates, faults = read(f"{start}name{separator}party\nÄnne{separator}Grüne\n\nBob{separator}\n{separator}\n")
    assert faults == []
    assert [(one.candidate_name, one.party_affiliation) for one in candidates] == [("Änne", "Grüne"), ("Bob", "")]


def test_what_is_not_utf_8_is_what_spreadsheets_write_instead() -> None:
    content = "name\nÄnne “A” Œuf\nBob\n".encode("cp1252")
    assert [one.candidate_name for one in read(content)[0]] == ["Änne “A” Œuf", "Bob"]
    assert not is_utf_8(content)
    assert is_utf_8("Änne".encode())


def test_columns_may_be_called_as_the_reference_calls_them() -> None:
    candidates, faults = read(
        "Candidate-ID,candidate name,PARTY_AFFILIATION,campaign_platform,photo_url\n1,Ann,Greens,More.,a.png\n2,Bob,,,\n"
    )
    assert faults == []
    assert candidates[0] == Candidate("1", "Ann", "Greens", "", "More.", "<a.png>", "board")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ["line 1: the file is empty"]),
        ("\n \n", ["line 1: the file is empty"]),
        ("name\n", ["line 1: 0 candidates; an election has 2 to 200"]),
        ("name\nAnn\n", ["line 2: 1 candidates"]),
        (
            "nom,age\nAnn,3\nBob,4\n",
            ["line 1: there is no column 'nom'", "line 1: there is no column 'age'", "line 1: the column `name` is missing"],
        ),
        ("name,name\nAnn,A\nBob,B\n", ["line 1: the column 'name' stands there twice"]),
        ("name,party\nAnn\nBob,x,y\nCy,z\nDi,z\n", ["line 2: 1 fields, where the first line names 2", "line 3: 3 fields"]),
        ("name,party\n,Greens\nAnn,\nBob,\n", ["line 2: the name is missing"]),
        ("name\nAnn\nBob\nAnn\n", ["line 4: the name 'Ann' stands in line 2 already"]),
        ("id,name\n1,Ann\n1,Bob\n", ["line 3: the id '1' stands in line 2 already"]),
        (f"name,biography\nAnn,{'b' * 301}\nBob,\n", ["line 2: the biography has 301 characters, and may have 300"]),
        (f"name\n{'n' * 256}\nBob\n", ["line 2: the name has 256 characters"]),
        ("name\nA\x00nn\nBob\u202e\n", ["line 2: the name holds a character that does not print", "line 3: the name holds"]),
        ("name,picture\nAnn,no.png\nBob,\n", ["line 2: the picture 'no.png' cannot be read"]),
        ('name,biography\n"Ann,"line\nBob,\n', ["line 2: this is no CSV"]),
        ("name\nAnn\n".encode("utf-16"), ["line 1: this is text neither in UTF-8 nor in Windows-1252"]),
        (b"name\nAnn\nB\x81b\n", ["line 3: this is text neither"]),
        (b"x" * (FILE_BYTES_MAX + 1), ["line 1: the file has"]),
        ('name,platform\n"Ann","two\nlines"\n,\n"",""\nBob,x,y\nCy,\n', ["line 6: 3 fields"]),
        ("name\n" + "".join(f"n{number}\n" for number in range(LISTED_MAX + 1)), ["line 202: 201 candidates"]),
    ],
)
def test_every_fault_is_told_with_its_line(content: str | bytes, expected: list[str]) -> None:
    faults = read(content)[1]
    assert len(faults) == len(expected), faults
    assert all(fault.startswith(words) for fault, words in zip(faults, expected, strict=True)), faults


def test_faults_of_several_lines_come_together() -> None:
    faults = read(f"id,name,platform,picture\n1,,{'p' * 301},no.png\n1,Bob,,\n")[1]
    assert [fault.split(":")[0] for fault in faults] == ["line 2", "line 2", "line 2"]


@given(st.one_of(st.binary(max_size=200), st.text(alphabet='name,;"\n\r\t\x00é', max_size=60).map(str.encode)))
def test_no_bytes_are_too_much(content: bytes) -> None:
    candidates, faults = read(content)
    assert faults or len(candidates) >= 2
