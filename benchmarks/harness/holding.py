"""How a benchmark is held from its options to its exit code: services of its own, what is said at the end, the document or the table."""

import argparse
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.database import owner
from harness.machine import machine
from harness.report import Row, print_rows
from harness.saying import Phases, say
from harness.stand import Stand, stand
from livetally.commands.output import print_json
from livetally.core.errors import LivetallyError

DISTURBED_SHARE = 0.1  # of all cores; the kernel, writing to the disk, is among those others
EXIT_WRONG, EXIT_INTERRUPTED = 1, 130

Result = dict[str, Any]
Rows = Callable[[Mapping[str, Any]], Iterable[Row]]
Measure = Callable[[Stand, Phases], tuple[Result, float]]  # the document, and the largest share of the machine that others used


def hold(name: str, options: argparse.Namespace, bytes_needed: int, needs: frozenset[str], measure: Measure, rows: Rows) -> int:
    """On services in an empty directory, deleted afterwards. The exit code."""
    phases = Phases()
    try:
        with stand(options.dir, bytes_needed, needs) as on:
            with owner(on.roll_url) as connection:
                about = machine(connection, on.database_directory)
            found, others = measure(on, phases)
    except LivetallyError as error:
        say(f"bench {name}: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    if others > DISTURBED_SHARE:
        say(
            f"Others used {others:.0%} of this machine meanwhile: what it cost is true, rates and times only hint. Repeat it on a quiet one."
        )
    sizes = vars(options) | {"dir": None} | found.get("sizes", {})
    return tell(found | {"sizes": sizes, "machine": about, "phases_s": phases.seconds}, rows, as_json=options.json)


def tell(result: Result, rows: Rows, *, as_json: bool) -> int:
    """Exit code 1 if something is wrong: fast and wrong is worth nothing."""
    for fault in result["faults"]:
        say(f"WRONG: {fault}")
    if as_json:
        print_json(result)
    else:
        print_rows(rows(result))
    return EXIT_WRONG if result["faults"] else 0
