"""Lists of people as organisers have them: whatever the bytes, each row is a voter who fits the tables or says what is wrong."""

import csv
import io
import json
import re
import uuid
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetally.core.elections import Voter
from livetally.core.errors import SourceError
from livetally.core.wire import listed_voter_message
from livetally.register.import_roll_file import UTF_8, UTF_8_MARKED, WINDOWS_1252, Broken, look_at, rows
from livetally.register.import_roll_row import OWN_IDS, reader

TODAY = date(2026, 5, 7)
Outcome = tuple[int, Voter | str]  # line, and the voter or what is wrong

Read = Callable[[bytes], list[Outcome]]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists") / "roll.csv"


@pytest.fixture(scope="module")
def read(path: Path) -> Read:
    def read_file(content: bytes) -> list[Outcome]:
        path.write_bytes(content)
        layout = look_at(path)
        voter_of = reader(layout.columns, "club", TODAY)
        return [(line, row.what if isinstance(row, Broken) else voter_of(row)) for line, row in rows(path, layout)]

    return read_file


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("name\nÆthel Ó Néill\n".encode(), UTF_8),
        ("name\nÆthel Ó Néill\n".encode("utf-8-sig"), UTF_8_MARKED),
        ("name\nÆthel Ó Néill\n".encode("cp1252"), WINDOWS_1252),
    ],
)
def test_the_encoding_is_found_and_said(read: Read, path: Path, content: bytes, encoding: str) -> None:
    ((_, voter),) = read(content)
    assert isinstance(voter, Voter)
    assert voter.voter_name == "Æthel Ó Néill"
    assert look_at(path).encoding == encoding


def test_one_letter_far_behind_decides_about_the_encoding(read: Read, path: Path) -> None:
    found = read(b"name\r\n" + b"Ann\r\n" * 400_000 + "Zoë".encode("cp1252"))
    assert look_at(path).encoding == WINDOWS_1252
    assert [voter.voter_name for _, voter in found[-1:] if isinstance(voter, Voter)] == ["Zoë"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("name\nAnn\n".encode("utf-16"), "is in UTF-16"),
        (b"name\nAnn \x81\xff\n", "neither in UTF-8 nor in Windows-1252"),
        (b"\xef\xbb\xbfname\nAnn \xe9\n", "neither in UTF-8 nor in Windows-1252"),
        (b"", "no column `voter_name`"),
        (b"first,last\nAnn,Smith\n", "its first line says: first, last"),
        (b"Ann Smith,1990-01-01\n", "no column `voter_name`"),
        (b"name,full name\nAnn,Ann\n", "'name' and 'full name' are columns of the same meaning"),
        (b"name,city,address_city\nAnn,A,B\n", "says `address_city` more than once"),
        (b'name,"city\nAnn,Deal\n', "a quotation mark is opened and never closed"),
        (b'name,"city\nAnn,Deal\n"Bee",Dover\n', "a quotation mark is opened and never closed"),
        (b'"name;city\nAnn;Deal\n', "a quotation mark is opened and never closed"),
        (b'"name" of whom,city,born\nAnn,Deal,\n', "a field goes on behind its closing quotation mark"),
        (b"name," + b"x" * 200_000 + b"\nAnn,Deal\n", "longer than 65,536 characters"),
    ],
)
def test_what_is_no_list_is_said(read: Read, content: bytes, says: str) -> None:
    with pytest.raises(SourceError, match=re.escape(says)):
        read(content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        look_at(tmp_path / "none.csv")


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_columns_are_found_by_their_names_whatever_separates_them(read: Read, path: Path, delimiter: str) -> None:
    head = ["Voter-ID", " NAME ", "Date of birth", "Street", "address_city", "Shoe size", "E-Mail", "Postcode"]
    row = ["m1", "Smith, Ann; Jr.", "1990-05-07", "1, High Street", "Deal", "38", "ann@example.org", "CT14"]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([head, row])
    ((_, voter),) = read(text.getvalue().encode())
    assert voter == Voter(
        "m1", "Smith, Ann; Jr.", "1990-05-07", "", "", "", "1, High Street", "Deal", "", "", "CT14", "ann@example.org", "", "", "", 0
    )
    assert (look_at(path).delimiter, look_at(path).unknown) == (delimiter, ["Shoe size"])


def test_a_column_alone_needs_no_delimiter(read: Read) -> None:
    assert [voter.voter_name for _, voter in read(b'name\n"Ann, Bee"\nCy\n') if isinstance(voter, Voter)] == ["Ann, Bee", "Cy"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_an_editor_counts_them_and_blank_ones_left_out(read: Read, end: str) -> None:
    lines = ["name,city", "Ann,Deal", "", '"Bee', 'of two lines",Dover', ",,", " , ", "Cy", "Dee,Deal"]
    found = read(end.join(lines).encode())
    assert [line for line, _ in found] == [2, 4, 8, 9]
    assert found[1][1][1] == f"Bee{end}of two lines"
    assert found[2] == (8, "1 field, and the head has 2")


def test_a_quotation_mark_too_many_spoils_its_row_alone(read: Read) -> None:
    found = read(b'name,city\n"Ann "the great" Smith",Deal\n"Bee ""B"" Smith",Deal\n')
    assert found[0] == (2, "a field goes on behind its closing quotation mark; within quotation marks one is written as two")
    assert found[1][1][1] == 'Bee "B" Smith'


def test_a_quotation_mark_that_is_never_closed(read: Read) -> None:
    found = read(b'name,city\nAnn,Deal\n"Bee,Deal\nCy,Deal\n')
    assert found[1:] == [(3, "a quotation mark is opened and never closed")]
    long = read(b'name,city\n"Bee,Deal\n' + b"Cy,Deal\n" * 20_000)
    assert long[0] == (2, "a quotation mark is opened and never closed")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1990-05-07", "1990-05-07"),
        ("07.05.1990", "1990-05-07"),
        (" 2004-02-29 ", "2004-02-29"),
        ("2026-05-07", "2026-05-07"),
        ("", ""),
    ],
)
def test_a_day_of_birth(read: Read, text: str, day: str) -> None:
    ((_, voter),) = read(f"name,born\nAnn,{text}\n".encode())
    assert isinstance(voter, Voter)
    assert voter.date_of_birth == day


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("03/04/1990", "is not a day, as YYYY-MM-DD or DD.MM.YYYY, but '03/04/1990'"),
        ("31.02.1990", "is not a day"),
        ("1990-5-7", "is not a day"),
        ("19900507", "is not a day"),
        ("1990-W01-1", "is not a day"),
        ("1990/05/07", "is not a day"),
        ("１９９０-05-07", "is not a day"),
        ("yesterday", "is not a day"),
        ("2026-05-08", "is 2026-05-08: nobody who lives was born then"),
        ("01.01.1875", "is 1875-01-01: nobody who lives was born then"),
    ],
)
def test_what_is_no_day_of_birth(read: Read, text: str, says: str) -> None:
    ((_, fault),) = read(f"name,born\nAnn,{text}\n".encode())
    assert isinstance(fault, str)
    assert fault.startswith(f"date_of_birth {says}")


@pytest.mark.parametrize(
    ("head", "row", "fault"),
    [
        ("name", " ", None),
        ("name,city", ",Deal", "voter_name is empty"),
        ("name", "x" * 255, ""),
        ("name", "x" * 256, "voter_name has 256 characters, more than 255"),
        (
            "name,city,email",
            f"Ann,{'x' * 300},{'y' * 256}",
            "address_city has 300 characters, more than 255; email has 256 characters, more than 255",
        ),
        ("name,city", "An\0n,De\0al", "voter_name holds the character U+0000; address_city holds the character U+0000"),
        ("name,picture", f"Ann,{'é' * 500}", ""),
        ("name,picture", f"Ann,{'é' * 501}", "picture has 1,002 bytes, more than 1,000: it travels with the vote"),
        ("name,registered_age", "Ann,150", ""),
        ("name,registered_age", "Ann,151", "registered_age is not a number of years up to 150 but '151'"),
        ("name,registered_age", f"Ann,{'0' * 30}150", ""),
        ("name,registered_age", "Ann,000000000151", "registered_age is not a number of years up to 150 but '000000000151'"),
        ("name,registered_age", f"Ann,{'0' * 9}99999999999", "registered_age is not a number of years up to 150"),
        ("name,registered_age", f"Ann,{'1' * 5_000}", "registered_age has 5,000 characters, more than 255; registered_age is not a number"),
        ("name,registered_age", "Ann,-1", "registered_age is not a number of years up to 150 but '-1'"),
        ("name,registered_age", "Ann,٣", "registered_age is not a number of years up to 150 but '٣'"),
        (
            "name,born,registered_age",
            ",x,y",
            "voter_name is empty; date_of_birth is not a day, as YYYY-MM-DD or DD.MM.YYYY, but 'x'; registered_age",
        ),
    ],
)
def test_what_is_wrong_with_a_row(read: Read, head: str, row: str, fault: str | None) -> None:
    found = read(f"{head}\n{row}\n".encode())
    if fault is None:
        assert found == []
    elif fault:
        assert isinstance(found[0][1], str)
        assert found[0][1].startswith(fault)
    else:
        assert isinstance(found[0][1], Voter)


def test_who_has_no_id_gets_one_that_is_made_of_election_and_row(read: Read, path: Path) -> None:
    found = read(b"name,city\nAnn,Deal\nBee,Deal\nAnn,Deal\nAnn,Dover\n")
    ids = [voter.voter_id for _, voter in found if isinstance(voter, Voter)]
    assert ids[0] == ids[2]
    assert len({*ids}) == 3
    assert [voter.voter_id for _, voter in read(b"city;name\nDeal;Ann \n") if isinstance(voter, Voter)] == ids[:1], "however it is written"
    other = reader(look_at(path).columns, "another", TODAY)(["Deal", "Ann"])
    assert isinstance(other, Voter)
    assert other.voter_id not in ids


def test_an_id_is_what_it_was_with_the_first_version(read: Read) -> None:
    """Else a file that is imported again after an update would bring everybody a second time."""
    ((_, voter),) = read(b"name,born\nAnn Smith,1990-05-07\n")
    assert isinstance(voter, Voter)
    fields = ["club", "Ann Smith", "1990-05-07", *[""] * 13]
    assert voter.voter_id == str(uuid.uuid5(OWN_IDS, json.dumps(fields, separators=(",", ":"))))
    assert voter.voter_id == "aa1548ca-8165-53f1-857d-d2139e71dead"


def test_a_listed_person_is_announced_with_the_roll(read: Read) -> None:
    ((_, voter),) = read('name\n"Ann ""B"" Ünal"\n'.encode())
    assert isinstance(voter, Voter)
    told = json.loads(listed_voter_message(voter, 'a "b"'))
    assert (told["roll"], told["voter_name"], told["address"]["city"]) == ('a "b"', 'Ann "B" Ünal', "")


heads = st.lists(st.sampled_from(["name", "id", "born", "city", "picture", "registered_age", "?"]), max_size=4)


@given(
    heads, st.sampled_from(",;"), st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from([b"", b"\xef\xbb\xbf"])
)
def test_whatever_the_bytes_each_row_fits_the_tables_or_says_what_is_wrong(
    read: Read, head: list[str], delimiter: str, body: bytes, mark: bytes
) -> None:
    try:
        found = read(mark + delimiter.join(head).encode() + b"\n" + body)
    except SourceError:
        return
    lines = [line for line, _ in found]
    assert lines == sorted(set(lines))
    for _, voter in found:
        if isinstance(voter, str):
            assert voter
            assert "\0" not in voter
            voter.encode()
        else:
            texts = voter[:-1]
            assert voter.voter_id
            assert voter.voter_name
            assert not any("\0" in text for text in texts)
            assert max(len(text) for text in texts if text is not voter.picture) <= 255
            assert json.loads(listed_voter_message(voter, "club"))["voter_id"] == voter.voter_id


@given(st.lists(st.tuples(st.text(min_size=1, max_size=20), st.text(max_size=20)), max_size=8), st.sampled_from(",;"))
def test_what_a_spreadsheet_writes_is_read_back(read: Read, people: list[tuple[str, str]], delimiter: str) -> None:
    clean = [(name.strip().replace("\0", ""), city.strip().replace("\0", "")) for name, city in people]
    clean = [(name, city) for name, city in clean if name.strip() == name and city.strip() == city and name]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("name", "city"), *clean])
    assert [(voter[1], voter[7]) for _, voter in read(text.getvalue().encode())] == clean
