"""`livetally user`: people on the command line, each act with its trace, and no password where others can see it."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from livetally.adapters.acts import Acts
from livetally.adapters.people import People
from livetally.adapters.postgres import Connection
from livetally.cli import main
from livetally.core.passwords import is_password
from website import Hall

PASSWORD = "a long enough one"

Run = Callable[..., int]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The command line with something on its standard input."""
    monkeypatch.setenv("LIVETALLY_DATABASE_URL", database_url)
    monkeypatch.setenv("LIVETALLY_DATA_DIR", str(tmp_path))

    def run(*arguments: str, stdin: str = f"{PASSWORD}\n") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        return main(["user", *arguments])

    return run


def test_people_come_change_and_go(run: Run, connection: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    Hall(connection).add("board")
    assert run("add", "ada", "--role", "admin", "--password-stdin") == 0
    assert run("add", "grace", "--role", "official", "--election", "board", "--password-stdin") == 0
    people = People(connection)
    assert people.has_admin()
    assert is_password(PASSWORD, people.password_hash("ada"))
    assert run("role", "grace", "--role", "observer") == 0
    assert run("password", "grace", "--password-stdin", stdin="quite another one\n") == 0
    assert is_password("quite another one", people.password_hash("grace"))
    assert run("disable", "ada") == 0
    assert not people.has_admin()
    assert people.password_hash("ada") is None
    assert run("enable", "ada") == 0
    capsys.readouterr()
    assert run("list", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["user_name"], one["role"], one["elections"], one["is_disabled"]) for one in found] == [
        ("ada", "admin", None, False),
        ("grace", "observer", None, False),
    ]
    acts = Acts(connection).newest(20)
    assert [act.subject for act in reversed(acts)] == ["ada", "grace", "grace", "grace", "ada", "ada"]
    assert {act.came_from for act in acts} == {"command line"}
    assert PASSWORD not in str(acts)


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (("add", "ada", "--role", "admin"), "", "--password-stdin"),
        (("add", "ada", "--role", "admin", "--password-stdin"), "short\n", "shorter than"),
        (("add", "ada", "--role", "admin", "--password-stdin"), "", "shorter than"),
        (("add", "ada", "--role", "admin", "--password-stdin"), "x" * 1000, "longer than"),
        (("add", "", "--role", "admin", "--password-stdin"), f"{PASSWORD}\n", "no name"),
        (("add", "a\x1b[2J", "--role", "admin", "--password-stdin"), f"{PASSWORD}\n", "no name"),
        (("add", "ada", "--role", "official", "--election", "nowhere", "--password-stdin"), f"{PASSWORD}\n", "nowhere"),
        (("disable", "nobody"), "", "no user 'nobody'"),
        (("role", "nobody", "--role", "admin"), "", "no user 'nobody'"),
    ],
)
def test_what_is_refused_changes_nothing(
    run: Run, connection: Connection, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], stdin: str, words: str
) -> None:
    assert run(*arguments, stdin=stdin) == 2
    assert words in capsys.readouterr().err
    assert People(connection).users() == []
    assert Acts(connection).newest(20) == []


def test_a_name_is_one_persons(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add", "ada", "--role", "admin", "--password-stdin") == 0
    assert run("add", "ada", "--role", "observer", "--password-stdin") == 2
    assert "already" in capsys.readouterr().err
