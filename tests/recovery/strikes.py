"""What each fault does. Every function strikes while votes flow and returns the moment at which the cause of the trouble was over."""

import time
from collections.abc import Sequence
from contextlib import closing
from signal import Signals

from faults.proxy import Proxy
from livetally.tally.points import Point
from recovery.counter import Act, Order
from recovery.harms import Harm, lose, newest_checkpoint
from recovery.place import Process
from recovery.scene import Scene
from recovery.snapshot import snapshot

AT_START = frozenset(  # of every start
    {Point.NEWEST_KNOWN, Point.BEFORE_PUBLISHER, Point.BEFORE_TOTALS_AGAIN, Point.AFTER_TOTALS_AGAIN, Point.BEFORE_QUERY}
)
OF_A_RECOUNT = frozenset({Point.BEFORE_GENERATION, Point.GENERATION_BEGUN, Point.CHECKPOINT_BEGUN, Point.BEFORE_SHOW, Point.AFTER_SHOW})
BURST = 500
NTH_MAX = 3  # a point strikes when it is reached for the first to the third time
STARTING_S = 8.0  # from its beginning to its first batch
RECOUNT_BATCHES = 3  # so many at least, for something to happen in between
RECOUNT_VOTES_MIN = 500
GONE_S = (15.0, 60.0)
BRIEFLY_GONE_S = (5.0,)
GIVES_UP_WITHIN_S = 60.0
WAITING = ("trying again; nothing is lost", "waiting for it, nothing is lost")


def kill_at(scene: Scene, point: Point) -> float:
    before = scene.watcher.version[0]
    victim, order = _order(scene, point, scene.random.choice((Act.KILL, Act.KILL_ALL)))
    moment = _done(scene, victim, order)
    if point in OF_A_RECOUNT:
        scene.wait_for(lambda: scene.watcher.version[0] > before, "a recount is shown")
    return moment


def kill_anywhere(scene: Scene) -> float:
    scene.voting.burst(BURST)
    scene.go_on_for(scene.random.uniform(0, 0.5))
    _kill(scene)
    return time.time()


def kill_while_starting(scene: Scene) -> float:
    """It is dead, and so is its successor soon after."""
    _kill(scene)
    scene.voting.burst(BURST)
    scene.go_on_for(scene.random.uniform(0, STARTING_S))
    _kill(scene)
    return time.time()


def kill_while_recounting(scene: Scene) -> float:
    before = scene.watcher.version[0]
    _strike_checkpoint(scene, lose)
    order = Order(Point.BEFORE_COLLECT, scene.random.randint(1, RECOUNT_BATCHES), Act.KILL)
    moment = _done(scene, _recount(scene, order), order)
    scene.wait_for(lambda: scene.watcher.version[0] > before, "a recount is shown")
    return moment


def kill_java(scene: Scene) -> float:
    """Python lives on, and finds that Spark has gone."""
    scene.voting.burst(BURST)
    scene.go_on_for(scene.random.uniform(0, 0.5))
    scene.tally.current.kill_java()
    return time.time()


def harm_checkpoint(scene: Scene, harm: Harm) -> float:
    """Between a kill and the next start."""
    before = scene.watcher.version[0]
    _strike_checkpoint(scene, harm)
    _recount(scene, None)
    moment = time.time()
    scene.wait_for(lambda: scene.watcher.version[0] > before, "a recount is shown")
    return moment


def sleep_at(scene: Scene, point: Point) -> float:
    """It is stopped, its successor takes over and counts everything; then it wakes, and nothing may change."""
    sleeper, order = _order(scene, point, Act.STOP)
    asleep_at = _done(scene, sleeper, order, is_deadly=False)
    scene.wait_for(lambda: sleeper.is_asleep, f"{sleeper.name} is stopped")
    scene.tally.succeed()
    scene.voting.burst(BURST)
    taken_over_s = scene.await_recovery(asleep_at)
    scene.come_to_rest()
    scene.await_registered()
    before = snapshot(scene)
    sleeper.send_all(Signals.SIGCONT)
    scene.wait_for(lambda: sleeper.process.poll() is not None, f"{sleeper.name} finds that another has taken over", GIVES_UP_WITHIN_S)
    after = snapshot(scene)
    scene.noted += [
        f"{sleeper.name}, awake, changed {what}" for what in sorted(before.keys() | after.keys()) if before.get(what) != after.get(what)
    ]
    return time.time() - taken_over_s


def keep_away(scene: Scene, service: str, gone_s: Sequence[float]) -> float:
    """The service is killed, and stays away for one of these times."""
    scene.voting.burst(BURST)
    scene.services_stay_away = True
    scene.ground.send(service, Signals.SIGKILL)
    teller = scene.tally.current
    said = len(teller.log())
    scene.go_on_for(scene.random.choice(gone_s))
    scene.services_stay_away = False
    scene.wait_for(lambda: scene.ground.answers(service), f"{service} answers again")
    moment = time.time()
    if not any(words in teller.log()[said:] for words in WAITING):
        scene.noted.append(f"{service} was away, and the tally did not say that it waits")
    return moment


def terminate_backends(scene: Scene) -> float:
    """PostgreSQL throws the tally out."""
    scene.voting.burst(BURST)
    scene.go_on_for(scene.random.uniform(0, 0.3))
    with closing(scene.ground.connection()) as connection:
        thrown_out = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'livetally tally%'"
        ).fetchall()
    assert (True,) in thrown_out
    return time.time()


def cut_answer(scene: Scene, proxy: Proxy, point: Point) -> float:
    """A commit is done, and its answer never comes: the connection ends. The trap is set while the tally stands right before its commit."""
    order = Order(point, scene.random.randint(1, NTH_MAX), Act.WAIT)
    scene.tally.current.order(order)
    scene.voting.burst(BURST)
    _done(scene, scene.tally.current, order, is_deadly=False)
    proxy.cut()
    scene.tally.current.go()
    scene.wait_for(proxy.caught.is_set, "the answer to a commit is lost")
    return time.time()


def _order(scene: Scene, point: Point, act: Act) -> tuple[Process, Order]:
    """Who will come to this point, and what it is to do there: whoever counts, or, where the point is one of a start, a successor."""
    order = Order(point, 1 if point in AT_START | OF_A_RECOUNT else scene.random.randint(1, NTH_MAX), act)
    if point in OF_A_RECOUNT:
        _strike_checkpoint(scene, lose)
        return _recount(scene, order), order
    if point in AT_START:
        scene.tally.end_all()
        scene.tally.succeed(order)
    else:
        scene.tally.current.order(order)
    scene.voting.burst(BURST)
    return scene.tally.current, order


def _kill(scene: Scene) -> None:
    """Python, and perhaps its Java with it."""
    victim = scene.tally.current
    scene.random.choice((victim.send, victim.send_all))(Signals.SIGKILL)
    scene.wait_for(lambda: scene.tally.current is not victim, f"{victim.name} is dead and succeeded")


def _strike_checkpoint(scene: Scene, harm: Harm) -> None:
    """Nobody counts meanwhile."""
    scene.voting.burst(BURST)
    scene.tally.end_all()
    harm(newest_checkpoint(scene.checkpoints), scene.ground)


def _recount(scene: Scene, order: Order | None) -> Process:
    """Begin, with batches that leave something to happen in between and come to an end all the same."""
    scene.tally.votes_min = max(RECOUNT_VOTES_MIN, scene.ledger.votes // RECOUNT_BATCHES)
    scene.tally.succeed(order, scene.tally.votes_min)
    return scene.tally.current


def _done(scene: Scene, process: Process, order: Order, *, is_deadly: bool = True) -> float:
    """When it carried the order out."""
    scene.wait_for(lambda: process.done_at(order) is not None, f"{process.name} reaches {order.point}")
    if is_deadly:
        scene.wait_for(lambda: scene.tally.current is not process, f"{process.name} is dead and succeeded")
    return process.done_at(order) or 0.0
