"""One file from the network, checked by sha256, under its final name only when it is whole and right.

A broken download is resumed, by this process or a later one. Two processes may fetch the same file: it has one writer at a
time, and who had to wait finds it done.
"""

import fcntl
import hashlib
import os
import re
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from livetally.core.errors import SetupError

ATTEMPTS_MAX = 5
FIRST_PAUSE_S = 0.5  # doubled after every failed attempt
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 30.0
CHUNK_BYTES = 1 << 16
REFUSALS = {401, 403, 404, 410}  # asking again changes nothing


@dataclass(frozen=True)
class Expected:
    url: str
    path: Path
    sha256: str
    size_bytes: int


class Downloader:
    """Fetches files; several threads may use it at once. `report` is told how many bytes of a path there are; `stop` ends it early."""

    def __init__(self, report: Callable[[Path, int], None], stop: threading.Event, pause: Callable[[float], None]) -> None:
        self._report = report
        self._stop = stop
        self._pause = pause
        self._of_thread = threading.local()

    def fetch(self, expected: Expected) -> None:
        """Raises SetupError when it cannot be had or is another file, OSError when it cannot be stored."""
        path = expected.path
        path.parent.mkdir(parents=True, exist_ok=True)
        part_path = path.with_suffix(".part")
        with part_path.open("ab", buffering=0) as part:
            fcntl.flock(part, fcntl.LOCK_EX)  # ends with the process, however that ends
            if not path.exists() or path.stat().st_size != expected.size_bytes:  # else another process was faster
                self._complete(expected, _Part(part_path, part.fileno()))
                if self._stop.is_set():
                    return
                os.fsync(part.fileno())
                part_path.replace(path)
        self._report(path, expected.size_bytes)

    def _complete(self, expected: Expected, part: "_Part") -> None:
        """Goes on with `part` until it is whole and right, or `stop` is set."""
        is_resumed = part.size_bytes > 0
        failure = ""
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                self._pause(FIRST_PAUSE_S * 2 ** (attempt - 1))
            try:
                self._download(expected, part)
            except requests.RequestException as error:
                failure = str(error)
                continue
            if self._stop.is_set():
                return
            if part.size_bytes < expected.size_bytes:
                failure = f"it ended after {part.size_bytes:,} of {expected.size_bytes:,} bytes"
                continue
            found = part.sha256()
            if found == expected.sha256:
                return
            part.clear()
            if not is_resumed:  # what an earlier process left may be at fault, but only once
                raise SetupError(
                    f"{expected.url} is not the file that livetally was tested with: its sha256 is {found}, not {expected.sha256}.\n"
                    "A proxy may have answered in the repository's place. Try again, or name another with LIVETALLY_MAVEN_REPOSITORY."
                )
            is_resumed = False
        raise SetupError(
            f"{expected.url} could not be fetched in {ATTEMPTS_MAX} attempts: {failure}.\n"
            "Check the network (and HTTPS_PROXY, if there is a proxy), or name another repository with LIVETALLY_MAVEN_REPOSITORY. "
            "Then try again: what has come so far is kept."
        )

    def _download(self, expected: Expected, part: "_Part") -> None:
        """Adds to `part` what one answer brings, which may be less than is missing."""
        start = part.size_bytes
        if start > expected.size_bytes:
            part.clear()
            start = 0
        if start == expected.size_bytes:
            return
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with self._session().get(expected.url, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)) as answer:
            if answer.status_code in REFUSALS:
                raise SetupError(
                    f"{expected.url} was refused: {answer.status_code} {answer.reason}.\n"
                    "Name a repository that holds it with LIVETALLY_MAVEN_REPOSITORY."
                )
            answer.raise_for_status()
            if start and not re.match(rf"bytes {start}-", answer.headers.get("Content-Range", "")):
                part.clear()  # the server sends all of it again
            for chunk in answer.iter_content(CHUNK_BYTES):
                part.append(chunk)
                self._report(expected.path, part.size_bytes)
                if self._stop.is_set() or part.size_bytes > expected.size_bytes:
                    return

    def _session(self) -> requests.Session:
        if not hasattr(self._of_thread, "session"):
            self._of_thread.session = requests.Session()
            self._of_thread.session.mount("https://", _MachinesTrust())
        session: requests.Session = self._of_thread.session
        return session


class _MachinesTrust(HTTPAdapter):
    """Trusts the authorities of the machine besides those that requests brings along: a company's own is among the former."""

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        super().init_poolmanager(*args, ssl_context=ssl.create_default_context(), **named)

    def proxy_manager_for(self, *args: Any, **named: Any) -> Any:
        return super().proxy_manager_for(*args, ssl_context=ssl.create_default_context(), **named)


class _Part:
    """A file that grows, opened for appending without a buffer: what it holds is on its way to the disk."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self.size_bytes = os.fstat(descriptor).st_size

    def append(self, chunk: bytes) -> None:
        written = os.write(self._descriptor, chunk)
        self.size_bytes += written
        if written < len(chunk):  # the last bytes of a full disk; the next write says so
            self.append(chunk[written:])

    def clear(self) -> None:
        os.ftruncate(self._descriptor, 0)
        self.size_bytes = 0

    def sha256(self) -> str:
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
