"""Running one stage: the work is done in a thread, so that Ctrl+C always finds somebody who listens."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from livetally.commands.backing import Backing
from livetally.commands.endpoints import observed
from livetally.commands.output import say
from livetally.observe.health import Probe
from livetally.observe.meter import StageMeter

EXIT_INTERRUPTED = 130


def run_watched(meter: StageMeter, backing: Backing, work: Callable[[threading.Event], str], probe: Probe = lambda: None) -> int:
    """A stage of the pipeline; meanwhile everybody can watch. `probe` says what keeps it from working, apart from Kafka and PostgreSQL."""
    with observed(meter, backing, probe):
        return run_stage(meter.stage, work)


def run_stage(name: str, work: Callable[[threading.Event], str]) -> int:
    """Do `work` until it is done or Ctrl+C (or SIGTERM) tells it to stop; it returns what to say at the end.

    The first signal lets it finish its batch; the second ends the process at once. Nothing is lost either way.
    """
    stop, done = threading.Event(), threading.Event()
    outcome: list[str | BaseException] = []

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            say(f"{name}: stopped at once; what was not finished will be repeated")
            os._exit(EXIT_INTERRUPTED)
        say(f"{name}: finishing the batch (again: at once)")
        stop.set()

    def worker() -> None:
        try:
            outcome.append(work(stop))
        except BaseException as error:  # noqa: BLE001 (raised again below, in the main thread)
            outcome.append(error)
        finally:
            done.set()

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        threading.Thread(target=worker, name=name, daemon=True).start()
        while not done.wait(0.5):
            pass
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    say(f"{name}: {outcome[0]}")
    return 0
