"""The log of a stage, by reading it back."""

import json
import logging
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetally.observe.log import Logfmt

NOON = datetime(2026, 5, 7, 12, 0, tzinfo=UTC)

BARE_OR_QUOTED = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^\s"=]+)')


def logged(message: str, level: int = logging.INFO, name: str = "livetally.record.record", **extra: Any) -> str:
    record = logging.getLogger(name).makeRecord(name, level, "a.py", 1, message, (), None, extra=extra)
    record.created = NOON.timestamp() + 0.678
    return Logfmt("record").format(record)


def read_back(line: str) -> dict[str, str]:
    """As any reader of logfmt would."""
    moment, _, rest = line.partition(" ")
    fields = {name: str(json.loads(text)) if text.startswith('"') else text for name, text in BARE_OR_QUOTED.findall(rest)}
    assert BARE_OR_QUOTED.sub("", rest).strip() == "", "nothing stands between the fields"
    return {"time": moment} | fields


def test_a_line_of_the_log() -> None:
    line = logged("trying again", logging.WARNING, in_s=0.5, why="Kafka does not answer", ballots=12, is_new=True)
    assert line == (
        '2026-05-07T12:00:00.678Z level=warning stage=record event="trying again" in_s=0.5 why="Kafka does not answer" ballots=12 is_new=true'
    )


def test_a_line_of_somebody_elses_library_names_it() -> None:
    assert logged("hello", name="urllib3.pool").endswith('event="hello" logger=urllib3.pool')


def test_a_stack_trace_stands_behind_its_line() -> None:
    with pytest.raises(LookupError) as caught:
        failing()
    fault = (caught.type, caught.value, caught.tb)
    record = logging.getLogger("livetally").makeRecord("livetally", logging.ERROR, "a.py", 1, "it failed", (), fault)
    first, *others = Logfmt("tally").format(record).split("\n")
    assert read_back(first)["error"] == "LookupError: no such thing"
    assert all(line.startswith("    ") for line in others)
    assert any("in failing" in line for line in others)


def failing() -> None:
    raise LookupError("no\nsuch thing")


def test_in_a_stage_everything_that_is_said_is_a_line_of_its_log() -> None:
    program = """
from livetally.commands.output import complain, say, start_stage_log
from livetally.core.errors import UsageError
say("before")
start_stage_log("record")
say("hello")
complain(UsageError("that\\ncannot be"))
raise LookupError("a fault")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    before, hello, refused, fault, *trace = done.stderr.splitlines()
    assert done.returncode == 1
    assert before == "before"
    assert [(read_back(line)["level"], read_back(line)["event"]) for line in (hello, refused, fault)] == [
        ("info", "hello"),
        ("error", "that cannot be"),
        ("critical", "ended by a fault in the program"),
    ]
    assert read_back(fault)["error"] == "LookupError: a fault"
    assert trace[0] == "    Traceback (most recent call last):"


@given(st.text(), st.text())
def test_whatever_is_logged_is_one_line_that_can_be_read_back(event: str, detail: str) -> None:
    line = logged(event.replace("%", "%%"), detail=detail)
    line.encode()
    assert len(line.splitlines()) == 1
    fields = read_back(line)
    assert fields["event"] == " ".join(one.strip() for one in event.replace("%", "%%").splitlines())
    assert fields["detail"] == " ".join(one.strip() for one in detail.splitlines())
