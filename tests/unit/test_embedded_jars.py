"""Downloads from a real HTTP server on loopback that misbehaves on demand."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from livetally.core.errors import SetupError
from livetally.embedded import jars
from livetally.embedded.jars import Jar

CONTENT = bytes(range(256)) * 2_000
JAR = Jar("org.example:thing:1.0", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


class Repository:
    """Serves CONTENT for every path. `faults` are used up one per request: a status, "half", "wrong" or "no range"."""

    def __init__(self) -> None:
        self.faults: list[int | str] = []
        self.ranges: list[str | None] = []
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        fault = self.faults.pop(0) if self.faults else ""
        asked = handler.headers.get("Range")
        self.ranges.append(asked)
        if isinstance(fault, int):
            handler.send_error(fault)
            return
        found = re.match(r"bytes=(\d+)-", asked or "")
        start = int(found.group(1)) if found and fault != "no range" else 0
        body = (CONTENT[::-1] if fault == "wrong" else CONTENT)[start:]
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(body)))
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if fault == "half" else body)


@contextmanager
def serving(repository: Repository) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            repository.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    repository.url = f"http://127.0.0.1:{server.server_port}/repository/"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def repository() -> Iterator[Repository]:
    one = Repository()
    with serving(one):
        yield one


def fetch(repository: Repository, cache: Path, jar: Jar = JAR) -> Path:
    pauses: list[float] = []
    (path,) = jars.fetch({"some": [jar]}, cache, repository.url, pause=pauses.append)["some"]
    return path


def test_what_is_there_is_not_fetched_again(repository: Repository, tmp_path: Path) -> None:
    path = fetch(repository, tmp_path)
    assert path.read_bytes() == CONTENT
    assert fetch(repository, tmp_path) == path
    assert repository.ranges == [None]


def test_a_broken_download_is_resumed(repository: Repository, tmp_path: Path) -> None:
    repository.faults = ["half", "half"]
    assert fetch(repository, tmp_path).read_bytes() == CONTENT
    starts = [int(asked.removeprefix("bytes=").removesuffix("-")) for asked in repository.ranges[1:] if asked]
    assert len(starts) == 2
    assert 0 < starts[0] < starts[1] < len(CONTENT)


def test_a_server_without_ranges_sends_all_again(repository: Repository, tmp_path: Path) -> None:
    repository.faults = ["half", "no range"]
    assert fetch(repository, tmp_path).read_bytes() == CONTENT


def test_errors_of_the_server_are_tried_again(repository: Repository, tmp_path: Path) -> None:
    repository.faults = [500, 503, 429]
    assert fetch(repository, tmp_path).read_bytes() == CONTENT


def test_a_server_that_never_answers_well_is_named(repository: Repository, tmp_path: Path) -> None:
    repository.faults = [500] * 10
    with pytest.raises(SetupError, match=r"thing-1\.0\.jar could not be fetched in 5 attempts: 500 [^$]*LIVETALLY_MAVEN_REPOSITORY"):
        fetch(repository, tmp_path)


def test_a_file_that_is_not_there_is_not_asked_for_again(repository: Repository, tmp_path: Path) -> None:
    repository.faults = [404]
    with pytest.raises(SetupError, match="was refused: 404"):
        fetch(repository, tmp_path)
    assert len(repository.ranges) == 1


def test_another_file_is_refused_and_leaves_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.faults = ["wrong"]
    with pytest.raises(SetupError, match="sha256"):
        fetch(repository, tmp_path)
    assert not list(tmp_path.rglob("*.jar"))
    assert fetch(repository, tmp_path).read_bytes() == CONTENT


def test_what_an_interrupted_download_left_may_be_wrong_once(repository: Repository, tmp_path: Path) -> None:
    part = (tmp_path / "jars" / JAR.path).with_suffix(".part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    assert fetch(repository, tmp_path).read_bytes() == CONTENT
    assert repository.ranges == ["bytes=1000-", None]


def test_no_network_is_said_so(tmp_path: Path) -> None:
    gone = Repository()
    with serving(gone):
        pass
    with pytest.raises(SetupError, match="Check the network"):
        fetch(gone, tmp_path)


def test_several_at_once_fetch_each_file_once(repository: Repository, tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            fetch(repository, tmp_path)
        except BaseException as error:  # noqa: BLE001 (handed to the test)
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert repository.ranges == [None]


def test_a_cache_that_cannot_be_written_is_named(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "jars").write_text("a file where a directory should be")
    with pytest.raises(SetupError, match="LIVETALLY_CACHE_DIR"):
        fetch(repository, tmp_path)


def test_the_lock_names_every_file_once_with_hash_and_size() -> None:
    sets = jars.read_lock()
    assert set(sets) == {"kafka", "spark"}
    for chosen in sets.values():
        assert len({jar.path for jar in chosen}) == len(chosen)
        assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) and jar.size_bytes > 1000 for jar in chosen)
    assert {jar.coordinate for jar in sets["kafka"]} >= {"org.apache.kafka:kafka_2.13:4.3.1", "org.slf4j:slf4j-api:1.7.36"}
