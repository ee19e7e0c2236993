"""Everything that a tally can change: its tables, its topics, its checkpoint."""

import hashlib
from contextlib import closing
from pathlib import Path

from livetally.core.wire import ALERTS
from outsider import bounds_of, plain_consumer
from recovery.scene import Scene
from recovery.views import TOPICS

TABLES = ("cells", "group_totals", "history", "tally_positions", "tally_generations", "registered_groups", "alerts", "judged")
SAME_AGAIN_S = 0.5  # Spark writes to its checkpoint a moment after the last total is published

Snapshot = dict[str, object]


def snapshot(scene: Scene) -> Snapshot:
    """Taken again until two in a row are the same: of what is at rest."""
    taken = [_taken(scene)]

    def is_settled() -> bool:
        scene.go_on_for(SAME_AGAIN_S)
        taken.append(_taken(scene))
        return taken[-1] == taken[-2]

    scene.wait_for(is_settled, "nothing changes any more")
    return taken[-1]


def _taken(scene: Scene) -> Snapshot:
    found: Snapshot = {}
    for table in TABLES:
        rows = scene.ledger.connection.execute(f"SELECT t::text FROM {table} t ORDER BY 1").fetchall()
        found[f"table {table}"] = hashlib.sha256(repr(rows).encode()).hexdigest()
    with closing(plain_consumer(scene.ground.kafka, "read_uncommitted")) as reader:  # what is written and never committed counts too
        found |= {f"topic {topic}": bounds_of(reader, topic, 0)[1] for topic in (*TOPICS, ALERTS)}
    for path in sorted(scene.checkpoints.rglob("*")):
        if path.is_file() and not _is_scratch(path):
            found[f"checkpoint {path.relative_to(scene.checkpoints)}"] = path.read_bytes()
    return found


def _is_scratch(path: Path) -> bool:
    """Spark writes a file of its log beside the log and then renames it. One that wakes too late cannot; what it wrote is left, and read by nobody."""
    return path.name.startswith(".") and path.name.endswith((".tmp", ".tmp.crc"))
