"""Every fault by name, and the rounds that are made of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from random import Random
from signal import Signals

from faults import strikes
from faults.ground import BROKER, POSTGRES
from faults.scene import Scene
from livetally.record.points import Point

Strike = Callable[[Scene], float]
PAIR = 2
RECORDERS = (1, 2, 2, 3)  # at the beginning of a round
ANYWHERE = "asleep anywhere"

KILLED = {f"killed at {point}": point for point in Point}
ASLEEP: dict[str, Point | None] = {
    f"asleep at {point}": point for point in (Point.BEFORE_LEDGER_COMMIT, Point.AFTER_LEDGER_COMMIT, Point.BEFORE_TRANSACTION_COMMIT)
} | {ANYWHERE: None}
OTHERS: dict[str, Strike] = {
    "killed anywhere": strikes.kill_anywhere,
    "recorders come and go": strikes.come_and_go,
    "PostgreSQL restarted": partial(strikes.end_service, service=POSTGRES, number=Signals.SIGINT),
    "PostgreSQL killed": partial(strikes.end_service, service=POSTGRES, number=Signals.SIGKILL),
    "PostgreSQL ends sessions": strikes.terminate_backends,
    "broker restarted": partial(strikes.end_service, service=BROKER, number=Signals.SIGTERM),
    "broker killed": partial(strikes.end_service, service=BROKER, number=Signals.SIGKILL),
    "group offsets at zero": partial(strikes.forge_positions, where="zero"),
    "group offsets at the end": partial(strikes.forge_positions, where="end"),
    "group offsets deleted": partial(strikes.forge_positions, where="deleted"),
    "answer to Kafka commit late": lambda scene: strikes.hold_answer(scene, scene.broker_proxy, Point.BEFORE_TRANSACTION_COMMIT),
    "answer to Kafka commit lost": lambda scene: strikes.cut_answer(scene, scene.broker_proxy, Point.BEFORE_TRANSACTION_COMMIT),
    "answer to ledger commit late": lambda scene: strikes.hold_answer(scene, scene.postgres_proxy, Point.BEFORE_LEDGER_COMMIT),
    "answer to ledger commit lost": lambda scene: strikes.cut_answer(scene, scene.postgres_proxy, Point.BEFORE_LEDGER_COMMIT),
}
FAULTS = (*KILLED, *ASLEEP, *OTHERS)


@dataclass(frozen=True)
class Round:
    """Faults that strike together, each another recorder, and how many recorders there are to begin with."""

    faults: tuple[str, ...]
    strike: Strike
    recorders: int


def chosen(seed: int, count: int | None, only: str | None) -> list[Round]:
    """So many rounds: every fault once, in an order of its own, then again. Without a count: every fault once, two at once where they can."""
    if count is None and only is None:
        return _every_fault(Random(seed), at_once=PAIR)
    rounds = (one for one in _endless(Random(seed)) if only in (None, *one.faults))
    return list(islice(rounds, count or 1))


def _endless(random: Random) -> Iterator[Round]:
    at_once = 1
    while True:
        yield from _every_fault(random, at_once)
        at_once = random.choice((1, PAIR))


def _every_fault(random: Random, at_once: int) -> list[Round]:
    rounds = [
        *(
            _round(random, names, partial(strikes.kill_at, points=[KILLED[one] for one in names]))
            for names in _groups(random, KILLED, at_once)
        ),
        *(
            _round(random, names, partial(strikes.sleep_at, points=[ASLEEP[one] for one in names]))
            for names in _groups(random, ASLEEP, at_once)
        ),
        *(_round(random, (name,), strike) for name, strike in OTHERS.items()),
    ]
    random.shuffle(rounds)
    return rounds


def _groups(random: Random, names: Iterable[str], size: int) -> list[tuple[str, ...]]:
    order = list(names)
    random.shuffle(order)
    # Of those that are stopped, one that sleeps anywhere comes last: the others are where they are by order.
    return [tuple(sorted(order[first : first + size], key=lambda name: name == ANYWHERE)) for first in range(0, len(order), size)]


def _round(random: Random, names: tuple[str, ...], strike: Strike) -> Round:
    return Round(names, strike, max(len(names), random.choice(RECORDERS)))
