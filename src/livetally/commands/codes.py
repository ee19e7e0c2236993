"""`livetally election codes`: voting codes as CSV for letters. They are shown once: the database keeps hashes, and nobody anything else."""

import argparse
import csv
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlsplit

from livetally.adapters.codes import Codes, Letter, codes_key
from livetally.adapters.postgres import connect, explained
from livetally.adapters.rights import Rights
from livetally.commands.actor import actor
from livetally.commands.backing import database_of
from livetally.commands.output import say
from livetally.core.errors import UsageError
from livetally.settings import Settings, read_settings
from livetally.web.exposure import is_loopback

COLUMNS = (*Letter._fields, "url")
PRIVATE = 0o600
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 (where one may listen, and where nobody can go)


def codes(arguments: argparse.Namespace) -> int:
    settings = read_settings()
    election_id: str = arguments.id
    url = f"{public_url(settings)}/vote/{quote(election_id, safe='')}"
    who = actor()
    with (
        database_of(settings, looks_only=False) as database_url,
        closing(connect(database_url, "codes", Rights.ORGANISE, bounded=False)) as connection,
        explained(database_url),
    ):
        made = Codes(connection, codes_key(connection, settings.data_dir))
        with _letters(arguments.output) as letters, connection.transaction():  # what could not be written was not issued
            if arguments.reissue is None:
                issued = letters.write(url, made.issue(election_id, who))
            else:
                issued = letters.write(url, iter([[made.reissue(election_id, arguments.reissue, who)]]))
            letters.finish()
    _tell(issued, election_id, arguments)
    if issued and is_only_here(url):
        say(
            f"Careful: the letters send voters to {url}, which only this machine reaches. That is right for a rehearsal on it. Otherwise set "
            "LIVETALLY_API_PUBLIC_URL to where voters reach the API (docs/phones-in-the-hall.md), and replace the address in the letters: "
            "the codes themselves stay good."
        )
    return 0


def public_url(settings: Settings) -> str:
    """Where voters reach the API; without a slash at its end."""
    return (settings.api_public_url or f"http://{settings.api_address}:{settings.api_port}").rstrip("/")


def is_only_here(url: str) -> bool:
    """Whether nobody else can follow it: it names loopback, or all addresses of a machine, which is none."""
    host = urlsplit(url).hostname or ""
    return is_loopback(host) or host in EVERY_ADDRESS


class _Letters:
    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._csv = csv.writer(file)
        self.are_written = False
        self._csv.writerow(COLUMNS)

    def write(self, url: str, batches: Iterator[list[Letter]]) -> int:
        """How many there were."""
        issued = 0
        for letters in batches:
            self._csv.writerows(_row(letter, url) for letter in letters)
            issued += len(letters)
        return issued

    def finish(self) -> None:
        """Behind this, all of it is where it is to be, and the codes may be issued at any moment."""
        self._file.flush()
        if self._file is not sys.stdout:
            os.fsync(self._file.fileno())
        self.are_written = True


def _row(letter: Letter, url: str) -> Iterable[str]:
    """A name that a spreadsheet would take for a formula is written as text."""
    return [*("'" + field if field.startswith(("=", "+", "-", "@", "\t", "\r")) else field for field in letter), url]


@contextmanager
def _letters(output: str | None) -> Iterator[_Letters]:
    """A file that was not there before, or standard output. A file goes again if its codes were certainly not issued, and only then."""
    with ExitStack() as stack:
        letters = _Letters(sys.stdout if output is None else stack.enter_context(_new_file(Path(output))))
        try:
            yield letters
        except BaseException:
            if letters.are_written:
                kept = output or "what was printed"
                say(
                    f"Keep {kept}: this ended while PostgreSQL was storing the codes in it, and whether it has is not certain. Call the same "
                    f"command again, with another file: whoever is in that one has the code there, everybody else the one in {kept}."
                )
            elif output is not None:
                Path(output).unlink(missing_ok=True)
            raise


def _new_file(path: Path) -> IO[str]:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except FileExistsError:
        raise UsageError(f"{path} is there already, and codes cannot be shown again: name a new file. None was issued.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}. No code was issued.") from error
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


def _tell(issued: int, election_id: str, arguments: argparse.Namespace) -> None:
    where = f" They are in {arguments.output}, which only you may read." if arguments.output and issued else ""
    if arguments.reissue is not None:
        say(f"{arguments.reissue} has a new voting code for {election_id}; the one before is void.{where.replace('They are', 'It is')}")
    elif issued:
        say(
            f"{issued:,} voting codes were issued for {election_id}.{where} They cannot be shown again; `--reissue VOTER_ID` replaces a lost one."
        )
    else:
        say(f"Everybody on the roll of {election_id} has a voting code, or nobody is on it. None was issued.")
