"""Supervision with small shell scripts as children; time comes from a clock that the test moves."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import Signals
from typing import ClassVar

import pytest

from livetally.core.errors import DataDirError, ServiceError
from livetally.embedded import leftovers, state
from livetally.embedded.identity import birth_of, is_alive
from livetally.embedded.interrupts import Interrupts, Terminated
from livetally.embedded.logs import RotatingLog
from livetally.embedded.process import Command, Process
from livetally.embedded.restarts import Restarts
from livetally.embedded.state import Running, State
from livetally.embedded.supervisor import Stage, Supervisor

WITHIN_S = 20.0
READY_THEN_WAIT = "echo ready; exec sleep 1000"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


class Script(Process):
    """A service made of shell scripts; all but the last are preparations."""

    stop_signals: ClassVar[tuple[Signals, ...]] = (Signals.SIGTERM,)

    def __init__(self, name: str, log: RotatingLog, *scripts: str) -> None:
        super().__init__(name, log)
        self._scripts = scripts

    def steps(self) -> Iterator[Command]:
        for number, script in enumerate(self._scripts, 1):
            yield Command(("/bin/sh", "-c", script), is_preparation=number < len(self._scripts))

    def answers(self) -> bool:
        return "ready" in self.log.last_lines()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, clock: Clock, said: list[str]) -> Iterator[Supervisor]:
    one = Supervisor(tmp_path, Interrupts(), said.append, clock=clock, pause=time.sleep)
    yield one
    one.stop()


def log(tmp_path: Path, name: str = "one") -> RotatingLog:
    return RotatingLog(tmp_path / "logs" / f"{name}.log", 100_000)


def stage(tmp_path: Path, script: str, name: str = "one") -> Stage:
    return Stage(name, log(tmp_path, name), ["/bin/sh", "-c", script], None)


def tick_until_dead(supervisor: Supervisor, process: Process) -> None:
    def is_dead() -> bool:
        supervisor.tick()
        return process.pid is None

    until(is_dead)


def test_delays_grow_to_a_limit_and_end_after_five() -> None:
    restarts = Restarts()
    assert [restarts.after_failure(1.0) for _ in range(6)] == [1.0, 2.0, 4.0, 8.0, 16.0, None]


def test_a_minute_of_life_is_forgiven() -> None:
    restarts = Restarts(failures=5)
    assert restarts.after_failure(lived_s=60.0) == 1.0


def test_what_dies_starts_again_after_its_delay(supervisor: Supervisor, tmp_path: Path, clock: Clock, said: list[str]) -> None:
    starts = tmp_path / "starts"
    process = stage(tmp_path, f"echo started >>'{starts}'; exit 3")
    supervisor.start(process)
    for number, delay_s in enumerate((1, 2, 4), 1):
        tick_until_dead(supervisor, process)
        assert f"one ended with exit code 3; starting it again in {delay_s} s" in said[-1]
        clock.now += delay_s - 0.01
        tick_until_dead(supervisor, process)
        assert len(starts.read_text().split()) == number, "not before its time"
        clock.now += 0.02
        supervisor.tick()
    tick_until_dead(supervisor, process)
    assert len(starts.read_text().split()) == 4


def test_the_sixth_failure_in_a_row_ends_the_run(supervisor: Supervisor, tmp_path: Path, clock: Clock) -> None:
    process = stage(tmp_path, "echo the reason; exit 3")
    supervisor.start(process)

    def go_on() -> None:
        for _ in range(6):
            tick_until_dead(supervisor, process)
            clock.now += 30
            supervisor.tick()

    with pytest.raises(ServiceError, match=r"one failed 6 times in a row.*exit code 3(.|\n)*the reason(.|\n)*logs/one\.log"):
        go_on()


def test_exit_code_0_of_a_stage_is_its_end(supervisor: Supervisor, tmp_path: Path, said: list[str]) -> None:
    process = stage(tmp_path, "exit 0")
    supervisor.start(process)
    tick_until_dead(supervisor, process)
    assert supervisor.has_finished("one")
    assert said == []
    supervisor.start(stage(tmp_path, "exit 0"))
    assert not supervisor.has_finished("one"), "it can be started once more"


def test_exit_code_2_of_a_stage_ends_the_run_at_once(supervisor: Supervisor, tmp_path: Path) -> None:
    process = stage(tmp_path, "echo there are no candidates >&2; exit 2")
    supervisor.start(process)
    with pytest.raises(ServiceError, match=r"one cannot go on(.|\n)*there are no candidates"):
        tick_until_dead(supervisor, process)


def test_a_service_is_waited_for_through_its_preparations(supervisor: Supervisor, tmp_path: Path) -> None:
    made = tmp_path / "made"
    one = Script("one", log(tmp_path), f"touch '{made}'", f"test -e '{made}' && {READY_THEN_WAIT}")
    other = Script("other", log(tmp_path, "other"), READY_THEN_WAIT)
    supervisor.start_and_wait([one, other])
    assert one.pid is not None
    assert other.pid is not None


def test_a_failed_preparation_is_told_with_its_last_words(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"did not start: ended with exit code 7(.|\n)*disk on fire"):
        supervisor.start_and_wait([Script("one", log(tmp_path), "echo disk on fire; exit 7", READY_THEN_WAIT)])


def test_a_service_that_never_answers_is_given_up(tmp_path: Path, clock: Clock) -> None:
    supervisor = Supervisor(None, Interrupts(), print, clock=clock, pause=clock.pause)
    with pytest.raises(ServiceError, match="one did not answer within 5 s"):
        supervisor.start_and_wait([Script("one", log(tmp_path), "exec sleep 1000")], deadline_s=5.0)
    supervisor.stop()


def test_stopping_ends_stages_before_services_and_grandchildren_too(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, Interrupts(), print)
    order = tmp_path / "order"
    grandchild = tmp_path / "grandchild"
    service = Script(
        "service", log(tmp_path, "service"), f"trap 'echo service >>{order}; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    )
    supervisor.start_and_wait([service])
    supervisor.start(
        stage(
            tmp_path, f"sleep 1000 & echo $! >{grandchild}; trap 'echo stage >>{order}; exit 0' INT; while :; do sleep 0.05; done", "stage"
        )
    )
    until(lambda: grandchild.exists() and grandchild.read_text().strip() != "")
    pid = int(grandchild.read_text())
    birth = birth_of(pid)
    supervisor.stop()
    assert order.read_text().split() == ["stage", "service"]
    until(lambda: not is_alive(pid, birth))


def test_what_does_not_listen_is_killed_and_a_hurry_helps(tmp_path: Path) -> None:
    interrupts = Interrupts()
    supervisor = Supervisor(tmp_path, interrupts, print)
    process = stage(tmp_path, "trap '' INT; echo ready; while :; do sleep 0.05; done")
    supervisor.start(process)
    until(lambda: "ready" in process.log.last_lines())
    interrupts.is_hurried = True
    started = time.monotonic()
    supervisor.stop()
    assert process.pid is None
    assert time.monotonic() - started < Stage.stop_deadline_s / 2


def test_a_signal_raises_except_where_it_is_held_or_everything_stops() -> None:
    with Interrupts() as interrupts:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        steps: list[str] = []

        def held() -> None:
            with interrupts.held():
                os.kill(os.getpid(), signal.SIGTERM)
                steps.append("done")

        with pytest.raises(Terminated):
            held()
        assert steps == ["done"]
        interrupts.ignore()
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.is_hurried


def test_state_survives_and_names_only_the_living(tmp_path: Path) -> None:
    own = Running("supervisor", os.getpid(), birth_of(os.getpid()), 2)
    State(own, (own,), {"kafka": "127.0.0.1:1"}).save(tmp_path)
    assert state.running(tmp_path) == State(own, (own,), {"kafka": "127.0.0.1:1"})
    assert (tmp_path / "state.json").stat().st_mode & 0o077 == 0, "it holds a password"
    State(Running("supervisor", os.getpid(), "another boot:1", 2)).save(tmp_path)
    assert state.running(tmp_path) is None
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(DataDirError, match="damaged"):
        state.load(tmp_path)


def test_leftovers_are_ended_and_strangers_are_not(tmp_path: Path) -> None:
    mine, stranger, stubborn = (
        subprocess.Popen([sys.executable, "-c", f"{setup}; print(flush=True); import time; time.sleep(1000)"], stdout=subprocess.PIPE)
        for setup in ("pass", "pass", "import signal; signal.signal(2, signal.SIG_IGN)")
    )
    for child in (mine, stranger, stubborn):
        assert child.stdout
        child.stdout.read(1)
    processes = (
        Running("mine", mine.pid, birth_of(mine.pid), 2),
        Running("stubborn", stubborn.pid, birth_of(stubborn.pid), 2),
        Running("reused", stranger.pid, "this boot:1", 2),
        Running("gone", 2**22 + 1, "this boot:1", 2),
    )
    State(Running("supervisor", 2**22 + 2, "this boot:1", 2), processes).save(tmp_path)
    said: list[str] = []
    leftovers.end(tmp_path, said.append, deadline_s=0.3)
    try:
        assert said == [f"ended what it had left running: mine ({mine.pid}), stubborn ({stubborn.pid})"]
        assert mine.wait(WITHIN_S) in {-signal.SIGINT, 1}
        assert stubborn.wait(WITHIN_S) == -signal.SIGKILL
        assert stranger.poll() is None
        assert state.load(tmp_path) is None
    finally:
        stranger.kill()
        for child in (mine, stranger, stubborn):
            child.communicate()
