"""The data directory, its ports and its logs: files only, no services."""

import fcntl
import json
import os
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from livetally.core.errors import DataDirError, ServiceError
from livetally.embedded import datadir, placing, ports
from livetally.embedded.datadir import DataDir
from livetally.embedded.logs import RotatingLog
from livetally.embedded.ports import Ports


def quiet(_text: str) -> None:
    pass


def test_a_directory_has_one_holder_who_is_named(tmp_path: Path) -> None:
    held = DataDir.open(tmp_path / "data", quiet)
    with pytest.raises(DataDirError, match=f"in use by process {os.getpid()}"):
        DataDir.open(tmp_path / "data", quiet)
    held.close()
    DataDir.open(tmp_path / "data", quiet).close()


def test_the_lock_of_a_dead_process_is_taken_over_and_mentioned(tmp_path: Path) -> None:
    datadir.prepare(tmp_path)
    (tmp_path / "lock").write_text("4711\n")
    said: list[str] = []
    DataDir.open(tmp_path, said.append).close()
    assert said == ["the last livetally here (process 4711) ended without cleaning up"]


def test_a_failed_opening_does_not_keep_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=5_000_000))
        with pytest.raises(DataDirError, match="only 5 MB are free"):
            DataDir.open(tmp_path, quiet)
    with (tmp_path / "lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_data_of_another_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "layout-version").write_text("99\n")
    with pytest.raises(DataDirError, match="layout version 99; this livetally reads version 1"):
        DataDir.open(tmp_path, quiet)


def test_a_directory_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DataDirError, match="no data directory of livetally"):
        DataDir.open(tmp_path, quiet)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(DataDirError, match="cannot be used"):
        DataDir.open(tmp_path / "data", quiet)


def test_a_taken_port_is_replaced_and_remembered(tmp_path: Path) -> None:
    said: list[str] = []
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, 0))
        preferred = taken.getsockname()[1]
        first = Ports(tmp_path / "ports.json", said.append)
        chosen = first.choose("kafka", preferred)
        first.close()
    assert chosen > preferred
    assert said == [f"kafka: port {preferred} is taken, {chosen} is used instead"]
    again = Ports(tmp_path / "ports.json", said.append)
    assert again.choose("kafka", preferred) == chosen, "the same as before, though the preferred one is free by now"
    again.close()


def test_another_setting_forgets_what_was_chosen(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text(json.dumps({"kafka": {"preferred": 1, "port": 2}}))
    with socket.socket() as probe:
        probe.bind((ports.LOOPBACK, 0))
        free = probe.getsockname()[1]
    chooser = Ports(tmp_path / "ports.json", quiet)
    assert chooser.choose("kafka", free) == free
    chooser.close()


def test_two_that_start_at_once_never_choose_the_same(tmp_path: Path) -> None:
    one, other = Ports(tmp_path / "one.json", quiet), Ports(tmp_path / "other.json", quiet)
    with socket.socket() as probe:
        probe.bind((ports.LOOPBACK, 0))
        preferred = probe.getsockname()[1]
    assert one.choose("kafka", preferred) != other.choose("kafka", preferred)
    one.close()
    other.close()


def test_no_port_left_is_said_with_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _port: False)
    with pytest.raises(ServiceError, match="LIVETALLY_KAFKA_PORT"):
        Ports(tmp_path / "ports.json", quiet).choose("kafka", 9092)


def test_a_log_stays_within_its_bounds(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "logs" / "kafka.log", bytes_max=100)
    for number in range(100):
        log.write(f"line {number:03}\n".encode())
    sizes = {path.name: path.stat().st_size for path in log.path.parent.iterdir()}
    assert set(sizes) == {"kafka.log", "kafka.log.1", "kafka.log.2", "kafka.log.3"}
    assert max(sizes.values()) <= 100
    assert log.last_lines()[-1] == "line 099"


def test_a_log_on_a_full_disk_goes_on_and_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RotatingLog(tmp_path / "kafka.log", bytes_max=10_000)

    def full(_data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(log, "_append", full)
        log.write(b"lost\n")
    log.write(b"there again\n")
    assert log.path.read_text() == "[5 bytes could not be written here]\nthere again\n"
    assert log.last_lines() == ["lost", "there again"]


def test_a_pointer_to_anywhere_else_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "postgres-is-in").write_text("/etc\n")
    with pytest.raises(DataDirError, match="should be in /etc"):
        placing.remove(tmp_path)
