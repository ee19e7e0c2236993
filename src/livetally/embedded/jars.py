"""The JARs of `jars.lock`, fetched once into a cache that all data directories share.

`fetch` gives the paths of the named sets. What lies in the cache with the right size is taken as it is: it was checked when it
came, and only checked files get their final name.

Python downloads, not Java: the Java that livetally brings trusts only the authorities it was built with, which fails behind a
company's own.
"""

import errno
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from livetally.core.errors import SetupError
from livetally.embedded.download import Downloader, Expected

DOWNLOADS_AT_ONCE = 4  # the files are small: latency, not bandwidth, is what several hide


@dataclass(frozen=True)
class Jar:
    coordinate: str  # group:artifact:version
    sha256: str
    size_bytes: int

    @property
    def path(self) -> str:
        """Where a repository keeps it, and where the cache does."""
        group, artifact, version = self.coordinate.split(":")
        return f"{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}.jar"


def read_lock() -> dict[str, tuple[Jar, ...]]:
    """The sets of `jars.lock` by name."""
    sets: dict[str, list[Jar]] = {}
    current: list[Jar] = []
    for line in files("livetally.embedded").joinpath("jars.lock").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = sets[line.strip("[]")] = []
        elif line and not line.startswith("#"):
            coordinate, sha256, size = line.split()
            current.append(Jar(coordinate, sha256, int(size)))
    return {name: tuple(jars) for name, jars in sets.items()}


def default_repository() -> str:
    """The repository that Maven itself would ask."""
    from jgo.maven import MavenContext

    return str(next(iter(MavenContext().remote_repos.values())))


def fetch(
    sets: Mapping[str, Sequence[Jar]],
    cache_dir: Path,
    repository: str | None = None,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, list[Path]]:
    """The paths of all JARs of `sets`, by set, in the order given; fetches what is missing, with progress on standard error.

    Raises SetupError when a file cannot be had, is not the one that the lock names, or cannot be stored.
    """
    directory = cache_dir / "jars"
    jars = {directory / jar.path: jar for chosen in sets.values() for jar in chosen}
    try:
        missing = {path: jar for path, jar in jars.items() if not is_there(path, jar.size_bytes)}
        if missing:
            _fetch_all(missing, (repository or default_repository()).rstrip("/"), pause)
    except OSError as error:
        what = "the disk is full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else str(error)
        raise SetupError(
            f"JARs could not be stored in {directory}: {what}.\nMake room there, or name another directory with LIVETALLY_CACHE_DIR."
        ) from error
    return {name: [directory / jar.path for jar in chosen] for name, chosen in sets.items()}


def is_there(path: Path, size_bytes: int) -> bool:
    try:
        return path.stat().st_size == size_bytes
    except FileNotFoundError:
        return False


def _fetch_all(missing: Mapping[Path, Jar], repository: str, pause: Callable[[float], None]) -> None:
    stop = threading.Event()
    pool = ThreadPoolExecutor(DOWNLOADS_AT_ONCE, thread_name_prefix="jars")
    with _progress(missing) as report:
        downloader = Downloader(report, stop, pause)
        futures = [
            pool.submit(downloader.fetch, Expected(f"{repository}/{jar.path}", path, jar.sha256, jar.size_bytes))
            for path, jar in missing.items()
        ]
        try:
            for future in futures:
                future.result()
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


@contextmanager
def _progress(missing: Mapping[Path, Jar]) -> Iterator[Callable[[Path, int], None]]:
    """Shows how far the downloads are: a bar on a terminal, elsewhere a line at the start and one at the end."""
    total = sum(jar.size_bytes for jar in missing.values())
    console = Console(stderr=True)
    what = f"{len(missing)} {'JAR' if len(missing) == 1 else 'JARs'}, {total / 1e6:.0f} MB"
    if not console.is_terminal:
        console.print(f"fetching {what}", highlight=False)
        yield lambda _path, _bytes: None
        console.print(f"fetched {what}", highlight=False)
        return
    bar = Progress(TextColumn("fetching {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console)
    so_far: dict[Path, int] = {}
    with bar:
        task = bar.add_task(what, total=total)

        def report(path: Path, size_bytes: int) -> None:
            so_far[path] = size_bytes
            bar.update(task, completed=sum(so_far.copy().values()))

        yield report
