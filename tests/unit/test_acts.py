"""What changes something leaves a trace: every command, and every route that is not for reading, names its act, or why it has none.

A new one fails here until somebody has said which.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from livetally.cli import build_parser
from livetally.web.access import SAFE_METHODS, rules
from livetally.web.app import make_app
from livetally.web.parts import every_part
from website import IDLE, settings_of

SOURCE = Path(__file__).parents[2] / "src/livetally"
PROGRAM = "".join(path.read_text("utf-8") for path in SOURCE.rglob("*.py"))


class Exempt(NamedTuple):
    """Why it is no administrative act."""

    why: str


LOOKS = Exempt("it changes nothing")
STAGE = Exempt("a stage at work; what it decides stands in the ledger, and its log tells when it ran")
PLACE = Exempt("services and files of this machine; it touches no election")
SIMULATES = Exempt("it makes elections that are simulated, and people who do not exist; --fresh refuses to delete a real election")
VOTES = Exempt("a voter's own; the ledger holds it, and an act would tell who voted when")

COMMANDS: dict[str, str | Exempt] = {
    "run": SIMULATES,
    "up": PLACE,
    "down": PLACE,
    "status": LOOKS,
    "register": SIMULATES,  # with --election it lists candidates and opens: those are acts of their own
    "simulate": STAGE,
    "record": STAGE,
    "tally": STAGE,
    "dashboard": STAGE,
    "api": STAGE,
    "election create": "election create",
    "election list": LOOKS,
    "election show": LOOKS,
    "election open": "election open",
    "election close": "election close",
    "election publish": "election publish",
    "election delete": "election delete",
    "election certify": "election certify",
    "election import-candidates": "election import-candidates",
    "election codes": "codes issued",
    "election import-roll": "election import-roll",
    "election sheet": LOOKS,
    "voter show": LOOKS,
    "results": LOOKS,
    "history": LOOKS,
    "audit": LOOKS,
    "rejected": "rejected cast-again",
    "topics": LOOKS,
    "peek": LOOKS,
    "sql": LOOKS,
    "user add": "user add",
    "user list": LOOKS,
    "user disable": "user disable",
    "user enable": "user enable",
    "user password": "user password",
    "user role": "user role",
    "prepare": PLACE,
    "rebuild ledger": "rebuild ledger",
    "rebuild votes-topic": "rebuild votes-topic",
    "rebuild tally": "rebuild tally",
    "bench": Exempt("it works on services of its own, and deletes them"),
    "test": Exempt("it works on services of its own, and deletes them"),
}

ROUTES: dict[str, str | Exempt] = {
    "POST /session": "sign in",
    "DELETE /session": "sign out",
    "POST /login": "sign in",
    "POST /logout": "sign out",
    "POST /tokens": "token add",
    "DELETE /tokens/{number}": "token revoke",
    "POST /users": "user add",
    "POST /users/{user_name}/disable": "user disable",
    "POST /users/{user_name}/enable": "user enable",
    "POST /users/{user_name}/password": "user password",
    "POST /users/{user_name}/role": "user role",
    "POST /elections": "election create",
    "POST /elections/{election_id}/candidates": "election import-candidates",
    "POST /elections/{election_id}/open": "election open",
    "POST /elections/{election_id}/close": "election close",
    "POST /elections/{election_id}/publish": "election publish",
    "POST /elections/{election_id}/certify": "election certify",
    "POST /elections/{election_id}/codes/{voter_id}/reissue": "code reissued",
    "POST /elections/{election_id}/ballots": VOTES,
    "POST /vote/code": VOTES,
    "POST /vote/leave": VOTES,
    "POST /vote/{election_id}/ballot": VOTES,
    "POST /vote/{election_id}/review": VOTES,
    "POST /receipts": LOOKS,
    "POST /vote/{election_id}/cast": VOTES,
}


def commands(parser: argparse.ArgumentParser, before: str = "") -> Iterator[str]:
    """Each command by its whole name; where a word behind it says what is changed, with that word."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield from commands(command, f"{before}{name} ") if _is_divided(command) else _with_its_words(command, f"{before}{name}")


def _is_divided(command: argparse.ArgumentParser) -> bool:
    return any(isinstance(action, argparse._SubParsersAction) for action in command._actions)


def _with_its_words(command: argparse.ArgumentParser, name: str) -> Iterator[str]:
    words = [action.choices for action in command._actions if not action.option_strings and action.dest == "what" and action.choices]
    yield from (f"{name} {word}" for word in words[0]) if name == "rebuild" else (name,)


def test_every_command_names_its_act_or_why_it_has_none() -> None:
    assert sorted(commands(build_parser())) == sorted(COMMANDS)


def test_every_route_that_changes_something_names_its_act_or_why_it_has_none() -> None:
    app = make_app(settings_of("postgresql://nowhere", "nowhere"), "nowhere", "postgresql://nowhere", IDLE, every_part())
    assert sorted(route for route, _ in rules(app) if route.split()[0] not in SAFE_METHODS) == sorted(ROUTES)


@pytest.mark.parametrize("act", sorted({one for one in (*COMMANDS.values(), *ROUTES.values()) if isinstance(one, str)}))
def test_the_program_writes_that_act_down(act: str) -> None:
    """That it does, the tests of each act look at in `acts`."""
    assert re.search(rf'"{act}"', PROGRAM)
