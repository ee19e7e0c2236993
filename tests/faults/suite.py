"""Round after round under load, each compared; at the end the whole ledger once more, the tally and the audit."""

import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from random import Random

from faults.ballots import mixture
from faults.catalogue import Round
from faults.ground import Ground
from faults.scene import Scene, StuckError
from livetally.adapters.cells import Cells
from livetally.audit.walk import audit
from livetally.core.tally import Cell
from pipeline import Pipeline, Spark, tally_all
from servers import Servers

PEOPLE = 1_500  # who can vote for the first time in one round
SHOWN_MAX = 8  # differences that are printed; all are counted
STUCK_MAX = 3  # rounds that did not come to their end; more would tell no more


@dataclass
class Played:
    """What came of one round."""

    faults: tuple[str, ...]
    was_reached: bool = False
    recovery_s: float | None = None  # None: never
    ballots: int = 0
    deaths: Counter[int] = field(default_factory=Counter)  # exit codes of recorders that ended unasked
    differences: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    took_s: float = 0.0

    def line(self) -> str:
        recovery = "did not recover" if self.recovery_s is None else f"recovered in {self.recovery_s:.1f} s"
        ended = f", exit codes {dict(self.deaths)}" if self.deaths else ""
        return f"{', '.join(self.faults)}: {self.ballots:,} ballots, {recovery}, {len(self.differences)} differences{ended} ({self.took_s:.1f} s)"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def play(scene: Scene, rounds: Sequence[Round], seed: int) -> list[Played]:
    """With a line for each round on standard error."""
    played: list[Played] = []
    for number, one in enumerate(rounds):
        played.append(_play(scene, one, number, Random(f"{seed} {number}")))
        say(f"round {number + 1} of {len(rounds)}: {played[-1].line()}")
        for text in (played[-1].differences + played[-1].failures)[:SHOWN_MAX]:
            say(f"    {text}")
        if sum(bool(one.failures) for one in played) >= STUCK_MAX:
            say(f"{STUCK_MAX} rounds have failed; the others are left out")
            break
    return played


def _play(scene: Scene, one: Round, number: int, random: Random) -> Played:
    played, began, cast_before = Played(one.faults), time.monotonic(), len(scene.voting.cast)
    scene.random = random
    scene.ground.register(range(number * PEOPLE, (number + 1) * PEOPLE))
    people = [f"v{person}" for person in range((number + 1) * PEOPLE)]
    try:
        scene.crew.fit(one.recorders)
        scene.voting.begin(mixture(Random(random.random()), people[number * PEOPLE :], people[: number * PEOPLE]))
        scene.await_recovery(0)
        moment = one.strike(scene)
        played.was_reached = True
        played.recovery_s = scene.await_recovery(moment)
        _come_to_rest(scene)
    except StuckError as failure:
        played.failures.append(str(failure))
        _give_up(scene)
    except Exception:  # noqa: BLE001 (the round has failed, and the table says why; the others can still tell something)
        played.failures.append(traceback.format_exc())
        _give_up(scene)
    played.ballots = len(scene.voting.cast) - cast_before
    played.differences = scene.books.compare(scene.witness.turn_the_page())
    played.deaths, played.failures = scene.crew.take_deaths(), [*played.failures, *scene.crew.take_faults(), *scene.voting.refused]
    played.took_s = time.monotonic() - began
    return played


def _come_to_rest(scene: Scene) -> None:
    scene.voting.end()
    scene.wait_for(lambda: scene.voting.is_delivered, "all ballots are cast")
    scene.wait_for(lambda: scene.books.cast_since == len(scene.witness.since.ballots), "all ballots are seen")
    scene.wait_for(lambda: not scene.witness.undecided, "all ballots are decided and published")
    scene.wait_for(lambda: scene.crew.has_settled, "all recorders are there that should be")
    for one in scene.crew.members:  # others may have taken over from one that hangs; it is wrong all the same
        scene.wait_for(one.has_gone_round, f"{one.name} goes on")


def _give_up(scene: Scene) -> None:
    """As a person would who sees that nothing goes on: end all recorders. That nothing was lost and nothing doubled must hold even so."""
    for proxy in (scene.broker_proxy, scene.postgres_proxy):
        proxy.release()
    scene.crew.kill_all()
    try:
        _come_to_rest(scene)
    except StuckError as failure:
        say(f"    and new recorders did not help: {failure}")


def finish(scene: Scene, ground: Ground) -> Played:
    """Everybody leaves; the whole ledger is compared again, all votes are tallied, and the audit looks at the same."""
    played, began = Played(("at the end: ledger, tally, audit",), recovery_s=0.0), time.monotonic()
    try:
        scene.crew.fit(0)
        scene.wait_for(lambda: scene.crew.has_settled, "all recorders leave")
        played.differences += scene.books.compare_ledger()
        played.differences += _tally_differs(ground, scene.books.cells)
        played.was_reached = True
    except Exception:  # noqa: BLE001 (likewise)
        played.failures.append(traceback.format_exc())
    played.failures += scene.crew.take_faults()
    played.ballots, played.took_s = len(scene.voting.cast), time.monotonic() - began
    return played


def _tally_differs(ground: Ground, expected: Counter[Cell]) -> list[str]:
    servers = Servers(ground.kafka, ground.database_url, ground.admin)
    with closing(Pipeline(servers, ground.database_url, ground.directory)) as pipeline, closing(Spark(ground.directory)) as spark:
        tally_all(pipeline, spark)
        cells = Cells(pipeline.connection)
        shown = cells.shown()
        assert shown is not None
        found = cells.cells(shown.number)
    report = audit(ground.kafka, ground.database_url)
    agreed = (report.ok, report.ballots, report.tallied) == (True, report.accepted + sum(report.rejected.values()), expected.total())
    return [
        *(
            f"tally: {cell} has {found.get(cell, 0)} instead of {expected[cell]}"
            for cell in sorted(expected.keys() | found.keys())
            if found.get(cell, 0) != expected[cell]
        ),
        *(f"audit: {difference}" for difference in report.differences),
        *([] if agreed else [f"audit: {report}"]),
    ]
