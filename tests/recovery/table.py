"""What is printed at the end, and the exit code that follows from it."""

import signal
from collections.abc import Sequence

from faults.suite import Played, say
from faults.table import COLUMNS
from livetally.commands.output import print_table
from recovery.catalogue import FAULTS

# On two cores that have everything else to do besides, Spark takes ten seconds to its first batch, and a recount takes all votes again.
RECOVERY_MAX_S = 60.0


def report(played: Sequence[Played], messages: int) -> int:
    """Prints the table: the longest recovery of each fault. 1 if anything is wrong."""
    rows: list[tuple[object, ...]] = []
    wrong: list[str] = []
    for name in dict.fromkeys(fault for one in played for fault in one.faults):
        rounds = [one for one in played if name in one.faults]
        reached = sum(one.was_reached for one in rounds)
        recoveries = [one.recovery_s for one in rounds if one.was_reached]
        slowest = None if None in recoveries else max((one for one in recoveries if one is not None), default=0.0)
        differences = sum(len(one.differences) for one in rounds)
        rows.append((name, len(rounds), reached, "never" if slowest is None else f"{slowest:.1f}", differences))
        if reached < len(rounds):
            wrong.append(f"{name}: not reached")
        if slowest is None or slowest > RECOVERY_MAX_S:
            wrong.append(f"{name}: the count did not go on within {RECOVERY_MAX_S:.0f} s")
        if differences:
            wrong.append(f"{name}: {differences} differences")
        wrong += [f"{name}: {failure}" for one in rounds for failure in one.failures]
    print_table(COLUMNS, rows, frozenset(COLUMNS[1:]))
    if left_out := [name for name in FAULTS if not any(name in one.faults for one in played)]:
        say(f"not drawn, more rounds would: {', '.join(left_out)}")
    for text in wrong:
        say(f"WRONG  {text}")
    killed = sum(one.deaths[-signal.SIGKILL] for one in played)
    judged = f"{len(played) - 1} rounds, {killed} tallies killed, {played[-1].ballots:,} ballots, {messages:,} totals seen"
    say(f"{judged}: " + ("something is wrong." if wrong else "every vote counted once, and no total ever wrong."))
    return 1 if wrong else 0
