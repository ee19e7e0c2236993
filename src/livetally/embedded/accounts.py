"""The unprivileged account for PostgreSQL, which refuses to run as root."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PREFERRED = ("postgres", "nobody")  # existing accounts; livetally makes none


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int

    def can(self, argv: Sequence[str]) -> bool:
        """Whether a command succeeds under this account. A real attempt: permissions alone do not tell (ACLs, mounts, root's home)."""
        try:
            done = subprocess.run(
                argv,
                user=self.uid,
                group=self.gid,
                extra_groups=[],
                cwd="/",
                env={},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except OSError:  # not there, or not for this account
            return False
        return done.returncode == 0

    def can_write_to(self, directory: Path) -> bool:
        return self.can(["/bin/sh", "-c", 'test -w "$1" && test -x "$1" && cd "$1"', "sh", str(directory)])


def account_for(data: Path) -> Account | None:
    """None where the server can run as we do. As root: the owner of the data if there are any, else the first preferred account."""
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        owner = data.stat()
        return Account(_name_of(owner.st_uid), owner.st_uid, owner.st_gid)
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    chosen = next((known[name] for name in PREFERRED if name in known), None)
    return Account(chosen.pw_name, chosen.pw_uid, chosen.pw_gid) if chosen else Account("65534", 65_534, 65_534)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
