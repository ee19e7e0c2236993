"""The documents cannot lie about what can be looked up: settings, commands, topics, reasons, files, functions, links."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from livetally.cli import build_parser
from livetally.core.ballots import Reason
from livetally.core.wire import topics
from livetally.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/livetally"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md"), *ROOT.glob("benchmarks/**/*.md")])
README = (ROOT / "README.md").read_text("utf-8")
PROGRAM = "".join(path.read_text("utf-8") for path in SOURCE.rglob("*.py"))
EVERY = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))

# Files that are named and are not ours: the reference's, and Kafka's.
NOT_OURS = {
    "main.py",
    "voting.py",
    "spark-streaming.py",
    "streamlit-app.py",
    "docker-compose.yml",
    "requirements.txt",
    "server.properties",
    "compose-spec.json",
}
MADE_LATER = {".venv/", ".livetally/", ".env", ".livetally", ".livetally/logs", ".venv"}
A_FILE = re.compile(r"[\w./-]*\w\.(?:py|sql|md|toml|lock|in|css|properties|json|yaml|yml|txt|log)")
A_FOLDER = re.compile(r"\.?[\w-]+(?:/[\w.-]+)*/")
HOSTS_ALLOWED = {"127.0.0.1", "localhost", "vote.example", "livetally;", "randomuser.me"}


def table(text: str, *columns: str) -> list[list[str]]:
    """The rows of the table with this head."""
    head = "| " + " | ".join(columns) + " |"
    assert text.count(head) == 1, head
    lines = text.split(head, 1)[1].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
        assert len(rows[-1]) == len(columns), line
    return rows


def code_spans(text: str) -> list[str]:
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def shell_lines(text: str) -> Iterator[str]:
    for block in re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        yield from block.splitlines()


def test_every_setting_is_documented_as_it_is() -> None:
    expected = []
    for name, field in Settings.model_fields.items():
        default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        expected.append([f"`{PREFIX}{name.upper()}`", "–" if default is None else f"`{default}`", field.description])
    assert table(README, "setting", "default", "meaning") == expected


def test_every_command_is_documented_as_it_is() -> None:
    assert table(README, "command", "options", "does") == [*rows_of(build_parser())]


def rows_of(parser: argparse.ArgumentParser, before: str = "") -> Iterator[list[str | None]]:
    """What the README has to say of each command, and of each that a command is made of."""
    for commands in (action for action in parser._actions if isinstance(action, argparse._SubParsersAction)):
        helps = {action.dest: action.help for action in commands._get_subactions()}
        for name, command in commands.choices.items():
            options = [action.option_strings[0] for action in command._actions if action.option_strings and action.dest != "help"]
            yield [f"`{before}{name}`", " ".join(f"`{option}`" for option in options), helps[name]]
            yield from rows_of(command, f"{before}{name} ")


def test_every_topic_is_documented_as_it_is() -> None:
    expected = [
        [
            f"`{topic.name}`",
            "1" if topic.partitions == 1 else f"`{PREFIX}BALLOT_PARTITIONS`",
            "all" if topic.keep == "all" else "newest per key",
            topic.about,
        ]
        for topic in topics(7)
    ]
    rows = table(README, "topic", "key", "partitions", "kept", "holds")
    assert [[name, *others] for name, _key, *others in rows] == expected


def test_every_reason_for_a_rejection_is_documented() -> None:
    assert [reason for reason, _ in table(README, "reason", "when")] == [f"`{reason}`" for reason in Reason]


def test_every_stage_names_its_command_and_package() -> None:
    for _, command, package, *_ in table(README, "stage", "command", "package", "reads", "writes"):
        assert build_parser().parse_args([command.strip("`")]).target.startswith("stages:")
        assert (ROOT / package.strip("`")).is_dir()


def test_what_the_first_call_needs_is_said_as_the_first_call_says_it() -> None:
    section = README.split("## What it needs", 1)[1].split("\n## ", 1)[0]
    said = (ROOT / "livetally").read_text("utf-8")
    amounts = re.findall(r"[\d.]+ (?:[GM]B|packages)", section)
    assert len(amounts) == 10
    assert [amount for amount in amounts if amount not in said] == []


@EVERY
def test_commands_in_examples_can_be_given(document: Path) -> None:
    text = document.read_text("utf-8")
    calls = [line for line in shell_lines(text) if "./livetally " in line] + [span for span in code_spans(text) if "./livetally " in span]
    for call in calls:
        words = shlex.split(re.split(r" [|>] ", call.split("./livetally ", 1)[1])[0], comments=True)
        if "…" in call or words[:1] in (["--help"], ["--version"]) or words[-1] == "--help":
            continue
        try:
            build_parser().parse_args(words)
        except SystemExit:
            pytest.fail(f"no such command: {call}")


@EVERY
def test_no_setting_is_named_that_does_not_exist(document: Path) -> None:
    named = set(re.findall(rf"\b{PREFIX}([A-Z_]*[A-Z])\b", document.read_text("utf-8")))
    assert {name.lower() for name in named} <= Settings.model_fields.keys()


@EVERY
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            assert (document.parent / target.split("#")[0]).exists(), target


@EVERY
def test_files_that_are_named_exist(document: Path) -> None:
    for span in code_spans(document.read_text("utf-8")):
        if span in NOT_OURS | MADE_LATER or not (A_FILE.fullmatch(span) or A_FOLDER.fullmatch(span)):
            continue
        places = (ROOT / span, SOURCE / span, document.parent / span)
        known_by_name = "/" not in span and (any(ROOT.glob(f"[!.]*/**/{span}")) or f'"{span}"' in PROGRAM)  # ours to make
        assert known_by_name or any(place.exists() for place in places), span


@EVERY
def test_functions_and_statements_that_are_named_exist(document: Path) -> None:
    """`record/intake.py:Intake.take`, `ledger.sql:accept`: file and name."""
    for span in code_spans(document.read_text("utf-8")):
        if found := re.fullmatch(r"([\w/]+\.(py|sql)):([\w.]+)", span):
            path, kind, name = SOURCE / found[1], found[2], found[3]
            text = path.read_text("utf-8")
            for part in name.split("."):
                pattern = rf"^-- name: {part}$" if kind == "sql" else rf"^\s*(?:def|class) {part}\b|^{part}\b"
                assert re.search(pattern, text, re.MULTILINE), span


@EVERY
def test_no_place_of_one_machine_is_named(document: Path) -> None:
    text = document.read_text("utf-8")
    assert not re.search(r"(?<![\w./~-])/(?:root|home|tmp|work|Users)/", text)
    assert {host.split(":")[0] for host in re.findall(r"https?://([^/\s)>`]+)", text)} <= HOSTS_ALLOWED


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text("utf-8")
    assert sorted(re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", index)) == sorted(path.name for path in folder.glob("[0-9]*.md"))


def test_every_decision_says_what_was_rejected_and_what_follows() -> None:
    for path in ROOT.glob("docs/decisions/[0-9]*.md"):
        headings = " ".join(re.findall(r"^## (.+)$", path.read_text("utf-8"), re.MULTILINE)).lower()
        assert re.search(r"context.*decision.*rejected.*consequences", headings), path.name
