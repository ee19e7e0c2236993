"""What Spark has counted and announced, held against what the plain Python tally counted along the way."""

import time
from collections.abc import Mapping
from contextlib import closing

from livetally.adapters.cells import Cells
from livetally.adapters.postgres import connect
from livetally.adapters.reading import Record, Tail
from livetally.adapters.rights import Rights
from livetally.audit.report import Report
from livetally.core.tally import VIEWS, Cell, Totals
from livetally.core.wire import VOTES, decode

PUBLISHED_WITHIN_S = 10.0  # the tally publishes a batch right after it stores it

Key = tuple[str, str, tuple[str, ...]]  # view, election, group
Version = tuple[int, int]  # generation and batch
NEVER: Version = (0, 0)


def audit_cells(report: Report, counted: Mapping[Cell, int], stored: Mapping[Cell, int]) -> None:
    for cell in sorted(counted.keys() | stored.keys()):
        if counted.get(cell, 0) != stored.get(cell, 0):
            where = f"cell {' · '.join(cell)}"
            report.differ(f"{where}: {VOTES} has {counted.get(cell, 0)} votes, the tally has {stored.get(cell, 0)}", cell.election_id)


def audit_topics(report: Report, bootstrap_servers: str, database_url: str, version: Version, changed: Version, expected: Totals) -> None:
    """Every announced total, at the version of the cut. A number that was stored after the cut is not judged.

    `changed`: the newest version that changed a number; a batch without votes announces nothing.
    """
    announced: dict[Key, tuple[Version, object]] = {}
    deadline = time.monotonic() + PUBLISHED_WITHIN_S
    with closing(Tail(bootstrap_servers, [view.topic for view in VIEWS])) as tail:
        while True:
            for record in tail.read(0.2):
                if (total := _announced(record)) is None:
                    report.differ(f"{record.topic}[{record.partition}] offset {record.offset}: a message that *tally* did not write")
                elif total[1] >= announced.get(total[0], (NEVER, None))[0]:
                    announced[total[0]] = total[1:]
            newest = max((said for said, _ in announced.values()), default=NEVER)
            if tail.caught_up and (newest >= changed or not expected):
                break
            if time.monotonic() > deadline:
                _explain_silence(report, database_url, newest, changed)
                return
    with closing(
        connect(database_url, "audit", Rights.LOOK)
    ) as later:  # outside of our transaction: batches are stored before they are announced
        shown = Cells(later).shown()
    stored = (shown.number, shown.batch) if shown else version
    for key in sorted(expected.keys() | announced.keys()):
        said, votes = announced.get(key, (NEVER, None))
        name = f"{key[0]} {' · '.join(key[2])} of {key[1]}"
        if said > stored:
            report.differ(
                f"{name}: announced at version {list(said)}, and the tally has stored {list(stored)}: it did not write that", key[1]
            )
        elif said <= version and votes != expected.get(key, 0):
            report.differ(f"{name}: announced are {votes}, the cells add up to {expected.get(key, 0)}", key[1])


def _explain_silence(report: Report, database_url: str, newest: Version, changed: Version) -> None:
    """A batch is stored and not announced. Where no tally runs, the next one will do it first: that is lag."""
    with closing(connect(database_url, "audit", Rights.LOOK)) as connection:
        if Cells(connection).is_being_counted():
            report.differ(f"the aggregated topics are at version {list(newest)}, the tally has stored {list(changed)}")
        else:
            report.unannounced = True


def _announced(record: Record) -> tuple[Key, Version, object] | None:
    """Which total a message announces, its version and number; None if it is no message of the tally's."""
    view = next(view for view in VIEWS if view.topic == record.topic)
    try:
        value = decode(record.value or b"")
        key = (view.name, str(value["election_id"]), tuple(str(value[name]) for name in view.group))
        return key, (int(value["version"][0]), int(value["version"][1])), value[view.total]
    except (ValueError, KeyError, TypeError, IndexError):
        return None
