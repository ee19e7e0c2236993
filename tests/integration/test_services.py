"""The services themselves: real Kafka and PostgreSQL, started, killed, restarted and ended.

Each supervisor is a process of its own, as it is in life: that is what gets signals, and what can be killed.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from livetally.embedded import placing, state
from livetally.embedded.state import Running, State
from livetally.settings import cache_dir_of, read_settings

SOURCE = Path(__file__).parent.parent.parent / "src"
WITHIN_S = 120.0  # of a machine that is busy with other tests

SUPERVISOR = """
import sys, time
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from livetally.embedded.services import DATABASE, EVERYTHING, KAFKA, Services
from livetally.settings import Settings

def probe(servers):
    try:
        return bool(AdminClient({"bootstrap.servers": servers, "log_level": 0}).list_topics(timeout=1).brokers)
    except KafkaException:
        return False

def say(text):
    print(text, flush=True)

needs = frozenset(sys.argv[2].split(","))
try:
    with Services(Settings(), kafka_probe=probe, on_event=say, needs=needs) as services:
        services.spawn("stage", [sys.executable, "-c", "import time; time.sleep(1000)"])
        say("everything answers")
        while True:
            services.tick()
            time.sleep(0.05)
except KeyboardInterrupt:
    say("ended in order")
"""
BOTH = "kafka,database"


class Supervising:
    """A supervisor's process and what it has said."""

    def __init__(self, data_dir: Path, needs: str, prefix: Sequence[str] = ()) -> None:
        self.data_dir = data_dir
        self.said_path = Path(tempfile.mkstemp(prefix="livetally-said-")[1])
        settings = {
            "LIVETALLY_DATA_DIR": str(data_dir),
            "LIVETALLY_CACHE_DIR": str(cache_dir_of(read_settings())),
            "PYTHONPATH": str(SOURCE),
        }
        with self.said_path.open("wb") as said:
            self.child = subprocess.Popen(
                [*prefix, sys.executable, "-c", SUPERVISOR, str(data_dir), needs],
                env=os.environ | settings,
                stdout=said,
                stderr=said,
                cwd="/",
            )

    def said(self) -> str:
        return self.said_path.read_text()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            assert self.child.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def wait_until_up(self) -> State:
        self.wait_for(lambda: "everything answers" in self.said())
        found = state.running(self.data_dir)
        assert found is not None
        return found

    def process(self, name: str) -> Running:
        found = state.load(self.data_dir)
        assert found is not None
        return next(one for one in found.processes if one.name == name)

    def end(self, number: signal.Signals = signal.SIGINT) -> None:
        self.child.send_signal(number)
        self.child.wait(WITHIN_S)
        assert self.said().rstrip().endswith("ended in order"), self.said()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Supervising]]:
    """Starts supervisors; whatever they leave, the test's end removes."""
    started: list[Supervising] = []

    def start_one(data_dir: Path = tmp_path / "data", needs: str = BOTH, prefix: Sequence[str] = ()) -> Supervising:
        one = Supervising(data_dir, needs, prefix)
        started.append(one)
        return one

    yield start_one
    for one in started:
        one.child.send_signal(signal.SIGTERM)
        one.child.wait(WITHIN_S)
        for left in living(one.data_dir):
            left.kill()
        if (one.data_dir / placing.POINTER).exists():
            placing.remove(one.data_dir)
        one.said_path.unlink()


def living(data_dir: Path) -> list[psutil.Process]:
    """Every process with the data directory on its command line or under its feet."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        about = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
        if process.pid != os.getpid() and any(str(data_dir) in part for part in about):
            found.append(process)
    return found


def command_lines_under(pid: int) -> list[str]:
    return [
        part
        for process in psutil.process_iter(["ppid", "cmdline"])
        if process.info["ppid"] == pid
        for part in process.info["cmdline"] or []
    ]


def ask(url: str, query: LiteralString) -> object:
    with closing(psycopg.connect(url, autocommit=True, connect_timeout=10)) as connection:
        cursor = connection.execute(query)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def topics(servers: str) -> set[str]:
    return set(AdminClient({"bootstrap.servers": servers}).list_topics(timeout=10).topics)


def answers(call: Callable[[], object]) -> bool:
    try:
        call()
    except (psycopg.OperationalError, KafkaException):
        return False
    return True


def test_a_life_in_one_data_directory(start: Callable[..., Supervising]) -> None:
    """Start, die and come back, keep what was stored, be killed, be cleaned up after, end without a trace."""
    first = start()
    connections = first.wait_until_up().connections
    kafka, database = connections["kafka"], connections["database"]
    assert ask(database, "SHOW fsync") == "on"
    assert ask(database, "SELECT current_setting('server_version_num')::int / 10000") == 18
    assert ask(database, "SHOW timezone") == "UTC"
    ask(database, "CREATE TABLE kept AS SELECT 42 AS answer")
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(30)

    for name, call in {"kafka": lambda: topics(kafka), "postgres": lambda: ask(database, "SELECT 1")}.items():
        before = first.process(name)
        os.kill(before.pid, signal.SIGKILL)
        first.wait_for(lambda name=name: f"{name} was ended by SIGKILL; starting it again in 1 s" in first.said())  # type: ignore[misc]
        first.wait_for(lambda call=call: answers(call))  # type: ignore[misc]
        assert first.process(name).pid != before.pid

    left = [first.process(name) for name in ("stage", "kafka", "postgres")]
    first.child.kill()
    first.child.wait()
    assert all(one.is_alive() for one in left)

    second = start()
    assert second.wait_until_up().connections == connections, "the same ports as before"
    assert f"stage ({left[0].pid}), kafka ({left[1].pid}), postgres ({left[2].pid})" in second.said()
    assert not any(one.is_alive() for one in left)
    assert ask(database, "SELECT answer FROM kept") == 42
    assert "kept" in topics(kafka)

    refused = start()
    assert refused.child.wait(WITHIN_S) != 0
    assert f"is in use by process {second.child.pid}" in refused.said()

    second.end(signal.SIGTERM)
    assert living(second.data_dir) == []
    assert not (second.data_dir / "state.json").exists()


def test_two_side_by_side_with_spaces_in_their_names(start: Callable[..., Supervising], tmp_path: Path) -> None:
    two = [start(tmp_path / f"data of {name}") for name in ("one", "another")]
    connections = [one.wait_until_up().connections for one in two]
    assert connections[0]["kafka"] != connections[1]["kafka"]
    assert connections[0]["database"] != connections[1]["database"]
    assert len({ask(one["database"], "SHOW data_directory") for one in connections}) == 2
    for one in two:
        one.end()
        assert living(one.data_dir) == []


def test_interrupted_while_starting_it_leaves_nothing_and_can_be_repeated(start: Callable[..., Supervising]) -> None:
    def start_until(moment: str) -> Supervising:
        one = start()
        one.wait_for(lambda: any(moment in part for part in command_lines_under(one.child.pid)))
        return one

    for moment in ("initdb", "kafka.tools.StorageTool", "kafka.Kafka"):
        one = start_until(moment)
        one.end()
        assert living(one.data_dir) == []
    again = start()
    again.wait_until_up()
    again.end()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else, and only root's PostgreSQL needs another account")
def test_root_leaves_closed_directories_closed(start: Callable[..., Supervising], tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    one = start(needs="database")
    url = one.wait_until_up().connections["database"]
    assert "the database is kept in /var/lib/livetally/databases/" in one.said()
    assert ask(url, "SELECT 1") == 1
    one.end()
    again = start(needs="database")
    assert ask(again.wait_until_up().connections["database"], "SELECT 1") == 1
    assert "the database is kept in" not in again.said(), "said once, when it was made"
    again.end()
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    placing.remove(one.data_dir)
    assert not (one.data_dir / placing.POINTER).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test runs as an ordinary user already")
def test_an_ordinary_user_runs_everything_in_place(start: Callable[..., Supervising]) -> None:
    ordinary = pwd.getpwnam("nobody")
    home = Path(tempfile.mkdtemp(prefix="livetally-ordinary-", dir="/tmp"))
    os.chown(home, ordinary.pw_uid, ordinary.pw_gid)
    try:
        one = start(home / "data", prefix=as_user(ordinary))
        url = one.wait_until_up().connections["database"]
        assert ask(url, "SHOW data_directory") == str(home / "data" / "postgres" / "data")
        assert {process.username() for process in living(one.data_dir)} == {"nobody"}
        one.end()
        assert living(one.data_dir) == []
    finally:
        shutil.rmtree(home)


def as_user(account: pwd.struct_passwd) -> list[str]:
    """Becomes that user, with one right more: to read all files. The Python of the tests may lie in root's closed home."""
    right = "+dac_read_search"
    who = ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups"]
    return ["setpriv", *who, "--inh-caps", right, "--ambient-caps", right]
