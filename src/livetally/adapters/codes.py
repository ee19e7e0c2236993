"""Voting codes: made, hashed, kept as hashes. The key lies in a file of the data directory, never in the database."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from livetally.adapters.acts import Actor, Acts
from livetally.adapters.postgres import Connection
from livetally.adapters.queries import queries
from livetally.core.codes import CODE_BYTES, KEY_BYTES, fingerprint, grouped, keyed_hash, written
from livetally.core.errors import DataDirError, ElectionError

KEY_FILE = Path("secrets") / "codes.key"  # in the data directory
ISSUED, REISSUED = "codes issued", "code reissued"  # as `acts` names them


class Letter(NamedTuple):
    """What goes to one voter, with the code, which nobody can be shown again."""

    voter_id: str
    voter_name: str
    street: str
    postcode: str
    city: str
    state: str
    country: str
    code: str


class Codes:
    """Over one connection. What is issued is stored with the caller's transaction: hand the letters out before it ends, or nothing was issued."""

    def __init__(self, connection: Connection, key: bytes) -> None:
        self._connection = connection
        self._key = key
        self._sql = queries("codes")

    def issue(self, election_id: str, actor: Actor) -> Iterator[list[Letter]]:
        """A code for everybody on the roll who has none, some thousands at a time. Within one transaction. Raises ElectionError."""
        execute, sql = self._connection.execute, self._sql
        self._check(election_id)
        execute(sql["without_code"], {"election_id": election_id})
        issued = 0
        while rows := execute(sql["next_without_code"]).fetchall():
            yield self._store(election_id, rows)
            issued += len(rows)
        Acts(self._connection).note(actor.who, ISSUED, "", election_id, {"codes": issued}, actor.came_from)

    def reissue(self, election_id: str, voter_id: str, actor: Actor) -> Letter:
        """A new code for one voter; the one before is void from now on. Within one transaction. Raises ElectionError."""
        self._check(election_id)
        row = self._connection.execute(self._sql["one_on_roll"], {"election_id": election_id, "voter_id": voter_id}).fetchone()
        if row is None:
            raise ElectionError(
                f"There is no voter {voter_id!r} on the roll of the election {election_id!r}. No code was issued or voided."
            )
        voided = self._connection.execute(self._sql["void"], (election_id, voter_id)).fetchone()
        (letter,) = self._store(election_id, [row])
        detail = {"voided_issued_at": voided[0] if voided else None}
        Acts(self._connection).note(actor.who, REISSUED, voter_id, election_id, detail, actor.came_from)
        return letter

    def _check(self, election_id: str) -> None:
        row = self._connection.execute(self._sql["election"], (election_id,)).fetchone()
        if row is None:
            raise ElectionError(f"There is no election {election_id!r}. `./livetally sql 'TABLE elections'` lists them.")
        _, kind, status, _ = row
        if kind != "real":
            raise ElectionError(f"The election {election_id!r} is simulated: its voters are made up, so nobody gets a code.")
        if status not in ("draft", "open"):
            raise ElectionError(f"The election {election_id!r} is {status}: a code for it could not be used any more. None was issued.")

    def _store(self, election_id: str, rows: Sequence[Sequence[str]]) -> list[Letter]:
        random = os.urandom(CODE_BYTES * len(rows))
        letters = []
        with self._connection.cursor().copy(self._sql["store_codes"]) as copy:
            copy.set_types(["bytea", "text", "varchar"])
            for number, row in enumerate(rows):
                secret = random[number * CODE_BYTES : (number + 1) * CODE_BYTES]
                copy.write_row((keyed_hash(self._key, secret), election_id, row[0]))
                letters.append(Letter(*row, grouped(written(secret))))  # type: ignore[call-arg] # seven columns, by the statement
        return letters


def codes_key(connection: Connection, data_dir: Path) -> bytes:
    """The key of this data directory's codes, made when it is first asked for.

    Raises DataDirError if the one that codes were made with is not there any more: with another one every code would be unknown.
    """
    sql = queries("codes")
    path = data_dir.resolve() / KEY_FILE
    known = connection.execute(sql["known_key"]).fetchone()
    key = _read(path)
    if key is None and known is None:
        key = _make(path)
    if known is None and key is not None:
        connection.execute(sql["know_key"], (fingerprint(key),))
        known = connection.execute(sql["known_key"]).fetchone()
    if key is None:
        raise DataDirError(
            f"The key of the voting codes, {path}, is not there, and the database holds codes that were made with it: "
            "without it no code can be recognised. Bring the file back from a copy. If there is none, every code has to be issued again, "
            "in a new election: docs/ballots.md says how."
        )
    if known is None or known[0] != fingerprint(key):
        raise DataDirError(
            f"{path} is not the key that the voting codes in this database were made with. "
            "Bring that one back; or LIVETALLY_DATA_DIR and LIVETALLY_DATABASE_URL do not belong together."
        )
    return key


def _read(path: Path) -> bytes | None:
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataDirError(f"{path}, the key of the voting codes, cannot be read: {error}. Bring it back from a copy.") from error
    if len(key) != KEY_BYTES:
        raise DataDirError(
            f"{path}, the key of the voting codes, is damaged: it has {len(key)} bytes, not {KEY_BYTES}. Bring it back from a copy."
        )
    return key


def _make(path: Path) -> bytes:
    """Whole or not at all, and by one only, whoever else is just starting."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(os.urandom(KEY_BYTES).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(unfinished, path)
        unfinished.unlink()
    except OSError as error:
        raise DataDirError(f"The key of the voting codes cannot be kept in {path}: {error}.") from error
    return _read(path) or _make(path)  # gone again already: somebody empties the directory
