"""What can happen to a checkpoint, and to a count that another version of the program has made. Each must lead to a recount."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

from faults.ground import Ground
from livetally.adapters.topics import Topics
from livetally.core.tally import AGE_GROUPS, Cell
from livetally.core.wire import VOTES
from livetally.tally import checkpoint as ours

Harm = Callable[[Path, Ground], None]

SWAPPED = (*Cell._fields[:2], "city", "state", *Cell._fields[4:])
REDEFINED = tuple((lowest + 1 if lowest else 0, name) for lowest, name in AGE_GROUPS)


def lose(checkpoint: Path, _ground: Ground) -> None:
    shutil.rmtree(checkpoint)


def lose_offsets(checkpoint: Path, _ground: Ground) -> None:
    shutil.rmtree(checkpoint / "offsets")


def lose_newest(checkpoint: Path, _ground: Ground) -> None:
    """As a backup has it that was taken a while ago."""
    for folder in ("offsets", "commits"):
        for path in _numbered(checkpoint / folder)[-5:]:
            _replace(path, None)


def truncate_offsets(checkpoint: Path, _ground: Ground) -> None:
    """In the middle of a line, the checksum beside it gone."""
    newest = _numbered(checkpoint / "offsets")[-1]
    _replace(newest, newest.read_bytes()[:-9])


def lose_offsets_before(checkpoint: Path, _ground: Ground) -> None:
    """Of the batch before the newest, where Spark begins; or it is the newest that is stored."""
    _replace(_numbered(checkpoint / "offsets")[-2], None)


def truncate_metadata(checkpoint: Path, _ground: Ground) -> None:
    metadata = checkpoint / "metadata"
    _replace(metadata, metadata.read_bytes()[:-9])


def empty_commits(checkpoint: Path, _ground: Ground) -> None:
    _replace(_numbered(checkpoint / "commits")[-1], b"")


def overwrite_offsets(checkpoint: Path, _ground: Ground) -> None:
    """As a disk does it: the checksum beside it knows."""
    newest = _numbered(checkpoint / "offsets")[-1]
    newest.write_bytes(b"\x00" * newest.stat().st_size)


def make_foreign(checkpoint: Path, _ground: Ground) -> None:
    _replace(checkpoint / "fingerprint", b"of another count")


def swap_groups(checkpoint: Path, ground: Ground) -> None:
    """As if a version had counted here whose cells have city and state the other way round; Spark would not notice."""
    with patch.object(Cell, "_fields", SWAPPED):
        _make_by_another(checkpoint, ground, "UPDATE cells SET state = city, city = state")


def redefine_ages(checkpoint: Path, ground: Ground) -> None:
    """As if a version had counted here whose age groups begin a year later."""
    with patch.object(ours, "AGE_GROUPS", REDEFINED):
        _make_by_another(checkpoint, ground, "UPDATE cells SET age_group = 'another' WHERE age_group = '18-24'")


HARMS: dict[str, Harm] = {
    "checkpoint lost": lose,
    "checkpoint without offsets": lose_offsets,
    "checkpoint older": lose_newest,
    "checkpoint truncated": truncate_offsets,
    "checkpoint with a gap": lose_offsets_before,
    "checkpoint without identity": truncate_metadata,
    "checkpoint with empty commits": empty_commits,
    "checkpoint overwritten": overwrite_offsets,
    "checkpoint of another count": make_foreign,
    "groups swapped": swap_groups,
    "age groups redefined": redefine_ages,
}


def newest_checkpoint(checkpoints: Path) -> Path:
    return max(checkpoints.iterdir(), key=lambda path: int(path.name.rpartition("-")[2]))


def _make_by_another(checkpoint: Path, ground: Ground, change: str) -> None:
    """With the fingerprint that such a version would have, in both places where it is kept."""
    votes = Topics(ground.kafka).identity(VOTES)
    with closing(ground.connection()) as connection:
        (ledger_id,) = connection.execute("SELECT ledger_id::text FROM ledger_source").fetchone() or ("",)
        theirs = ours.fingerprint(votes.cluster_id, votes.topic_id, ledger_id)
        connection.execute(change)
        connection.execute("UPDATE tally_generations SET fingerprint = %s", (theirs,))
    _replace(checkpoint / "fingerprint", theirs.encode())


def _numbered(folder: Path) -> list[Path]:
    return sorted((path for path in folder.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))


def _replace(path: Path, content: bytes | None) -> None:
    path.with_name(f".{path.name}.crc").unlink(missing_ok=True)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
