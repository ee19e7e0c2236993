"""Every fault by name, and the rounds that are made of them."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice, zip_longest
from random import Random

from faults.ground import BROKER, POSTGRES
from livetally.tally.points import Point
from recovery import strikes
from recovery.harms import HARMS
from recovery.scene import Scene

Strike = Callable[[Scene], float]

KILLS: dict[str, Strike] = {f"killed at {point}": partial(strikes.kill_at, point=point) for point in Point} | {
    "killed anywhere": strikes.kill_anywhere,
    "killed while it starts": strikes.kill_while_starting,
    "killed while it recounts": strikes.kill_while_recounting,
    "Java killed": strikes.kill_java,
}
ASLEEP = (
    Point.NEWEST_KNOWN,
    Point.GENERATION_BEGUN,
    Point.BEFORE_PUBLISHER,
    Point.BEFORE_QUERY,
    Point.AFTER_COLLECT,
    Point.BEFORE_STORE_COMMIT,
    Point.AFTER_STORE_COMMIT,
    Point.BEFORE_PUBLISH_COMMIT,
    Point.AFTER_PUBLISH,
)
OTHERS: dict[str, Strike] = {
    **{name: partial(strikes.harm_checkpoint, harm=harm) for name, harm in HARMS.items()},
    **{f"asleep at {point}": partial(strikes.sleep_at, point=point) for point in ASLEEP},
    "Kafka away": partial(strikes.keep_away, service=BROKER, gone_s=strikes.GONE_S),
    "Kafka away briefly": partial(strikes.keep_away, service=BROKER, gone_s=strikes.BRIEFLY_GONE_S),
    "PostgreSQL away": partial(strikes.keep_away, service=POSTGRES, gone_s=strikes.GONE_S),
    "PostgreSQL away briefly": partial(strikes.keep_away, service=POSTGRES, gone_s=strikes.BRIEFLY_GONE_S),
    "PostgreSQL ends sessions": strikes.terminate_backends,
    "answer to store commit lost": lambda scene: strikes.cut_answer(scene, scene.to_postgres, Point.BEFORE_STORE_COMMIT),
    "answer to publish commit lost": lambda scene: strikes.cut_answer(scene, scene.to_broker, Point.BEFORE_PUBLISH_COMMIT),
}
FAULTS = KILLS | OTHERS
MUST_HAVES = (  # one of each kind, the most dangerous: what every change is held against
    f"killed at {Point.AFTER_STORE_COMMIT}",
    "groups swapped",
    f"killed at {Point.AFTER_PUBLISH}",
    "PostgreSQL away briefly",
    f"asleep at {Point.AFTER_STORE_COMMIT}",
)


def chosen(seed: int, count: int | None, only: str | None) -> list[str]:
    """So many faults, kills and others in turn, each in an order of its own. Without a count: every fault once."""
    random = Random(seed)
    if only is not None:
        return [only] * (count or 1)
    return list(islice(_endless(random), len(FAULTS) if count is None else count))


def _endless(random: Random) -> Iterator[str]:
    """Every fault once, then again."""
    while True:
        kills, others = list(KILLS), list(OTHERS)
        random.shuffle(kills)
        random.shuffle(others)
        yield from (name for name in chain.from_iterable(zip_longest(kills, others)) if name is not None)
