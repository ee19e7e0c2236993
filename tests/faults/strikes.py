"""What each fault does. Every function strikes under load and returns the moment at which the cause of the trouble was over."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from signal import Signals

import psutil
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from faults.crew import Recorder
from faults.proxy import Proxy
from faults.recorder import Act
from faults.scene import Scene
from livetally.adapters.kafka import SESSION_TIMEOUT_MS, TRANSACTION_TIMEOUT_MS
from livetally.core.wire import BALLOTS
from livetally.record.intake import GROUP
from livetally.record.points import Point
from livetally.record.publish import transactional_id
from outsider import bounds_of, plain_consumer
from pipeline import PARTITIONS

BURST = 400
NTH_MAX = 4  # a point strikes when it is reached for the first to the fourth time
ASLEEP_S = 1.5 + max(SESSION_TIMEOUT_MS, TRANSACTION_TIMEOUT_MS) / 1000
HELD_S = (1.0, 3.0, 2.0 + SESSION_TIMEOUT_MS / 1000)
RECORDERS_MAX = 4
STEPS = 6
ADMIN_TIMEOUT_S = 5.0
FENCED_WITHIN_S = 30.0
FENCED_AGAIN_AFTER_S = 3.0 + SESSION_TIMEOUT_MS / 1000  # by then partitions of somebody who was killed have found their new owner
FENCINGS_MAX = 5
RENEWED = (Point.BEFORE_PRODUCER_RENEWED, Point.AFTER_PRODUCER_RENEWED)


def kill_at(scene: Scene, points: Sequence[Point]) -> float:
    """Recorders kill themselves with SIGKILL, each at its point."""
    return _order_and_wait(scene, points, Act.KILL)


def kill_anywhere(scene: Scene) -> float:
    scene.voting.burst(BURST)
    scene.go_on_for(scene.random.uniform(0, 0.5))
    scene.random.choice(scene.crew.members).send(Signals.SIGKILL)
    return time.time()


def sleep_at(scene: Scene, points: Sequence[Point | None]) -> float:
    """Recorders are stopped for longer than their session and their transaction last; others take over; then they wake."""
    sleepers = scene.crew.members[: len(points)]
    named = [point for point in points if point is not None]
    asleep_at = _order_and_wait(scene, named, Act.STOP)
    if len(named) < len(points):
        scene.go_on_for(scene.random.uniform(0, 0.5))
        sleepers[-1].send(Signals.SIGSTOP)
        asleep_at = time.time()
    for sleeper in sleepers:
        _await_sleep(scene, sleeper)
        scene.crew.add()
    scene.voting.burst(BURST)
    scene.await_recovery(asleep_at)
    scene.go_on_until(asleep_at + ASLEEP_S)
    waking = [(sleeper, sleeper.order(Point.BEFORE_CONSUME, Act.NOTE)) for sleeper in sleepers]
    for sleeper in sleepers:
        sleeper.send(Signals.SIGCONT)
    scene.voting.burst(BURST)
    for sleeper, order in waking:
        _done(scene, sleeper, order, f"{sleeper.name} wakes and goes on")
    return asleep_at


def end_service(scene: Scene, service: str, number: Signals) -> float:
    """The supervisor brings it back."""
    scene.voting.burst(BURST)
    scene.go_on_for(scene.random.uniform(0, 0.3))
    before = scene.ground.pid_of(service)
    scene.ground.send(service, number)
    scene.wait_for(lambda: scene.ground.pid_of(service) not in (None, before), f"{service} is started again")
    scene.wait_for(lambda: scene.ground.answers(service), f"{service} answers again")
    return time.time()


def terminate_backends(scene: Scene) -> float:
    """PostgreSQL throws recorders out: one of their sessions, or all."""
    scene.voting.burst(BURST)
    scene.go_on_for(scene.random.uniform(0, 0.3))
    limit = scene.random.choice((1, None))
    with closing(scene.ground.connection()) as connection:
        thrown_out = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'livetally record%%' LIMIT %s) AS chosen",
            (limit,),
        ).fetchall()
    assert (True,) in thrown_out
    return time.time()


def come_and_go(scene: Scene) -> float:
    """Up to four recorders share the partitions; some are added, some told to leave, some killed."""
    crew, random = scene.crew, scene.random
    for _ in range(STEPS):
        scene.voting.burst(BURST // 4)
        scene.go_on_for(random.uniform(0.2, 1.5))
        count = len(crew.members)
        match random.choice(("add", "leave", "kill")) if 1 < count < RECORDERS_MAX else ("leave" if count > 1 else "add"):
            case "add":
                crew.add()
            case "leave":
                crew.retire(random.choice(crew.members))
            case _:
                random.choice(crew.members).send(Signals.SIGKILL)
    return time.time()


def forge_positions(scene: Scene, where: str) -> float:
    """While no recorder runs, the group's positions become zero, the end, or are deleted as if they had expired."""
    count = len(scene.crew.members)
    scene.crew.fit(0)
    scene.wait_for(lambda: scene.crew.has_settled, "all recorders have left")
    scene.voting.burst(BURST)
    cast = scene.books.cast_since
    scene.wait_for(lambda: len(scene.witness.since.ballots) >= cast, "ballots lie there undecided")
    scene.wait_for(lambda: _forge(scene.ground.kafka, where), "the group's positions are forged")
    scene.crew.fit(count)
    return time.time()


def _forge(kafka: str, where: str) -> bool:
    """With a client of its own: one that has seen the broker go may wait for it in vain."""
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    try:
        if where == "deleted":
            admin.delete_consumer_groups([GROUP], request_timeout=ADMIN_TIMEOUT_S)[GROUP].result()
            return True
        with closing(plain_consumer(kafka)) as reader:
            ends = {partition: bounds_of(reader, BALLOTS, partition)[1] for partition in range(PARTITIONS)}
        positions = [TopicPartition(BALLOTS, partition, end if where == "end" else 0) for partition, end in ends.items()]
        wanted = [ConsumerGroupTopicPartitions(GROUP, positions)]
        (changed,) = admin.alter_consumer_group_offsets(wanted, request_timeout=ADMIN_TIMEOUT_S).values()
        return all(one.error is None for one in changed.result().topic_partitions)
    except KafkaException:
        return False  # the caller asks again, for a while


def hold_answer(scene: Scene, proxy: Proxy, point: Point) -> float:
    """A commit is done, and its answer comes late."""
    _lose_answer(scene, proxy, proxy.hold, point)
    scene.go_on_for(scene.random.choice(HELD_S))
    proxy.release()
    return time.time()


def cut_answer(scene: Scene, proxy: Proxy, point: Point) -> float:
    """A commit is done, and its answer never comes: the connection ends."""
    _lose_answer(scene, proxy, proxy.cut, point)
    return time.time()


def _lose_answer(scene: Scene, proxy: Proxy, set_trap: Callable[[], None], point: Point) -> None:
    """The trap is set while the recorder that speaks through the proxy stands right before its commit."""
    recorder = scene.crew.proxied
    scene.voting.burst(BURST)
    order = recorder.order(point, Act.WAIT, scene.random.randint(1, NTH_MAX))
    _done(scene, recorder, order, f"{recorder.name} stands at {point}")
    set_trap()
    recorder.go()
    scene.wait_for(proxy.caught.is_set, "the answer to a commit is caught")


def _order_and_wait(scene: Scene, points: Sequence[Point], act: Act) -> float:
    """Give every point to another recorder, and wait until each has been reached; when the last was."""
    scene.voting.burst(BURST)
    moment = 0.0
    ordered = []
    for recorder, point in zip(scene.crew.members, points, strict=False):
        nth = 1 if point in RENEWED else scene.random.randint(1, NTH_MAX)
        ordered.append((recorder, point, recorder.order(point, act, nth)))
    for recorder, point, order in ordered:
        if point in RENEWED:
            _fence_until_done(scene, recorder, order)
        moment = max(moment, _done(scene, recorder, order, f"{recorder.name} reaches {point}"))
        if act is Act.KILL:
            _await_death(scene, recorder)
    return moment


def _done(scene: Scene, recorder: Recorder, order: int, what: str) -> float:
    scene.wait_for(lambda: recorder.done_at(order), what)
    return recorder.done_at(order) or 0.0


def _await_death(scene: Scene, recorder: Recorder) -> None:
    scene.wait_for(lambda: -Signals.SIGKILL in recorder.deaths, f"{recorder.name} is dead")
    recorder.deaths.clear()


def _fence_until_done(scene: Scene, recorder: Recorder, order: int) -> None:
    """Once is not always enough: when another recorder has just been killed, partitions move, and whoever gets one makes a producer anyway."""
    for _ in range(FENCINGS_MAX):
        _fence(scene)
        scene.voting.burst(BURST)
        if _is_done_within(scene, recorder, order, FENCED_AGAIN_AFTER_S):
            return


def _is_done_within(scene: Scene, recorder: Recorder, order: int, within_s: float) -> bool:
    until = time.monotonic() + within_s
    scene.wait_for(lambda: recorder.done_at(order) or time.monotonic() > until, "time passes")
    return recorder.done_at(order) is not None


def _fence(scene: Scene) -> None:
    """Somebody else publishes under the recorders' names: what they publish now fails, and they make themselves new producers."""
    for partition in range(PARTITIONS):
        rival = Producer({"bootstrap.servers": scene.ground.kafka, "transactional.id": transactional_id(partition), "log_level": 0})
        rival.init_transactions(FENCED_WITHIN_S)


def _await_sleep(scene: Scene, recorder: Recorder) -> None:
    process = psutil.Process(recorder.process.pid)
    scene.wait_for(lambda: process.status() == psutil.STATUS_STOPPED, f"{recorder.name} is stopped")
