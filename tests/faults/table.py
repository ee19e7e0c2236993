"""What is printed at the end, and the exit code that follows from it."""

from collections.abc import Sequence

from faults.catalogue import FAULTS
from faults.suite import Played, say
from livetally.commands.output import print_table

RECOVERY_MAX_S = 30.0
COLUMNS = ("fault", "rounds", "times reached", "recovery s", "differences")


def report(played: Sequence[Played]) -> int:
    """Prints the table: the longest recovery of each fault, and all differences of the rounds in which it struck."""
    rows: list[tuple[object, ...]] = []
    wrong: list[str] = []
    names = {name: [one for one in played if name in one.faults] for name in [*FAULTS, *played[-1].faults]}
    for name, rounds in names.items():
        reached = sum(one.was_reached for one in rounds)
        recoveries = [one.recovery_s for one in rounds if one.was_reached]
        slowest = None if None in recoveries else max((one for one in recoveries if one is not None), default=0.0)
        differences = sum(len(one.differences) for one in rounds)
        rows.append((name, len(rounds), reached, "never" if slowest is None else f"{slowest:.1f}", differences))
        if reached < len(rounds):
            wrong.append(f"{name}: not reached")
        if slowest is None or slowest > RECOVERY_MAX_S:
            wrong.append(f"{name}: voting did not go on within {RECOVERY_MAX_S:.0f} s")
        if differences:
            wrong.append(f"{name}: {differences} differences")
        wrong += [f"{name}: {failure}" for one in rounds for failure in one.failures]
    print_table(COLUMNS, rows, frozenset(COLUMNS[1:]))
    if left_out := [name for name, rounds in names.items() if not rounds]:
        say(f"not drawn, more rounds would: {', '.join(left_out)}")
    for text in wrong:
        say(f"WRONG  {text}")
    total = sum(one.ballots for one in played[:-1])
    say(f"{len(played) - 1} rounds, {total:,} ballots: " + ("something is wrong." if wrong else "each decided once and published once."))
    return 1 if wrong else 0
