"""`run --fresh`: delete what a data directory holds, after saying what, and never a real election."""

import shutil
from contextlib import closing
from pathlib import Path

from livetally.adapters.postgres import connect, explained, has_schema
from livetally.adapters.rights import Rights
from livetally.adapters.roll import Roll
from livetally.commands.backing import kafka_answers
from livetally.commands.output import say
from livetally.core.elections import Election
from livetally.core.errors import ElectionError, UsageError
from livetally.embedded import placing
from livetally.embedded.datadir import LAYOUT_FILE
from livetally.embedded.services import DATABASE, Services
from livetally.settings import Settings

KEPT = frozenset({"logs", "ports.json", "java", "endpoints", LAYOUT_FILE, "lock"})  # no data of any election


def delete_all(settings: Settings) -> None:
    """Raises ElectionError, and deletes nothing, where a real election lies."""
    if settings.kafka_bootstrap_servers is not None or settings.database_url is not None:
        raise UsageError(
            "--fresh deletes only what livetally itself keeps, and here Kafka or PostgreSQL is somebody else's "
            "(LIVETALLY_KAFKA_BOOTSTRAP_SERVERS, LIVETALLY_DATABASE_URL). Empty those with their own tools."
        )
    data_dir = settings.data_dir.resolve()
    if not (data_dir / LAYOUT_FILE).exists():
        return
    elections = _elections(settings, data_dir)
    if real := next((one for one in elections if not one.simulated), None):
        raise ElectionError(
            f"{real.election_id!r} ({real.name}) in {data_dir} is a real election; --fresh does not delete it. "
            "Use another directory for simulations (LIVETALLY_DATA_DIR), or delete this one by hand if you are sure."
        )
    doomed = sorted(entry for entry in data_dir.iterdir() if entry.name not in KEPT)
    names = ", ".join(one.name for one in reversed(elections)) or "no election"
    say(f"--fresh deletes what {data_dir} holds: {names}; {', '.join(entry.name for entry in doomed)}")
    placing.remove(data_dir)
    for entry in doomed:
        _delete(entry)


def _elections(settings: Settings, data_dir: Path) -> list[Election]:
    """What the database says, the newest first. It has to run for that: nothing else knows for sure."""
    if not (placing.database_directory(data_dir) / "data").exists():
        return []
    with (
        Services(settings, kafka_probe=kafka_answers, on_event=say, needs=frozenset({DATABASE}), is_exclusive=True) as services,
        closing(connect(services.database_url, "fresh", Rights.LOOK)) as connection,
        explained(services.database_url),
    ):
        return Roll(connection).elections() if has_schema(connection) else []


def _delete(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)
