"""The address of the database: a wrong one is told in words that repeat none of it, since a password is somewhere in it."""

import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from livetally.adapters.postgres import connect, place_of
from livetally.cli import main
from livetally.core.errors import UsageError
from livetally.settings import Settings, read_settings

VARIABLE = "LIVETALLY_DATABASE_URL"
PARTS = ("Xse", "cr3t", "7719")  # of passwords; nothing of ours holds one of these

MALFORMED = [
    "Xsecr3t",
    "postgres:Xsecr3t@db/voting",
    "postgres:Xsecr3t@db:5432/voting",
    "//postgres:Xsecr3t@db/voting",
    "postgresql:/postgres:Xsecr3t@db/voting",
    "POSTGRESQL://postgres:Xsecr3t@db/voting",
    "mysql://postgres:Xsecr3t@db/voting",
    "host=db user=postgres password=Xsecr3t dbname=voting",
    *(
        f"postgresql://postgres:{password}@db:5432/voting"
        for password in (
            *(f"Xse{sign}cr3t" for sign in "/?#@[]% \t\n"),
            *(f"7719{sign}cr3t" for sign in "/?#@[]% \t\n"),
            "Xse?cr3t=7719",
            "Xse%0gcr3t",
            "Xse%00cr3t",
        )
    ),
    "postgresql://postgres:Xsecr3t/voting",
    "postgresql://postgres@db:Xsecr3t/voting",
    "postgresql://postgres:Xsecr3t@db:771999/voting",
    " postgresql://postgres:Xsecr3t@db/voting",
    "postgresql://postgres:Xsecr3t@db/voting\n",
]

RIGHT = {
    "postgresql://user:password@host:5432/voting": "host:5432/voting",
    "postgres://user:password@host/voting": "host/voting",
    "postgresql://user:Xse%2Fcr3t%40%3f%25@host/voting?sslmode=require": "host/voting",
    "postgresql://user:Xse:cr3t@[::1]:5432/voting": "[::1]:5432/voting",
    "postgresql://user:pässwörd@host/voting": "host/voting",
    "postgresql://user@host": "host",
    "postgresql:///voting?host=%2Frun%2Fpostgresql&password=Xsecr3t": "/voting",
}


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no `.env` is."""
    monkeypatch.chdir(tmp_path)


def assert_silent(*texts: str) -> None:
    for text in texts:
        assert not [part for part in PARTS if part in text], text


@pytest.mark.parametrize("url", MALFORMED)
def test_a_wrong_address_is_told_and_nothing_of_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, url)
    monkeypatch.setenv("LIVETALLY_KAFKA_PORT", "0")
    with pytest.raises(UsageError, match=r"^2 of the settings cannot be used") as refused:
        read_settings()
    assert f"{VARIABLE}: it " in str(refused.value)
    assert "postgresql://user:password@host:port/voting" in str(refused.value)
    assert_silent(str(refused.value), "".join(traceback.format_exception(refused.value)))
    with pytest.raises(ValidationError) as wrong:
        Settings(database_url=SecretStr(url))
    assert_silent(str(wrong.value))


@pytest.mark.parametrize("command", [["election", "list"], ["record"]])  # which speaks to people, which into a log
@pytest.mark.parametrize("url", MALFORMED[:2] + MALFORMED[-2:])
def test_no_command_repeats_it(
    url: str, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(VARIABLE, url)
    assert main(command) == UsageError.exit_code
    said = capsys.readouterr()
    assert VARIABLE in said.err
    assert_silent(said.out, said.err, caplog.text)


@pytest.mark.parametrize("url", RIGHT)
def test_a_right_address_is_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, url)
    found = read_settings().database_url
    assert found is not None
    assert found.get_secret_value() == url


@pytest.mark.parametrize(("url", "place"), RIGHT.items())
def test_people_are_told_server_and_database_alone(url: str, place: str) -> None:
    assert place_of(url) == place


@pytest.mark.parametrize("url", ["postgresql://u:Xsecr3t@127.0.0.1:1/v?Xsecr3t", "postgresql://u:Xsecr3t@127.0.0.1:1/v?pasword=Xsecr3t"])
def test_options_that_postgresql_does_not_know_are_not_repeated_either(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, url)
    read_settings()
    with pytest.raises(UsageError, match="The address of the database cannot be understood") as refused:
        connect(url, "tests", as_owner=True)
    assert_silent("".join(traceback.format_exception(refused.value)))


def test_what_is_no_secret_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVETALLY_RECORDERS", "7719")
    with pytest.raises(UsageError, match=r"LIVETALLY_RECORDERS: .*7719"):
        read_settings()
