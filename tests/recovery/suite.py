"""Round after round while votes flow, each compared when it has come to rest; at the end once more by somebody who comes late."""

import time
import traceback
from collections.abc import Sequence
from random import Random

from faults.ballots import mixture
from faults.scene import StuckError
from faults.suite import SHOWN_MAX, STUCK_MAX, Played, say
from livetally.audit.walk import audit
from recovery.catalogue import FAULTS, Strike
from recovery.comparison import compare, compare_anew
from recovery.scene import Scene

PEOPLE = 900  # who can vote for the first time in one round
ROUNDS_REGISTERED = 10  # at once: each time, Spark has to find out again who is registered where
AT_THE_END = "at the end: topics from the beginning, tables, audit"


def play(scene: Scene, rounds: Sequence[str], seed: int) -> list[Played]:
    """With a line for each round on standard error."""
    played: list[Played] = []
    for number, fault in enumerate(rounds):
        played.append(_play(scene, fault, FAULTS[fault], number, Random(f"{seed} {number}")))
        _tell(f"round {number + 1} of {len(rounds)}", played[-1])
        if sum(bool(one.failures) for one in played) >= STUCK_MAX:
            say(f"{STUCK_MAX} rounds have failed; the others are left out")
            break
    played.append(_finish(scene))
    _tell("last", played[-1])
    return played


def _play(scene: Scene, fault: str, strike: Strike, number: int, random: Random) -> Played:
    played, began, cast_before = Played((fault,)), time.monotonic(), len(scene.voting.cast)
    scene.random = random
    if number % ROUNDS_REGISTERED == 0:
        scene.ground.register(range(number * PEOPLE, (number + ROUNDS_REGISTERED) * PEOPLE))
    people = [f"v{person}" for person in range((number + 1) * PEOPLE)]
    try:
        scene.crew.fit(1)
        scene.voting.begin(mixture(Random(random.random()), people[number * PEOPLE :], people[: number * PEOPLE]))
        scene.await_counting()
        moment = strike(scene)
        played.was_reached = True
        played.recovery_s = scene.await_recovery(moment)
        scene.tally.prepare()
        scene.come_to_rest()
        played.differences += compare(scene.ledger, scene.watcher)
    except StuckError as failure:
        played.failures.append(str(failure))
        _give_up(scene)
    except Exception:  # noqa: BLE001 (the round has failed, and the table says why; the others can still tell something)
        played.failures.append(traceback.format_exc())
        _give_up(scene)
    scene.turn_the_page()
    scene.tally.votes_min = 0
    _take_notes(scene, played)
    played.ballots, played.took_s = len(scene.voting.cast) - cast_before, time.monotonic() - began
    return played


def _take_notes(scene: Scene, played: Played) -> None:
    played.differences += [*scene.watcher.take_faults(), *scene.noted]
    scene.noted.clear()
    played.deaths = scene.tally.take_deaths()
    played.failures += [*scene.tally.take_faults(), *scene.crew.take_faults(), *scene.voting.refused]


def _give_up(scene: Scene) -> None:
    """As a person would who sees that nothing goes on: end it, and see that nothing is lost or counted twice even so."""
    scene.services_stay_away = False
    for proxy in (scene.to_broker, scene.to_postgres):
        proxy.release()
    scene.tally.end_all()
    scene.tally.succeed()
    try:
        scene.come_to_rest()
        for text in compare(scene.ledger, scene.watcher)[:SHOWN_MAX]:
            say(f"    {text}")
    except StuckError as failure:
        say(f"    and a new tally did not help: {failure}")


def _finish(scene: Scene) -> Played:
    """The tally leaves; the topics are read from the beginning, and the audit looks at the same."""
    played, began = Played((AT_THE_END,), recovery_s=0.0), time.monotonic()
    try:
        if (code := scene.tally.retire()) != 0:
            played.failures.append(f"told to leave, the tally ended with exit code {code}:{scene.tally.said()}")
        played.differences += compare_anew(scene.ground.kafka, scene.ledger)
        report = audit(scene.ground.kafka, scene.ground.database_url)
        played.differences += [f"audit: {difference}" for difference in report.differences]
        if (report.ok, report.tallied, report.behind) != (True, scene.ledger.votes, 0):
            played.differences.append(f"audit: {report}")
        played.was_reached = True
    except Exception:  # noqa: BLE001 (likewise)
        played.failures.append(traceback.format_exc())
    _take_notes(scene, played)
    played.ballots, played.took_s = len(scene.voting.cast), time.monotonic() - began
    return played


def _tell(where: str, played: Played) -> None:
    say(f"{where}: {played.line()}")
    for text in (played.differences + played.failures)[:SHOWN_MAX]:
        say(f"    {text}")
